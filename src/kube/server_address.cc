#include "kube/server_address.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

namespace ip = boost::asio::ip;

constexpr size_t kMaxAddressLength = 2048;
constexpr uint16_t kHttpsPort = 443;

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
        absl::ascii_isxdigit(text[i + 2])) {
      plain += absl::HexStringToBytes(ToAbsl(text.substr(i + 1, 2)));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// "host", "host:port", "[v6]", "[v6]:port".
absl::Status ParseAuthority(std::string_view authority, uint16_t default_port, ServerAddress& out) {
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return absl::InvalidArgumentError("missing ']' in the host");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else if (const size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~:%").find(c) != std::string_view::npos;
  };
  if (host.empty()) return absl::InvalidArgumentError("it has no host");
  for (const char c : host) {
    if (!allowed(c)) return absl::InvalidArgumentError("invalid character in the host");
  }
  out.host = std::string(host);
  out.port = default_port;
  if (port.empty()) return absl::OkStatus();
  uint32_t number = 0;
  if (port.front() != ':' || !absl::SimpleAtoi(ToAbsl(port.substr(1)), &number) || number == 0 ||
      number > 65535)
    return absl::InvalidArgumentError("its port is not a number from 1 to 65535");
  out.port = static_cast<uint16_t>(number);
  return absl::OkStatus();
}

// What follows the scheme.
absl::Status ParseRest(std::string_view rest, uint16_t default_port, ServerAddress& out) {
  if (rest.size() > kMaxAddressLength) return absl::InvalidArgumentError("it is too long");
  for (const char c : rest) {
    if (c <= ' ' || c == '\x7f' || c == '?' || c == '#')
      return absl::InvalidArgumentError("a blank, a query or a fragment has no place in it");
  }
  const size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) out.path = std::string(rest.substr(slash));
  while (out.path.ends_with('/')) out.path.pop_back();
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    out.user_info = Unescape(authority.substr(0, at));
    authority = authority.substr(at + 1);
  }
  return ParseAuthority(authority, default_port, out);
}

struct Split {
  std::string scheme;  // in lower case; "" without one
  std::string_view rest;
};

Split SplitScheme(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return {"", text};
  return {absl::AsciiStrToLower(ToAbsl(text.substr(0, end))), text.substr(end + 3)};
}

bool IsLoopback(const std::string& host) {
  boost::system::error_code error;
  const auto address = ip::make_address(host, error);
  return host == "localhost" || (!error && address.is_loopback());
}

bool InNetwork(const std::string& host, const std::string& network) {
  boost::system::error_code error;
  const auto address = ip::make_address(host, error);
  if (error) return false;
  if (address.is_v4()) {
    const auto range = ip::make_network_v4(network, error);
    return !error &&
           ip::make_network_v4(address.to_v4(), range.prefix_length()).network() == range.network();
  }
  const auto range = ip::make_network_v6(network, error);
  return !error &&
         ip::make_network_v6(address.to_v6(), range.prefix_length()).network() == range.network();
}

// One entry of NO_PROXY.
bool Excludes(const std::string& entry, const ServerAddress& server) {
  if (entry == "*") return true;
  if (absl::StrContains(entry, '/')) return InNetwork(server.host, entry);
  ServerAddress named;
  boost::system::error_code not_v6;
  ip::make_address_v6(entry, not_v6);
  if (!not_v6) return entry == server.host;
  const bool dotted = entry.starts_with('.');
  if (!ParseAuthority(ToStd(absl::StripPrefix(absl::StripPrefix(entry, "*"), ".")), 0, named).ok())
    return false;
  if (named.port != 0 && named.port != server.port) return false;
  if (!dotted && absl::EqualsIgnoreCase(named.host, server.host)) return true;
  return absl::EndsWithIgnoreCase(server.host, "." + named.host);
}

std::string Variable(const char* upper, const char* lower) {
  for (const char* name : {upper, lower}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace

std::string ServerAddress::Authority() const {
  if (port != kHttpsPort) return HostPort();
  return host.find(':') == std::string::npos ? host : StrCat("[", host, "]");
}

std::string ServerAddress::HostPort() const {
  if (host.find(':') == std::string::npos) return StrCat(host, ":", port);
  return StrCat("[", host, "]:", port);
}

absl::StatusOr<ServerAddress> ParseServerAddress(std::string_view text) {
  const std::string what = StrCat("address ", GoQuote(text));
  const Split split = SplitScheme(text);
  if (text.empty()) return absl::InvalidArgumentError("the server's address is missing");
  if (split.scheme == "http")
    return absl::InvalidArgumentError(StrCat(
        what, ": only https is spoken with an API server, as credentials go over the connection"));
  if (!split.scheme.empty() && split.scheme != "https")
    return absl::InvalidArgumentError(StrCat(what, ": unknown scheme"));
  ServerAddress address;
  if (absl::Status parsed = ParseRest(split.rest, kHttpsPort, address); !parsed.ok())
    return Annotate(parsed, what);
  if (!address.user_info.empty())
    return absl::InvalidArgumentError("a user has no place in the server's address");
  return address;
}

absl::StatusOr<ServerAddress> ParseProxyAddress(std::string_view text) {
  const Split split = SplitScheme(text);
  if (!split.scheme.empty() && split.scheme != "http")
    return absl::InvalidArgumentError(
        StrCat("proxies of the kind ", GoQuote(split.scheme), " are not spoken, only http"));
  ServerAddress address;
  RETURN_IF_ERROR(ParseRest(split.rest, 80, address));
  return address;
}

ProxyEnvironment ProxyEnvironment::OfProcess() {
  return {Variable("HTTPS_PROXY", "https_proxy"), Variable("NO_PROXY", "no_proxy")};
}

std::string ProxyFor(const ServerAddress& server, const ProxyEnvironment& environment) {
  if (environment.https_proxy.empty() || IsLoopback(server.host)) return "";
  for (const absl::string_view piece : absl::StrSplit(environment.no_proxy, ',')) {
    const std::string entry(absl::StripAsciiWhitespace(piece));
    if (!entry.empty() && Excludes(entry, server)) return "";
  }
  return environment.https_proxy;
}

}  // namespace cubelet::kube
