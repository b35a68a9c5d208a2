// What a container leaves as its last words: the end of its termination message file or, where the
// policy says so, of its log (pod-lifecycle.md 9.4). Pure: the caller reads the files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/types.h"
#include "pleg/runtime_pod.h"

namespace cubelet::status {

inline constexpr size_t kMaxTerminationFileBytes = 4096;
inline constexpr size_t kMaxTerminationLogLines = 80;
inline constexpr size_t kMaxTerminationLogBytes = 2048;
// Of all messages of a pod together.
inline constexpr size_t kMaxTerminationBytesPerPod = 12 * 1024;
// How much of the end of a log file is worth reading for LogTail: 80 lines of prefix and text, and
// some for partial lines.
inline constexpr size_t kTerminationLogReadBytes = 64 * 1024;

// The last kMaxTerminationFileBytes of the file's content.
std::string FileTail(std::string_view content);

// The text of the last lines of a log in the CRI format ("<time> <stream> <tags> <text>"), at most
// 80 lines and 2048 bytes of it. `content` may begin inside a line; lines in another form are
// skipped.
std::string LogTail(std::string_view content);

// Whether an ended container's log speaks for it: policy FallbackToLogsOnError, it failed, it did
// run, and it left no message itself.
bool FallsBackToLog(const pleg::ContainerRecord& record, std::string_view file_message);

// What stands in the status when a file cannot be read.
std::string FileReadFailure(std::string_view path, const absl::Status& error);
std::string LogReadFailure(const absl::Status& error);

// The share of each message of this pod: 12 KiB divided by the number of its containers, init and
// ephemeral ones counted.
size_t TerminationMessageLimit(const v1::Pod& pod);

// The runtime's own message and the container's joined by ": ", cut to `limit` bytes.
std::string JoinMessages(std::string_view runtime_message, std::string_view message, size_t limit);

}  // namespace cubelet::status
