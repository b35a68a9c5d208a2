#include "base/check.h"

#include <atomic>
#include <cstdlib>

#include "base/log.h"

#include "base/strings.h"

namespace cubelet {
namespace {

std::atomic<bool> bugs_are_fatal{false};
std::atomic<int> bug_count{0};

}  // namespace

void CheckFailed(const char* file, int line, std::string_view text) {
  const absl::Status error = absl::InternalError(StrCat("check failed: ", text));
  WriteLog(Severity::kError, 0, file, line, &error, "A broken invariant ends the process");
  FlushLog();
  std::abort();
}

void ReportBug(const char* file, int line, std::string_view text) {
  const absl::Status error = absl::InternalError(ToAbsl(text));
  WriteLog(Severity::kError, 0, file, line, &error, "BUG");
  ++bug_count;
  if (bugs_are_fatal) CheckFailed(file, line, text);
}

void SetBugsAreFatal(bool fatal) { bugs_are_fatal = fatal; }

int BugCount() { return bug_count; }

}  // namespace cubelet
