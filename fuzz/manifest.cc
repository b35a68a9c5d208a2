// Static pod manifests: files and answers of URLs.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sources/static_pod.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const cubelet::sources::Origin origin{"file", "/etc/kubernetes/manifests/x.yaml", "node"};
  (void)cubelet::sources::ParseStaticPods(text, origin);
  return 0;
}
