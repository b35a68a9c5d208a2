// Container logs as they are shown: the same whatever pieces the file is read in, and never more
// than was asked for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "logs/line_filter.h"

namespace {

std::string Filter(std::string_view text, size_t piece, const cubelet::logs::Selection& selection) {
  std::string out;
  cubelet::logs::LineFilter filter(selection);
  while (!text.empty() && !filter.full()) {
    filter.Feed(text.substr(0, piece), &out);
    text.remove_prefix(std::min(piece, text.size()));
  }
  filter.Finish(&out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const cubelet::logs::Selection all{.timestamps = true};
  if (Filter(text, data[0] + size_t{1}, all) != Filter(text, text.size(), all)) std::abort();
  if (Filter(text, text.size(), {.limit_bytes = data[0]}).size() > data[0]) std::abort();
  return 0;
}
