// Events as log lines: what a standalone node has in place of the API's events.
#pragma once

#include "api/events.h"

namespace cubelet::kubelet {

class LogEvents final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override;
};

}  // namespace cubelet::kubelet
