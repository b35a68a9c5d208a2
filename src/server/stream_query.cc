#include "server/stream_query.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::server {

absl::Status ReadStreams(const Query& query, StreamRequest* stream) {
  stream->tty = First(query, "tty") == "1";
  stream->input = First(query, "input") == "1";
  stream->output = First(query, "output") == "1";
  stream->error = First(query, "error") == "1" && !stream->tty;
  if (stream->input || stream->output || stream->error) return absl::OkStatus();
  return absl::InvalidArgumentError("you must specify at least 1 of stdin, stdout, stderr");
}

absl::StatusOr<std::vector<int32_t>> ReadPorts(const Request& request) {
  std::vector<int32_t> ports;
  // A tunnel for SPDY is a WebSocket whose ports are named inside.
  const bool tunnel = absl::StartsWith(Header(request, "Sec-WebSocket-Protocol"), "SPDY/3.1+");
  if (tunnel || !absl::EqualsIgnoreCase(Header(request, "Upgrade"), "websocket")) return ports;
  if (!Has(request.query, "port"))
    return absl::InvalidArgumentError("query parameter \"port\" is required");
  for (const auto& [name, value] : request.query) {
    if (name != "port") continue;
    if (value.empty())
      return absl::InvalidArgumentError("query parameter \"port\" cannot be empty");
    for (absl::string_view part : absl::StrSplit(value, ',')) {
      int32_t port = 0;
      if (!absl::SimpleAtoi(part, &port) || port < 0 || port > 65535)
        return absl::InvalidArgumentError(StrCat("unable to parse ", GoQuote(value), " as a port"));
      if (port == 0)
        return absl::InvalidArgumentError(StrCat("port ", GoQuote(value), " must be > 0"));
      ports.push_back(port);
    }
  }
  return ports;
}

}  // namespace cubelet::server
