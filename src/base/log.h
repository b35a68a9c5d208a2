// Structured logs in klog's two formats: text (`I1123 23:01:12.303268   19669 sync.cc:64] "Message"
// key="value"`) and JSON (--logging-format=json). Written to stderr by a spdlog logger; set up once
// by InitLog, usable before that.
//
//   LOG_INFO("SyncLoop ADD", {{"source", source}, {"pods", names}});
//   LOG_ERROR(status, "Failed to create sandbox", {{"pod", key}});
//   VLOG(4, "Event from the runtime", {{"containerID", id}});
//
// Messages start with a capital letter and have no final period; keys are camelCase, as Kubernetes'
// structured logging has them. Never pass a secret.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cubelet {

// One value of a log line: strings are quoted, numbers and booleans are not, durations are Go's
// ("1m30s").
class LogValue {
 public:
  LogValue(std::string_view text) : value_(std::string(text)) {}  // NOLINT: implicit by design
  LogValue(const char* text) : value_(std::string(text)) {}       // NOLINT
  LogValue(const std::string& text) : value_(text) {}             // NOLINT
  LogValue(bool value) : value_(value) {}                         // NOLINT
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogValue(T value) : value_(static_cast<long long>(value)) {}  // NOLINT
  LogValue(double value) : value_(value) {}                     // NOLINT
  LogValue(absl::Duration value);                               // NOLINT

  const std::variant<std::string, bool, long long, double>& value() const { return value_; }

 private:
  std::variant<std::string, bool, long long, double> value_;
};

struct LogField {
  std::string_view key;
  LogValue value;
};

enum class LogFormat { kText, kJson };
enum class Severity { kInfo, kWarning, kError };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  int verbosity = 0;
  std::string vmodule;  // "pattern=N,...": verbosity by file name without its ending
};

// Sets the format and verbosities. Error: names the part of `vmodule` that is not pattern=N.
absl::Status InitLog(const LogOptions& options);

// Changes the verbosity at run time (PUT /debug/flags/v).
void SetVerbosity(int verbosity);

// Whether a V(level) line of `file` is written.
bool VlogEnabled(int level, const char* file);

void FlushLog();

// Time stamps come from `clock` instead of the system's (a simulation's lines carry virtual time);
// null restores it.
class Clock;
void SetLogClock(const Clock* clock);

// Takes every finished line instead of stderr, for tests; null restores stderr.
using LogSink = void (*)(Severity severity, std::string_view line);
void SetLogSinkForTest(LogSink sink);

void WriteLog(Severity severity, int verbosity, const char* file, int line,
              const absl::Status* error, std::string_view message,
              std::initializer_list<LogField> fields = {});

}  // namespace cubelet

#define LOG_INFO(...) \
  ::cubelet::WriteLog(::cubelet::Severity::kInfo, 0, __FILE__, __LINE__, nullptr, __VA_ARGS__)
#define LOG_WARNING(...) \
  ::cubelet::WriteLog(::cubelet::Severity::kWarning, 0, __FILE__, __LINE__, nullptr, __VA_ARGS__)
#define LOG_ERROR(status, ...)                                                            \
  do {                                                                                    \
    const ::absl::Status log_status_ = (status);                                          \
    ::cubelet::WriteLog(::cubelet::Severity::kError, 0, __FILE__, __LINE__, &log_status_, \
                        __VA_ARGS__);                                                     \
  } while (false)
#define VLOG(level, ...)                                                                  \
  do {                                                                                    \
    if (::cubelet::VlogEnabled(level, __FILE__))                                          \
      ::cubelet::WriteLog(::cubelet::Severity::kInfo, level, __FILE__, __LINE__, nullptr, \
                          __VA_ARGS__);                                                   \
  } while (false)
