#include "server/log_query.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {
namespace {

// As Kubernetes reads booleans of a query: whatever is not said to be false is true.
bool Flag(const Query& query, std::string_view key) {
  const std::string value = First(query, key);
  return !value.empty() && value != "0" && !absl::EqualsIgnoreCase(value, "false");
}

// The whole number that is the first value of `key`; false when it is none.
bool Number(const Query& query, std::string_view key, std::optional<int64_t>* number) {
  if (!Has(query, key)) return true;
  return absl::SimpleAtoi(First(query, key), &number->emplace());
}

bool Time(const Query& query, std::string_view key, std::optional<absl::Time>* time) {
  const std::string text = First(query, key);
  if (text.empty()) return true;
  std::string error;
  return text[0] >= '0' && text[0] <= '9' &&
         absl::ParseTime(absl::RFC3339_full, text, &time->emplace(), &error);
}

struct Parameters {
  std::optional<int64_t> since_seconds, tail_lines, limit_bytes;
  std::optional<absl::Time> since_time;
  std::string stream;
};

bool Decode(const Query& query, Parameters* parameters) {
  if (!Number(query, "sinceSeconds", &parameters->since_seconds) ||
      !Number(query, "limitBytes", &parameters->limit_bytes) ||
      !Time(query, "sinceTime", &parameters->since_time))
    return false;
  parameters->stream = First(query, "stream");
  // "tail" is the older name of tailLines.
  const std::string tail = First(query, "tail");
  if (tail == "all") return true;
  return Number(query, tail.empty() ? "tailLines" : "tail", &parameters->tail_lines);
}

bool IsValid(const Parameters& parameters) {
  if (parameters.since_seconds && (*parameters.since_seconds < 1 || parameters.since_time))
    return false;
  if (parameters.limit_bytes && *parameters.limit_bytes < 1) return false;
  return !parameters.tail_lines || *parameters.tail_lines >= 0;
}

// A stream by its name; nothing for any other.
std::optional<logs::Stream> StreamOf(std::string_view name) {
  if (name.empty() || name == "All") return logs::Stream::kAll;
  if (name == "Stdout") return logs::Stream::kStdout;
  if (name == "Stderr") return logs::Stream::kStderr;
  return std::nullopt;
}

}  // namespace

LogQuery ParseLogQuery(const Query& query, absl::Time now, bool split_streams, Response* refusal) {
  refusal->status = 0;
  LogQuery result;
  Parameters parameters;
  if (!Decode(query, &parameters)) {
    *refusal = Text(400, "{\"message\": \"Unable to decode query.\"}");
    return result;
  }
  const std::optional<logs::Stream> stream = StreamOf(parameters.stream);
  if (stream != logs::Stream::kAll && !split_streams) {
    *refusal =
        Text(400, StrCat("unable to return the given log stream: ", GoQuote(parameters.stream),
                         ". Please enable PodLogsQuerySplitStreams feature gate in kubelet"));
    return result;
  }
  const bool split_tail = stream != logs::Stream::kAll && parameters.tail_lines;
  if (!stream || split_tail || !IsValid(parameters)) {
    *refusal = Text(422, "{\"message\": \"Invalid request.\"}");
    return result;
  }
  result.previous = Flag(query, "previous");
  result.options.follow = Flag(query, "follow");
  result.options.tail_lines = parameters.tail_lines;
  logs::Selection& selection = result.options.selection;
  selection.timestamps = Flag(query, "timestamps");
  selection.limit_bytes = parameters.limit_bytes;
  selection.stream = *stream;
  if (parameters.since_time) selection.since = *parameters.since_time;
  if (parameters.since_seconds) selection.since = now - absl::Seconds(*parameters.since_seconds);
  return result;
}

}  // namespace cubelet::server
