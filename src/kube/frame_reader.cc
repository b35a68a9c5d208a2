#include "kube/frame_reader.h"

#include <algorithm>
#include <cstdint>

#include "base/strings.h"

namespace cubelet::kube {
namespace {

constexpr size_t kLengthBytes = 4;

size_t ReadLength(std::string_view bytes) {
  uint32_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

absl::Status TooLarge(size_t bytes) {
  return absl::ResourceExhaustedError(
      StrCat("watch: an event of ", bytes, " bytes is larger than ", FrameReader::kMaxFrameBytes));
}

}  // namespace

// The next `size` bytes, with `separator` bytes after them that are dropped.
std::optional<std::string> FrameReader::Take(size_t size, size_t separator) {
  std::string frame = buffer_.substr(position_, size);
  position_ += size + separator;
  if (position_ == buffer_.size()) {
    // A silent watch holds no memory.
    buffer_ = std::string();
    position_ = 0;
  }
  return frame;
}

absl::StatusOr<std::optional<std::string>> FrameReader::Next() {
  while (true) {
    const std::string_view rest = std::string_view(buffer_).substr(position_);
    size_t size = 0;
    if (length_delimited_) {
      if (rest.size() < kLengthBytes) break;
      size = ReadLength(rest);
      if (size > kMaxFrameBytes) return TooLarge(size);
      if (rest.size() < kLengthBytes + size) break;
      position_ += kLengthBytes;
      return Take(size, 0);
    }
    size = rest.find('\n');
    if (size == std::string_view::npos) {
      if (rest.size() > kMaxFrameBytes) return TooLarge(rest.size());
      break;
    }
    std::optional<std::string> line = Take(size, 1);
    if (!line->empty()) return line;
  }
  // What has been given out makes room once it is the larger part.
  if (position_ > buffer_.size() / 2) {
    buffer_.erase(0, position_);
    position_ = 0;
  }
  return std::nullopt;
}

}  // namespace cubelet::kube
