#include "status/termination_message.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace cubelet::status {
namespace {

// The text of one line of a CRI log, with its newline unless it is a part of a longer one. Null
// when the line has another form.
bool ParseCriLine(std::string_view line, std::string& text) {
  const size_t stream = line.find(' ');
  const size_t tags = stream == std::string_view::npos ? stream : line.find(' ', stream + 1);
  const size_t content = tags == std::string_view::npos ? tags : line.find(' ', tags + 1);
  if (content == std::string_view::npos) return false;
  const std::string_view name = line.substr(stream + 1, tags - stream - 1);
  if (name != "stdout" && name != "stderr") return false;
  std::string_view tag = line.substr(tags + 1, content - tags - 1);
  tag = tag.substr(0, tag.find(':'));
  if (tag != "F" && tag != "P") return false;
  text = line.substr(content + 1);
  if (tag == "F") text += '\n';
  return true;
}

std::vector<std::string_view> LastLines(std::string_view content, size_t count) {
  std::vector<std::string_view> lines;
  while (!content.empty() && lines.size() < count) {
    if (content.back() == '\n') content.remove_suffix(1);
    const size_t start = content.rfind('\n') + 1;  // 0 when there is none
    lines.push_back(content.substr(start));
    content = content.substr(0, start);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace

std::string FileTail(std::string_view content) {
  if (content.size() > kMaxTerminationFileBytes)
    content.remove_prefix(content.size() - kMaxTerminationFileBytes);
  return std::string(content);
}

std::string LogTail(std::string_view content) {
  std::string tail, text;
  for (std::string_view line : LastLines(content, kMaxTerminationLogLines)) {
    if (ParseCriLine(line, text)) tail += text;
  }
  if (tail.size() > kMaxTerminationLogBytes) tail.erase(0, tail.size() - kMaxTerminationLogBytes);
  return tail;
}

bool FallsBackToLog(const pleg::ContainerRecord& record, std::string_view file_message) {
  return record.state == pleg::ContainerState::kExited && record.exit_code != 0 &&
         record.termination_message_policy == "FallbackToLogsOnError" &&
         record.reason != "ContainerCannotRun" && file_message.empty();
}

std::string FileReadFailure(std::string_view path, const absl::Status& error) {
  return StrCat("Error on reading termination log ", path, ": ", Message(error));
}

std::string LogReadFailure(const absl::Status& error) {
  return StrCat("Error on reading termination message from logs: ", Message(error));
}

size_t TerminationMessageLimit(const v1::Pod& pod) {
  const int containers = pod.spec().initcontainers_size() + pod.spec().containers_size() +
                         pod.spec().ephemeralcontainers_size();
  return kMaxTerminationBytesPerPod / static_cast<size_t>(std::max(containers, 1));
}

std::string JoinMessages(std::string_view runtime_message, std::string_view message, size_t limit) {
  std::string joined(runtime_message);
  if (!joined.empty() && !message.empty()) joined += ": ";
  joined += message;
  if (joined.size() > limit) joined.resize(limit);
  return joined;
}

}  // namespace cubelet::status
