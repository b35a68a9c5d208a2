// URLs as HTTP probes show them in messages and send them in requests: Go's reading of a path that
// somebody wrote, and of the Location that somebody answered. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::probes {

struct Url {
  std::string scheme;                // "http", "https"
  std::string host;                  // name or address, IPv6 without brackets
  std::string port;                  // "" for the scheme's own
  std::string path;                  // escaped; "" or from "/" on
  std::optional<std::string> query;  // escaped; "" after a lone "?"
  std::string fragment;              // escaped

  std::string ToString() const;
  std::string HostPort() const;  // "a:80", "[::1]:80", "a"
  std::string Target() const;    // what a request line has: path and query

  // The port to connect to. Error: not a number of 1 to 65535.
  absl::StatusOr<uint16_t> PortNumber() const;
};

// "a:80", "[::1]:80".
std::string JoinHostPort(std::string_view host, std::string_view port);

// `path` as a probe's author wrote it: what can be read as a reference gives path, query and
// fragment, anything else is a path to be escaped as a whole (probes.md 5.4).
Url MakeUrl(std::string_view scheme, std::string_view host, std::string_view port,
            std::string_view path);

// Where `location`, answered by `base`, leads. Error: it cannot be read, or leads to something else
// than HTTP.
absl::StatusOr<Url> ResolveLocation(const Url& base, std::string_view location);

// Whether `location` names its scheme.
bool IsAbsoluteUrl(std::string_view location);

}  // namespace cubelet::probes
