#include "sources/url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::sources {
namespace {

constexpr size_t kMaxUrlLength = 8192;
constexpr size_t kMaxHostLength = 253;

absl::Status Bad(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(StrCat("invalid URL ", GoQuote(RedactUrl(text)), ": ", why));
}

uint16_t DefaultPort(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

// "host", "host:port", "[v6]", "[v6]:port".
absl::Status ParseHostPort(std::string_view text, std::string_view authority, Url& url) {
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return Bad(text, "missing ']' in host");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return Bad(text, "no port after ']'");
  } else if (const size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) return Bad(text, "no host");
  const auto odd = [](char c) {
    return !absl::ascii_isalnum(c) && std::string_view("-._~:%").find(c) == std::string_view::npos;
  };
  if (host.size() > kMaxHostLength || std::any_of(host.begin(), host.end(), odd))
    return Bad(text, "not a host name or address");
  url.host = std::string(host);
  url.port = DefaultPort(url.scheme);
  if (port.size() <= 1) return absl::OkStatus();
  uint32_t number = 0;
  if (!absl::SimpleAtoi(ToAbsl(port.substr(1)), &number) || number == 0 || number > 65535)
    return Bad(text, "port must be between 1 and 65535");
  url.port = static_cast<uint16_t>(number);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrlLength) return Bad(text.substr(0, 64), "too long");
  const auto odd = [](char c) { return !absl::ascii_isgraph(c); };
  if (std::any_of(text.begin(), text.end(), odd))
    return Bad(text, "blank or control character, or not ASCII");
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Bad(text, "want http:// or https://");
  Url url;
  url.scheme = absl::AsciiStrToLower(ToAbsl(text.substr(0, colon)));
  if (url.scheme != "http" && url.scheme != "https") return Bad(text, "want http:// or https://");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, path);
  url.target = std::string(rest.substr(path));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.user_info = std::string(authority.substr(0, at));
    authority = authority.substr(at + 1);
  }
  RETURN_IF_ERROR(ParseHostPort(text, authority, url));
  return url;
}

absl::StatusOr<Url> ResolveReference(const Url& base, std::string_view reference) {
  if (reference.find("://") != std::string_view::npos &&
      reference.find("://") < reference.find_first_of("/?#"))
    return ParseUrl(reference);
  if (reference.starts_with("//")) return ParseUrl(StrCat(base.scheme, ":", reference));
  reference = reference.substr(0, reference.find('#'));
  const auto odd = [](char c) { return !absl::ascii_isgraph(c); };
  if (reference.size() > kMaxUrlLength || std::any_of(reference.begin(), reference.end(), odd))
    return Bad(reference.substr(0, 64), "not a valid reference");
  Url url = base;
  const std::string path = base.target.substr(0, base.target.find('?'));
  if (reference.starts_with('/')) {
    url.target = std::string(reference);
  } else if (reference.empty() || reference.starts_with('?')) {
    url.target = StrCat(path, reference);
  } else {
    url.target = StrCat(path.substr(0, path.rfind('/') + 1), reference);
  }
  return url;
}

std::string HostHeader(const Url& url) {
  std::string host = url.host;
  if (host.find(':') != std::string::npos) host = StrCat("[", host, "]");
  if (url.port != DefaultPort(url.scheme)) StrAppend(&host, ":", url.port);
  return host;
}

std::string RedactUrl(std::string_view text) {
  const size_t start = text.find("://");
  if (start == std::string_view::npos) return std::string(text);
  const size_t end = std::min(text.find_first_of("/?#", start + 3), text.size());
  const std::string_view authority = text.substr(start + 3, end - start - 3);
  const size_t at = authority.rfind('@');
  const size_t colon = authority.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
    return std::string(text);
  return StrCat(text.substr(0, start + 3), authority.substr(0, colon), ":xxxxx",
                authority.substr(at), text.substr(end));
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
        absl::ascii_isxdigit(text[i + 2])) {
      uint32_t byte = 0;
      const std::string digits(text.substr(i + 1, 2));
      if (absl::SimpleHexAtoi(digits, &byte)) {
        out += static_cast<char>(byte);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace cubelet::sources
