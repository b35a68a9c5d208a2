#include "fakes/process.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "base/clock.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

using Words = std::vector<std::string>;

// A script as statements of words: statements end with ';', '&', '|' or a line's end; quotes keep
// words together.
std::vector<Words> SplitScript(std::string_view script) {
  std::vector<Words> statements(1);
  std::optional<std::string> word;
  char quote = 0;
  const auto end_word = [&] {
    if (word) statements.back().push_back(*std::move(word));
    word.reset();
  };
  for (const char c : script) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word->push_back(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      if (!word) word.emplace();
    } else if (c == ';' || c == '\n' || c == '&' || c == '|') {
      end_word();
      if (!statements.back().empty()) statements.emplace_back();
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      end_word();
    } else {
      if (!word) word.emplace();
      word->push_back(c);
    }
  }
  end_word();
  if (statements.back().empty()) statements.pop_back();
  return statements;
}

absl::Duration SleepTime(const std::string& text) {
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds) && seconds >= 0) return absl::Seconds(seconds);
  absl::Duration duration;
  return ParseGoDuration(text, duration).ok() ? duration : absl::InfiniteDuration();
}

int Number(const std::string& text, int otherwise) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) ? number : otherwise;
}

// The exit code of a trap's action: "exit 3" is 3.
void SetTrap(const Words& words, Process& process) {
  const auto is_stop = [](const std::string& signal) {
    return signal == "TERM" || signal == "SIGTERM" || signal == "15";
  };
  if (words.size() < 3 || !std::any_of(words.begin() + 2, words.end(), is_stop)) return;
  const std::vector<Words> action = SplitScript(words[1]);
  if (action.empty()) return;  // trap '' TERM ignores the signal
  process.handles_stop = true;
  process.stop_exit_code = 0;
  for (const Words& statement : action) {
    if (statement[0] == "exit" && statement.size() > 1)
      process.stop_exit_code = Number(statement[1], 0);
    if (statement[0] == "sleep" && statement.size() > 1)
      process.stop_delay += SleepTime(statement[1]);
  }
}

// echo WORDS [> file]
void Echo(const Words& words, absl::Duration at, Process& process) {
  std::string text;
  for (size_t i = 1; i < words.size(); ++i) {
    const bool redirect = words[i][0] == '>' || words[i].starts_with("1>");
    if (redirect && words[i].find('&') == std::string::npos) {
      const bool target_behind = words[i].back() == '>' && i + 1 < words.size();
      const std::string target = target_behind ? words[i + 1] : words[i];
      if (target.ends_with("/dev/termination-log")) process.termination_message = text + "\n";
      return;
    }
    if (!text.empty()) text += ' ';
    text += words[i];
  }
  process.lines.push_back({at, text});
}

Process ShellProcess(std::string_view script) {
  Process process;
  process.runs_for = absl::ZeroDuration();
  for (Words words : SplitScript(script)) {
    if (words[0] == "exec" && words.size() > 1) words.erase(words.begin());
    const std::string& command = words[0];
    if (command == "sleep" && words.size() > 1) {
      process.runs_for += SleepTime(words[1]);
    } else if (command == "while" || command == "until" || command == "wait") {
      process.runs_for = absl::InfiniteDuration();
    } else if (command == "trap") {
      SetTrap(words, process);
    } else if (command == "echo") {
      Echo(words, process.runs_for, process);
    } else if (command == "false") {
      process.exit_code = 1;
      continue;
    } else if (command == "exit") {
      if (words.size() > 1) process.exit_code = Number(words[1], 2);
      return process;
    }
    process.exit_code = 0;
    if (process.runs_for == absl::InfiniteDuration()) return process;
  }
  return process;
}

Process SimProcess(const Words& words) {
  Process process;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const std::string key = words[i].substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
    if (key == "after") process.runs_for = SleepTime(value);
    if (key == "exit") process.exit_code = Number(value, 1);
    if (key == "stop") {
      process.handles_stop = true;
      process.stop_exit_code = Number(value, 143);
    }
    if (key == "stop-delay") process.stop_delay = SleepTime(value);
    if (key == "say") process.lines.push_back({absl::ZeroDuration(), value});
    if (key == "message") process.termination_message = value;
    if (key == "unkillable") process.unkillable = true;
    if (key == "start-error") process.start_error = absl::UnknownError(value);
  }
  return process;
}

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

Process ProcessOf(const criv1::ContainerConfig& config) {
  Words words(config.command().begin(), config.command().end());
  words.insert(words.end(), config.args().begin(), config.args().end());
  if (words.empty()) return {};
  const std::string program = BaseName(words[0]);
  Process process;
  if (program == "sim") return SimProcess(words);
  if (program == "sleep" && words.size() > 1) process.runs_for = SleepTime(words[1]);
  if (program == "true" || program == "false") {
    process.runs_for = absl::ZeroDuration();
    process.exit_code = program == "true" ? 0 : 1;
  }
  const bool shell = program == "sh" || program == "bash" || program == "ash";
  if (shell && words.size() > 2 && words[1] == "-c") return ShellProcess(words[2]);
  return process;
}

}  // namespace cubelet::fakes
