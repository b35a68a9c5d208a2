#include "server/stream_url.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

// Takes "<host>[:<port>]" apart; false when it is neither.
bool SplitAuthority(std::string_view authority, StreamUrl* url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    url->host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const size_t colon = authority.find(':');
    url->host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  url->port = url->tls ? 443 : 80;
  if (url->host.empty() || authority.find('@') != std::string_view::npos) return false;
  if (port.empty()) return true;
  uint32_t number = 0;
  if (port[0] != ':' || !absl::SimpleAtoi(ToAbsl(port.substr(1)), &number)) return false;
  url->port = static_cast<uint16_t>(number);
  return number >= 1 && number <= 65535;
}

}  // namespace

std::string StreamUrl::HostPort() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? StrCat("[", host, "]:", port) : StrCat(host, ":", port);
}

absl::StatusOr<StreamUrl> ParseStreamUrl(std::string_view text) {
  const absl::Status bad = absl::InternalError(
      StrCat("the runtime gave ", GoQuote(text), " as the URL of its streaming server"));
  StreamUrl url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad;
  }
  const size_t end = rest.find_first_of("/?#");
  if (!SplitAuthority(rest.substr(0, end), &url)) return bad;
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  rest = rest.substr(0, rest.find('#'));
  url.target = rest.starts_with('/') ? std::string(rest) : StrCat("/", rest);
  const auto fits = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(text.begin(), text.end(), fits)) return bad;
  return url;
}

}  // namespace cubelet::server
