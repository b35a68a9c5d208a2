#include "kube/gzip.h"

#include <zlib.h>

#include "absl/cleanup/cleanup.h"
#include "base/strings.h"

namespace cubelet::kube {

absl::StatusOr<std::string> Gunzip(std::string_view text, size_t max_bytes) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK)
    return absl::ResourceExhaustedError("gzip: out of memory");
  const absl::Cleanup end = [&] { inflateEnd(&stream); };
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  std::string content;
  char buffer[16 << 10];
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    result = inflate(&stream, Z_NO_FLUSH);
    content.append(buffer, sizeof buffer - stream.avail_out);
    if (content.size() > max_bytes)
      return absl::ResourceExhaustedError(StrCat("gzip: larger than ", max_bytes, " bytes"));
  }
  if (result != Z_STREAM_END) return absl::UnavailableError("gzip: broken or cut off");
  return content;
}

}  // namespace cubelet::kube
