#include "pods/plan_init.h"

#include <algorithm>

#include "api/pod.h"
#include "api/restart.h"
#include "base/strings.h"
#include "containers/container_hash.h"

namespace cubelet::pods {
namespace {

using pleg::ContainerRecord;
using pleg::ContainerState;

bool AnyRegularUp(const PlanInput& input) {
  return std::any_of(input.pod->spec().containers().begin(), input.pod->spec().containers().end(),
                     [&](const v1::Container& container) {
                       const ContainerRecord* record =
                           input.runtime ? input.runtime->FindByName(container.name()) : nullptr;
                       return record != nullptr && (record->state == ContainerState::kCreated ||
                                                    record->state == ContainerState::kRunning);
                     });
}

// Walks the init containers from the last to the first: the last one that has a record tells how
// far the pod has come.
class InitPlanner {
 public:
  explicit InitPlanner(const PlanInput& input) : input_(input) {}

  InitPlan Run() {
    const int count = input_.pod->spec().initcontainers_size();
    plan_.initialized = count == 0 || AnyRegularUp(input_);
    seen_ = plan_.initialized;
    if (count == 0) return plan_;
    bool any_record = false;
    for (int i = count - 1; i >= 0 && !plan_.kill_pod; --i) {
      const v1::Container& container = input_.pod->spec().initcontainers(i);
      const ContainerRecord* record =
          input_.runtime ? input_.runtime->FindByName(container.name()) : nullptr;
      if (record == nullptr) {
        if (seen_ && api::IsSidecar(container)) Start(i);
        continue;
      }
      any_record = true;
      if (seen_ && !api::IsSidecar(container)) continue;
      Examine(i, container, *record);
      seen_ = true;
    }
    if (plan_.kill_pod) {
      plan_.start.clear();
      return plan_;
    }
    // Nothing has been tried in this pod yet (unless the regular containers are up: then what is
    // missing was collected).
    if (!any_record && !plan_.initialized) plan_.start = {0};
    std::reverse(plan_.start.begin(), plan_.start.end());
    return plan_;
  }

 private:
  bool IsLast(int index) const { return index + 1 == input_.pod->spec().initcontainers_size(); }

  void Start(int index) {
    if (std::find(plan_.start.begin(), plan_.start.end(), index) == plan_.start.end())
      plan_.start.push_back(index);
  }

  // The one behind `index` has its turn, or the regular containers have.
  void Advance(int index) {
    if (IsLast(index)) {
      plan_.initialized = true;
    } else {
      Start(index + 1);
    }
  }

  void Kill(const ContainerRecord& record, std::string message, KillReason reason) {
    plan_.kill.push_back({record.id, record.name, std::move(message), reason});
  }

  void Examine(int index, const v1::Container& container, const ContainerRecord& record) {
    switch (record.state) {
      case ContainerState::kCreated:
        Start(index);
        return;
      case ContainerState::kRunning:
        if (api::IsSidecar(container)) ExamineRunningSidecar(index, container, record);
        return;
      case ContainerState::kExited:
        if (api::IsSidecar(container)) {
          Start(index);
        } else {
          ExamineExited(index, container, record);
        }
        return;
      case ContainerState::kUnknown:
        ExamineUnknown(index, container, record);
        return;
    }
  }

  void ExamineRunningSidecar(int index, const v1::Container& container,
                             const ContainerRecord& record) {
    const auto found = input_.verdicts.find(record.id);
    const ProbeVerdict verdict = found == input_.verdicts.end() ? ProbeVerdict{} : found->second;
    if (container.has_startupprobe() && verdict.startup != probes::Outcome::kSuccess) {
      if (verdict.startup == probes::Outcome::kFailure) {
        Kill(record, StrCat("Init container ", record.name, " failed startup probe"),
             KillReason::kStartupProbe);
        Start(index);
      }
      return;
    }
    if (!seen_ || IsLast(index)) Advance(index);
    if (record.hash != containers::ContainerHash(container)) {
      Kill(record, StrCat("Init container ", record.name, " definition changed"),
           KillReason::kUnknown);
      Start(index);
    } else if (verdict.liveness == probes::Outcome::kFailure) {
      Kill(record, StrCat("Init container ", record.name, " failed liveness probe"),
           KillReason::kLivenessProbe);
      Start(index);
    }
  }

  void ExamineExited(int index, const v1::Container& container, const ContainerRecord& record) {
    const bool failed = record.reason == "OOMKilled" || record.exit_code != 0;
    if (!failed) {
      Advance(index);
    } else if (ShouldStart(*input_.pod, container, &record)) {
      Start(index);
    } else {
      plan_.kill_pod = true;
    }
  }

  void ExamineUnknown(int index, const v1::Container& container, const ContainerRecord& record) {
    if (!api::IsSidecar(container) &&
        api::EffectiveRestartPolicy(*input_.pod, container) == "Never") {
      plan_.kill_pod = true;
      return;
    }
    Kill(record, "Init container is in \"unknown\" state, try killing it before restart",
         KillReason::kUnknown);
    Start(index);
  }

  const PlanInput& input_;
  InitPlan plan_;
  bool seen_ = false;
};

}  // namespace

InitPlan PlanInit(const PlanInput& input) { return InitPlanner(input).Run(); }

}  // namespace cubelet::pods
