#include "containers/env_file.h"

#include "base/strings.h"

namespace cubelet::containers {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// Walks a text once, counting lines.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  int line() const { return line_; }
  char Peek() const { return rest_.empty() ? '\n' : rest_.front(); }

  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
  }

  // What stands before the next `stop`, which is passed over; npos of it takes all.
  std::string_view TakeUntil(size_t stop) {
    const std::string_view taken = rest_.substr(0, stop);
    rest_.remove_prefix(stop == std::string_view::npos ? rest_.size() : stop + 1);
    return taken;
  }

  void SkipLine() {
    TakeUntil(rest_.find('\n'));
    ++line_;
  }

  size_t Find(std::string_view any_of) const { return rest_.find_first_of(any_of); }
  char At(size_t position) const { return rest_[position]; }
  void CountLines(std::string_view taken) {
    for (const char c : taken) line_ += c == '\n' ? 1 : 0;
  }

 private:
  std::string_view rest_;
  int line_ = 1;
};

absl::Status BadLine(int line, std::string_view what) {
  return absl::InvalidArgumentError(
      StrCat("invalid environment variable format at line ", line, ": ", what));
}

}  // namespace

absl::StatusOr<std::string> FindInEnvFile(std::string_view text, std::string_view key) {
  if (text.size() > kMaxEnvFileBytes)
    return absl::InvalidArgumentError(
        StrCat("environment file is larger than ", kMaxEnvFileBytes, " bytes"));
  Reader reader(text);
  while (!reader.AtEnd()) {
    reader.SkipBlanks();
    if (reader.Peek() == '\n' || reader.Peek() == '#') {
      reader.SkipLine();
      continue;
    }
    const size_t equals = reader.Find("=\n");
    if (equals == std::string_view::npos || reader.At(equals) == '\n')
      return BadLine(reader.line(), "no equals sign");
    const std::string_view name = reader.TakeUntil(equals);
    if (name.empty()) return BadLine(reader.line(), "no name");
    if (IsBlank(name.back())) return BadLine(reader.line(), "blank before the equals sign");
    if (IsBlank(reader.Peek()) || reader.Peek() == '\n') {
      reader.SkipLine();
      continue;
    }
    if (reader.Peek() != '\'') return BadLine(reader.line(), "value must start with a quote");
    reader.TakeUntil(0);
    const size_t quote = reader.Find("'");
    if (quote == std::string_view::npos) return BadLine(reader.line(), "quote without an end");
    const std::string_view value = reader.TakeUntil(quote);
    reader.CountLines(value);
    reader.SkipBlanks();
    if (reader.Peek() != '\n' && reader.Peek() != '#')
      return BadLine(reader.line(), "text after the closing quote");
    if (name == key) return std::string(value);
    reader.SkipLine();
  }
  return std::string();
}

}  // namespace cubelet::containers
