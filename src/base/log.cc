#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/strings.h"

namespace cubelet {
namespace {

struct ModuleVerbosity {
  std::string pattern;
  int level;
};

struct LogState {
  std::atomic<LogFormat> format{LogFormat::kText};
  std::atomic<int> verbosity{0};
  // Written once by InitLog, before any other thread exists.
  std::vector<ModuleVerbosity> modules;
  std::atomic<LogSink> test_sink{nullptr};
  std::atomic<const Clock*> clock{nullptr};
  spdlog::logger logger{"kubelet", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

  LogState() {
    logger.set_pattern("%v", spdlog::pattern_time_type::utc);
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
};

// Never destroyed: static destructors of others may still log.
LogState& State() {
  static LogState* const state = new LogState;
  return *state;
}

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool GlobMatch(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string TextValue(const LogValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value())) return GoQuote(*text);
  if (const auto* flag = std::get_if<bool>(&value.value())) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<long long>(&value.value())) return StrCat(*number);
  return StrCat(std::get<double>(value.value()));
}

std::string JsonValue(const LogValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value())) return JsonQuote(*text);
  return TextValue(value);
}

std::string TextLine(Severity severity, absl::Time now, std::string_view file, int line,
                     const absl::Status* error, std::string_view message,
                     std::initializer_list<LogField> fields) {
  static constexpr char kLetters[] = {'I', 'W', 'E'};
  std::string out = absl::StrFormat("%c%s %7d %s:%d] %s", kLetters[static_cast<int>(severity)],
                                    absl::FormatTime("%m%d %H:%M:%E6S", now, absl::LocalTimeZone()),
                                    static_cast<int>(::getpid()), file, line, GoQuote(message));
  if (error != nullptr) StrAppend(&out, " err=", GoQuote(Message(*error)));
  for (const LogField& field : fields) StrAppend(&out, " ", field.key, "=", TextValue(field.value));
  return out;
}

std::string JsonLine(Severity severity, int verbosity, absl::Time now, std::string_view file,
                     int line, const absl::Status* error, std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string out = absl::StrFormat("{\"ts\":%.3f,\"caller\":\"%s:%d\",\"msg\":%s",
                                    absl::ToDoubleSeconds(now - absl::UnixEpoch()) * 1000, file,
                                    line, JsonQuote(message));
  if (severity != Severity::kError) StrAppend(&out, ",\"v\":", verbosity);
  for (const LogField& field : fields)
    StrAppend(&out, ",", JsonQuote(field.key), ":", JsonValue(field.value));
  if (error != nullptr) StrAppend(&out, ",\"err\":", JsonQuote(Message(*error)));
  return out + "}";
}

}  // namespace

LogValue::LogValue(absl::Duration value) : value_(FormatGoDuration(value)) {}

absl::Status InitLog(const LogOptions& options) {
  LogState& state = State();
  state.modules.clear();
  for (absl::string_view part : absl::StrSplit(options.vmodule, ',', absl::SkipEmpty())) {
    std::vector<std::string> sides = absl::StrSplit(part, '=');
    int level = 0;
    if (sides.size() != 2 || sides[0].empty() || !absl::SimpleAtoi(sides[1], &level)) {
      return absl::InvalidArgumentError(
          StrCat("--vmodule: ", GoQuote(ToStd(part)), " is not of the form pattern=N"));
    }
    state.modules.push_back({sides[0], level});
  }
  state.format = options.format;
  state.verbosity = options.verbosity;
  return absl::OkStatus();
}

void SetVerbosity(int verbosity) { State().verbosity = verbosity; }

bool VlogEnabled(int level, const char* file) {
  LogState& state = State();
  if (level <= state.verbosity.load(std::memory_order_relaxed)) return true;
  if (state.modules.empty()) return false;
  std::string_view name = BaseName(file);
  name = name.substr(0, name.rfind('.'));
  for (const ModuleVerbosity& module : state.modules) {
    if (GlobMatch(module.pattern, name)) return level <= module.level;
  }
  return false;
}

void FlushLog() { State().logger.flush(); }

void SetLogSinkForTest(LogSink sink) { State().test_sink = sink; }

void SetLogClock(const Clock* clock) { State().clock = clock; }

void WriteLog(Severity severity, int verbosity, const char* file, int line,
              const absl::Status* error, std::string_view message,
              std::initializer_list<LogField> fields) {
  LogState& state = State();
  const Clock* clock = state.clock;
  const absl::Time now = clock != nullptr ? clock->Now() : SystemClock().Now();
  const std::string text =
      state.format == LogFormat::kText
          ? TextLine(severity, now, BaseName(file), line, error, message, fields)
          : JsonLine(severity, verbosity, now, BaseName(file), line, error, message, fields);
  if (LogSink sink = state.test_sink) {
    sink(severity, text);
  } else {
    state.logger.log(spdlog::level::info, spdlog::string_view_t(text));
  }
}

}  // namespace cubelet
