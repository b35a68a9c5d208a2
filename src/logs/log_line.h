// One line of a container's log as runtimes write it. Pure.
//
//   2026-11-24T10:00:00.123456789Z stdout F hello        CRI: F is a whole line, P a part of one
//   {"log":"hello\n","stream":"stdout","time":"2026-..."} Docker's, behind cri-dockerd
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace cubelet::logs {

struct LogLine {
  std::string time;  // RFC 3339 with nine digits of the second's fraction, in the zone it came with
  absl::Time when;
  bool is_stderr = false;
  bool partial = false;  // the next record of the stream goes on with this line
  std::string content;   // ends in a newline unless it is a part
};

// Nothing when `text` (without its newline) is in neither format.
std::optional<LogLine> ParseLogLine(std::string_view text);

}  // namespace cubelet::logs
