#include "api/events.h"

#include <utility>

namespace cubelet::api {

ObjectReference ReferenceTo(const v1::Pod& pod, std::string field_path) {
  return {.kind = "Pod",
          .name_space = pod.metadata().namespace_(),
          .name = pod.metadata().name(),
          .uid = pod.metadata().uid(),
          .field_path = std::move(field_path)};
}

}  // namespace cubelet::api
