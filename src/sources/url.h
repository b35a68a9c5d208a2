// Web addresses as far as fetching needs them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::sources {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // IPv6 without brackets
  uint16_t port = 0;
  std::string target;     // path and query, at least "/"
  std::string user_info;  // as written, before '@'; "" if none
};

// An absolute http or https address. Error: names what is wrong, without repeating a password.
absl::StatusOr<Url> ParseUrl(std::string_view text);

// What `reference` (a Location header) means at `base`: an address, or a path on the same host.
absl::StatusOr<Url> ResolveReference(const Url& base, std::string_view reference);

// The value of the Host header: the port only where it is not the scheme's own.
std::string HostHeader(const Url& url);

// `text` with a password in it replaced by "xxxxx", for messages.
std::string RedactUrl(std::string_view text);

// %XX as bytes; what is no such escape stays as it is.
std::string PercentDecode(std::string_view text);

}  // namespace cubelet::sources
