// Events as objects of the API (core/v1), and the patch that counts one more of the same. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/events.h"
#include "api/types.h"

namespace cubelet::kube {

// Messages are cut to this many bytes: what a probe or a runtime says can be of any length.
inline constexpr size_t kMaxEventMessageBytes = 16 << 10;

// The first of its kind, told by the kubelet of `node_name` (node.md 19.1). Its name is that of the
// object and `time`, so no two events may be made with the same time.
v1::Event MakeEvent(std::string_view node_name, const api::ObjectReference& object,
                    api::EventType type, std::string_view reason, std::string_view message,
                    absl::Time time);

// `{"count":2,"lastTimestamp":"...","message":"..."}`: a strategic merge patch that makes the event
// of this name at the server the same as `event` (node.md 19.4).
std::string EventPatch(const v1::Event& event);

}  // namespace cubelet::kube
