#include "kubelet/log_events.h"

#include "base/log.h"
#include "base/strings.h"

namespace cubelet::kubelet {

void LogEvents::Record(const api::ObjectReference& object, api::EventType type, std::string reason,
                       std::string message) {
  const std::string name =
      object.name_space.empty() ? object.name : StrCat(object.name_space, "/", object.name);
  LOG_INFO("Event occurred", {{"object", name},
                              {"fieldPath", object.field_path},
                              {"kind", object.kind},
                              {"apiVersion", "v1"},
                              {"type", type == api::EventType::kNormal ? "Normal" : "Warning"},
                              {"reason", reason},
                              {"message", message}});
}

}  // namespace cubelet::kubelet
