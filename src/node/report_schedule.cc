#include "node/report_schedule.h"

#include "node/node_conditions.h"
#include "node/node_object.h"

namespace cubelet::node {

bool HasChanged(const v1::Node& reported, const v1::Node& now) {
  v1::Node calm = now;
  for (v1::NodeCondition& condition : *calm.mutable_status()->mutable_conditions()) {
    const v1::NodeCondition* before = FindNodeCondition(reported.status(), condition.type());
    if (before != nullptr) *condition.mutable_lastheartbeattime() = before->lastheartbeattime();
  }
  const auto patch = NodePatch(reported, calm);
  return !patch.ok() || !patch->empty();
}

void ReportSchedule::Reported(absl::Duration now, bool changed, double random) {
  last_ = now;
  delay_ = changed ? frequency_ * (random - 0.5) : absl::ZeroDuration();
}

absl::Duration Jittered(absl::Duration period, double factor, double random) {
  return period * (1 + factor * random);
}

}  // namespace cubelet::node
