// Cuts the body of a watch into its events. Pure.
//
// Protobuf watches put four bytes of length (big-endian) before each event; JSON watches end each
// with a line break.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cubelet::kube {

class FrameReader {
 public:
  // An object is at most 3 MiB on its way to the server, which adds little to it.
  static constexpr size_t kMaxFrameBytes = 16 << 20;

  explicit FrameReader(bool length_delimited) : length_delimited_(length_delimited) {}

  void Append(std::string_view bytes) { buffer_ += bytes; }

  // The next whole event; nullopt when more bytes are needed. Error: it is larger than
  // kMaxFrameBytes.
  absl::StatusOr<std::optional<std::string>> Next();

  // Whether something of an event is there that is not whole.
  bool partial() const { return position_ < buffer_.size(); }

 private:
  std::optional<std::string> Take(size_t size, size_t separator);

  const bool length_delimited_;
  std::string buffer_;
  size_t position_ = 0;  // what is before has been given out
};

}  // namespace cubelet::kube
