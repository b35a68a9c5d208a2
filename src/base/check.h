// Broken invariants end the process; surprises that can be survived are logged, counted, and fatal
// in tests.
#pragma once

#include <string_view>

namespace cubelet {

// Writes "<file>:<line>: check failed: <text>" and what the process was working on to the log, then
// aborts.
[[noreturn]] void CheckFailed(const char* file, int line, std::string_view text);

// Logs an error "BUG: <text>" once per place and counts it; aborts when SetBugsAreFatal(true) was
// called (tests do).
void ReportBug(const char* file, int line, std::string_view text);
void SetBugsAreFatal(bool fatal);
int BugCount();

}  // namespace cubelet

// Use for what only our own code can break, never for what a pod, the API server, the runtime or a
// disk can cause.
#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) ::cubelet::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

#define BUG(text) ::cubelet::ReportBug(__FILE__, __LINE__, (text))
