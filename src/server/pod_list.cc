#include "server/pod_list.h"

#include "api/codec.h"

namespace cubelet::server {

std::string PodListJson(const std::vector<PodPtr>& pods) {
  // Pod by pod, so that no tree of all of them stands in memory.
  std::string out = R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":)";
  if (pods.empty()) return out + "null}\n";
  char before = '[';
  for (const PodPtr& pod : pods) {
    out += before;
    out += api::Serialize(api::ToJson(*pod), true);
    before = ',';
  }
  return out + "]}\n";
}

}  // namespace cubelet::server
