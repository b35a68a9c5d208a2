// From the bytes of a log file to the bytes that are shown. Pure: give it what was read, piece by
// piece, and send what comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace cubelet::logs {

enum class Stream { kAll, kStdout, kStderr };

struct Selection {
  absl::Time since = absl::InfinitePast();
  bool timestamps = false;  // before each line that begins
  std::optional<int64_t> limit_bytes;
  Stream stream = Stream::kAll;
};

// The longest line of a file. Runtimes cut at 16 KiB, and JSON may make six bytes of one.
inline constexpr size_t kMaxLineBytes = 1 << 20;

class LineFilter {
 public:
  explicit LineFilter(Selection selection) : selection_(selection), left_(selection.limit_bytes) {}

  // Takes what follows in the file, appends to `out` what is shown of it. Lines that are no log
  // lines, or too long, are left out.
  void Feed(std::string_view bytes, std::string* out);

  // The file ends here for good: a last line without its newline counts as well.
  void Finish(std::string* out);

  // Another file follows: what is not whole of the old one is given up.
  void Restart();

  // As many bytes as are wanted have come.
  bool full() const { return left_ && *left_ <= 0; }

 private:
  void Show(std::string_view line, std::string* out);

  const Selection selection_;
  std::optional<int64_t> left_;
  std::string pending_;       // a line that is not whole yet
  bool skipping_ = false;     // it was too long
  bool at_beginning_ = true;  // what comes next begins a line
};

}  // namespace cubelet::logs
