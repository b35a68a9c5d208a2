// Events as log lines: beside the API's events, or in place of them on a standalone node.
#pragma once

#include "api/events.h"

namespace cubelet::kubelet {

class LogEvents final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override;
};

}  // namespace cubelet::kubelet
