// What an API server answers, decoded: objects in both forms, watches cut into events, compressed
// bodies, refusals. The first byte says which.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/types.h"
#include "kube/errors.h"
#include "kube/frame_reader.h"
#include "kube/gzip.h"
#include "kube/object_codec.h"

namespace cubelet::kube {
namespace {

constexpr size_t kMaxInflated = 1 << 20;

void ReadWatch(std::string_view bytes, const char* content_type) {
  FrameReader reader(IsProtobuf(content_type));
  reader.Append(bytes);
  while (true) {
    const auto frame = reader.Next();
    if (!frame.ok() || !*frame) return;
    const auto event = DecodeWatchEvent({content_type, **frame});
    if (!event.ok()) continue;
    v1::Pod pod;
    (void)DecodeObject(event->object, pod, "v1", "Pod");
  }
}

void ReadAnswer(std::string_view bytes, const char* content_type) {
  const Encoded encoded{content_type, std::string(bytes)};
  v1::Pod pod;
  (void)DecodeObject(encoded, pod, "v1", "Pod");
  const absl::Status refusal =
      StatusOf({.code = 409, .content_type = content_type, .body = std::string(bytes)});
  (void)RetryAfter(refusal);
  (void)IsNamespaceTerminating(refusal);
}

}  // namespace
}  // namespace cubelet::kube

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace kube = cubelet::kube;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const char* type = data[0] % 2 == 0 ? kube::kProtobufType : kube::kJsonType;
  switch (data[0] / 2 % 3) {
    case 0:
      kube::ReadAnswer(bytes, type);
      break;
    case 1:
      kube::ReadWatch(bytes, type);
      break;
    default:
      (void)kube::Gunzip(bytes, kube::kMaxInflated);
  }
  return 0;
}
