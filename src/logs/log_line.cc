#include "logs/log_line.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/strings.h"

namespace cubelet::logs {
namespace {

constexpr size_t kFractionDigits = 9;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Sets `time` and `when`; false when the text is no time.
bool ReadTime(std::string_view text, LogLine& line) {
  constexpr size_t kSeconds = 19;  // "2026-11-24T10:00:00"
  if (text.size() <= kSeconds || !IsDigit(text[0]) || text[10] != 'T') return false;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &line.when, &error)) return false;
  size_t end = kSeconds;
  std::string fraction;
  if (text[end] == '.') {
    while (++end < text.size() && IsDigit(text[end])) fraction += text[end];
  }
  fraction.resize(kFractionDigits, '0');
  line.time = StrCat(text.substr(0, kSeconds), ".", fraction, text.substr(end));
  return true;
}

// Takes `text` up to the next space, and the space, off its front.
std::string_view TakeWord(std::string_view& text) {
  const size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return word;
}

std::optional<LogLine> ParseCri(std::string_view text) {
  LogLine line;
  if (!ReadTime(TakeWord(text), line)) return std::nullopt;
  const std::string_view stream = TakeWord(text);
  if (stream != "stdout" && stream != "stderr") return std::nullopt;
  line.is_stderr = stream == "stderr";
  // Further tags may follow the first, after colons.
  const std::string_view tags = TakeWord(text);
  const std::string_view first = tags.substr(0, tags.find(':'));
  if (first != "F" && first != "P") return std::nullopt;
  line.partial = first == "P";
  line.content = text;
  if (!line.partial) line.content += '\n';
  return line;
}

std::optional<LogLine> ParseDocker(std::string_view text) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = 4;
  const boost::json::value value = boost::json::parse(text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  const auto field = [&](std::string_view name) -> std::string_view {
    const boost::json::value* found = value.get_object().if_contains(name);
    if (found == nullptr || !found->is_string()) return {};
    return {found->get_string().data(), found->get_string().size()};
  };
  LogLine line;
  if (!ReadTime(field("time"), line)) return std::nullopt;
  line.is_stderr = field("stream") == "stderr";
  if (!line.is_stderr && field("stream") != "stdout") return std::nullopt;
  line.content = field("log");
  line.partial = !line.content.ends_with('\n');
  return line;
}

}  // namespace

std::optional<LogLine> ParseLogLine(std::string_view text) {
  return text.starts_with('{') ? ParseDocker(text) : ParseCri(text);
}

}  // namespace cubelet::logs
