#include "logs/line_filter.h"

#include <algorithm>

#include "logs/log_line.h"

namespace cubelet::logs {

void LineFilter::Feed(std::string_view bytes, std::string* out) {
  while (!bytes.empty() && !full()) {
    const size_t newline = bytes.find('\n');
    const bool whole = newline != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, newline);
    bytes.remove_prefix(whole ? newline + 1 : bytes.size());
    if (pending_.size() + piece.size() > kMaxLineBytes) skipping_ = true;
    if (skipping_) {
      pending_ = std::string();
    } else if (whole && pending_.empty()) {
      Show(piece, out);
    } else {
      pending_ += piece;
      if (whole) Show(pending_, out);
    }
    if (!whole) continue;
    pending_.clear();
    skipping_ = false;
  }
}

void LineFilter::Finish(std::string* out) {
  if (!pending_.empty() && !full()) Show(pending_, out);
  Restart();
}

void LineFilter::Restart() {
  pending_ = std::string();
  skipping_ = false;
}

void LineFilter::Show(std::string_view line, std::string* out) {
  const std::optional<LogLine> parsed = ParseLogLine(line);
  if (!parsed || parsed->when < selection_.since) return;
  if (selection_.stream != Stream::kAll &&
      parsed->is_stderr != (selection_.stream == Stream::kStderr))
    return;
  std::string shown;
  if (selection_.timestamps && at_beginning_) shown = parsed->time + " ";
  shown += parsed->content;
  at_beginning_ = !parsed->partial;
  if (left_) {
    shown.resize(std::min(shown.size(), static_cast<size_t>(*left_)));
    *left_ -= static_cast<int64_t>(shown.size());
  }
  *out += shown;
}

}  // namespace cubelet::logs
