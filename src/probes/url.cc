#include "probes/url.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"

namespace cubelet::probes {
namespace {

// The parts of a reference, each as written.
struct Reference {
  std::string scheme;
  std::optional<std::string> authority;
  std::string path;
  std::optional<std::string> query;
  std::string fragment;
};

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("-_.~").find(c) != std::string_view::npos;
}

bool HasBadEscape(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    const auto is_hex = [&](size_t at) {
      return at < text.size() && absl::ascii_isxdigit(static_cast<unsigned char>(text[at]));
    };
    if (!is_hex(i + 1) || !is_hex(i + 2)) return true;
  }
  return false;
}

// Escapes every byte that is neither unreserved nor one of `allowed`.
std::string Escape(std::string_view text, std::string_view allowed) {
  std::string out;
  for (char c : text) {
    if (IsUnreserved(c) || allowed.find(c) != std::string_view::npos) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int value = 0;
    (void)absl::SimpleHexAtoi(ToAbsl(text.substr(i + 1, 2)), &value);
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

constexpr std::string_view kKeptInPaths = "$&+,/:;=@";

// A path as a request has it: left alone when everything in it may stand there, otherwise read and
// escaped anew. REQUIRES: no bad escapes.
std::string EscapePath(std::string_view path) {
  constexpr std::string_view kMayStand = "!$&'()*+,;=:@[]%/";
  const bool valid = std::all_of(path.begin(), path.end(), [&](char c) {
    return IsUnreserved(c) || kMayStand.find(c) != std::string_view::npos;
  });
  return valid ? std::string(path) : Escape(Unescape(path), kKeptInPaths);
}

// Queries and fragments go as they were written, but never break the line they stand in.
std::string EscapeRest(std::string_view text) {
  return Escape(text, "!$&'()*+,;=:@[]%/?#\"<>\\^`{|}");
}

// The scheme before ":", "" if there is none.
std::string_view SchemeOf(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (absl::ascii_isalpha(c)) continue;
    if (c == ':') return text.substr(0, i);
    const bool inside = absl::ascii_isdigit(c) || c == '+' || c == '-' || c == '.';
    if (i == 0 || !inside) break;
  }
  return {};
}

absl::StatusOr<Reference> Parse(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsControl))
    return absl::InvalidArgumentError("invalid control character in URL");
  Reference reference;
  std::string_view rest = text;
  if (const size_t hash = rest.find('#'); hash != std::string_view::npos) {
    reference.fragment = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
  }
  if (rest.starts_with(":")) return absl::InvalidArgumentError("missing protocol scheme");
  if (const std::string_view scheme = SchemeOf(rest); !scheme.empty()) {
    reference.scheme = absl::AsciiStrToLower(ToAbsl(scheme));
    rest.remove_prefix(scheme.size() + 1);
  }
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) {
    reference.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with("/") && reference.scheme.empty() &&
      rest.substr(0, rest.find('/')).find(':') != std::string_view::npos)
    return absl::InvalidArgumentError("first path segment in URL cannot contain colon");
  if (rest.starts_with("//") && (!reference.scheme.empty() || !rest.starts_with("///"))) {
    rest.remove_prefix(2);
    const size_t slash = std::min(rest.find('/'), rest.size());
    reference.authority = rest.substr(0, slash);
    rest.remove_prefix(slash);
  }
  if (HasBadEscape(rest) || HasBadEscape(reference.fragment))
    return absl::InvalidArgumentError("invalid URL escape");
  reference.path = rest;
  return reference;
}

// RFC 3986, 5.2.4.
std::string RemoveDotSegments(std::string_view path) {
  std::vector<std::string> kept;
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(path), '/');
  for (size_t i = 1; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.emplace_back();
    } else if (parts[i] == ".") {
      if (last) kept.emplace_back();
    } else {
      kept.push_back(parts[i]);
    }
  }
  return StrCat("/", absl::StrJoin(kept, "/"));
}

// Fills in host and port from "user@host:port"; who asks is nobody in particular, so the user is
// dropped.
absl::Status SetAuthority(Url& url, std::string_view authority) {
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  size_t end = authority.rfind(':');
  if (authority.starts_with("[")) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return absl::InvalidArgumentError("missing ']' in host");
    url.host = authority.substr(1, close - 1);
    end = authority.find(':', close);
  } else {
    url.host = authority.substr(0, end);
  }
  url.port = end == std::string_view::npos ? "" : std::string(authority.substr(end + 1));
  if (url.host.empty()) return absl::InvalidArgumentError("no Host in request URL");
  if (std::any_of(url.host.begin(), url.host.end(), [](char c) { return c == ' ' || c == '%'; }))
    return absl::InvalidArgumentError("invalid character in host name");
  return url.PortNumber().status();
}

}  // namespace

std::string JoinHostPort(std::string_view host, std::string_view port) {
  if (host.find(':') != std::string_view::npos) return StrCat("[", host, "]:", port);
  return StrCat(host, ":", port);
}

std::string Url::HostPort() const {
  if (!port.empty()) return JoinHostPort(host, port);
  return host.find(':') == std::string::npos ? host : StrCat("[", host, "]");
}

std::string Url::ToString() const {
  std::string text = StrCat(scheme, "://", HostPort(), path);
  if (query) StrAppend(&text, "?", *query);
  if (!fragment.empty()) StrAppend(&text, "#", fragment);
  return text;
}

std::string Url::Target() const {
  std::string target = path.empty() ? "/" : path;
  if (query) StrAppend(&target, "?", *query);
  return target;
}

absl::StatusOr<uint16_t> Url::PortNumber() const {
  if (port.empty()) return scheme == "https" ? uint16_t{443} : uint16_t{80};
  uint32_t number = 0;
  if (!absl::SimpleAtoi(port, &number) || number == 0 || number > 65535)
    return absl::InvalidArgumentError(StrCat("invalid port ", GoQuote(port)));
  return static_cast<uint16_t>(number);
}

Url MakeUrl(std::string_view scheme, std::string_view host, std::string_view port,
            std::string_view path) {
  Url url{.scheme = std::string(scheme), .host = std::string(host), .port = std::string(port)};
  if (const absl::StatusOr<Reference> reference = Parse(path); reference.ok()) {
    url.path = EscapePath(reference->path);
    if (reference->query) url.query = EscapeRest(*reference->query);
    url.fragment = EscapeRest(reference->fragment);
  } else {
    url.path = Escape(path, kKeptInPaths);
  }
  if (!url.path.empty() && !url.path.starts_with("/")) url.path.insert(0, 1, '/');
  return url;
}

absl::StatusOr<Url> ResolveLocation(const Url& base, std::string_view location) {
  absl::StatusOr<Reference> parsed = Parse(location);
  if (!parsed.ok())
    return absl::InvalidArgumentError(StrCat("failed to parse Location header ", GoQuote(location),
                                             ": ", Message(parsed.status())));
  const Reference& reference = *parsed;
  Url url = base;
  url.fragment = EscapeRest(reference.fragment);
  if (!reference.scheme.empty()) url.scheme = reference.scheme;
  if (url.scheme != "http" && url.scheme != "https")
    return absl::InvalidArgumentError(StrCat("unsupported protocol scheme ", GoQuote(url.scheme)));
  std::string path = EscapePath(reference.path);
  if (reference.authority || !reference.scheme.empty()) {
    if (absl::Status status = SetAuthority(url, reference.authority.value_or("")); !status.ok())
      return status;
  } else if (path.empty()) {
    if (reference.query) url.query = EscapeRest(*reference.query);
    return url;
  } else if (!path.starts_with("/")) {
    path.insert(0, base.path.substr(0, base.path.rfind('/') + 1));
  }
  if (!path.empty() && !path.starts_with("/")) path.insert(0, 1, '/');
  url.path = path.empty() ? "" : RemoveDotSegments(path);
  url.query.reset();
  if (reference.query) url.query = EscapeRest(*reference.query);
  return url;
}

bool IsAbsoluteUrl(std::string_view location) { return !SchemeOf(location).empty(); }

}  // namespace cubelet::probes
