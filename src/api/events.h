// Kubernetes events: what the agent tells the users of a pod or of the node. Made real by log lines
// (no API server) or by the API's events.
#pragma once

#include <string>

#include "api/types.h"

namespace cubelet::api {

enum class EventType { kNormal, kWarning };

struct ObjectReference {
  std::string kind;        // "Pod", "Node"
  std::string name_space;  // "" for nodes
  std::string name;
  std::string uid;
  std::string field_path;  // "spec.containers{name}" or ""
};

ObjectReference ReferenceTo(const v1::Pod& pod, std::string field_path = "");

class EventRecorder {
 public:
  virtual ~EventRecorder() = default;

  // `reason` is a word ("FailedMount"), `message` a sentence. Never blocks, never fails.
  virtual void Record(const ObjectReference& object, EventType type, std::string reason,
                      std::string message) = 0;
};

}  // namespace cubelet::api
