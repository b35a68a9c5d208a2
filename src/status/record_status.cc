#include "status/record_status.h"

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "status/lookup.h"
#include "status/resources.h"
#include "status/restart_all.h"
#include "status/termination_message.h"

namespace cubelet::status {
namespace {

using pleg::ContainerState;

v1::ContainerState RunningState(const pleg::ContainerRecord& record) {
  v1::ContainerState state;
  *state.mutable_running()->mutable_startedat() = ToApiTime(record.started_at);
  return state;
}

v1::ContainerState TerminatedState(const StatusInput& input, const pleg::ContainerRecord& record,
                                   const std::string& container_id) {
  v1::ContainerState state;
  v1::ContainerStateTerminated* terminated = state.mutable_terminated();
  terminated->set_exitcode(record.exit_code);
  if (!record.reason.empty()) terminated->set_reason(record.reason);
  const auto last_words = input.termination_messages.find(record.id);
  std::string message = JoinMessages(
      record.message,
      last_words == input.termination_messages.end() ? std::string_view() : last_words->second,
      TerminationMessageLimit(*input.pod));
  if (!message.empty()) terminated->set_message(std::move(message));
  *terminated->mutable_startedat() = ToApiTime(record.started_at);
  *terminated->mutable_finishedat() = ToApiTime(record.finished_at);
  terminated->set_containerid(container_id);
  return state;
}

void SetUser(const pleg::ContainerRecord& record, v1::ContainerStatus& status) {
  if (!record.user.has_value()) return;
  v1::LinuxContainerUser* user = status.mutable_user()->mutable_linux();
  user->set_uid(record.user->uid);
  user->set_gid(record.user->gid);
  for (int64_t group : record.user->supplemental_groups) user->add_supplementalgroups(group);
}

// Restart counts never go down, and an end that was reported stays visible as the last state.
void CarryOver(const v1::ContainerStatus& old, v1::ContainerStatus& status) {
  *status.mutable_volumemounts() = old.volumemounts();
  status.set_restartcount(std::max(status.restartcount(), old.restartcount()));
  if (old.state().has_terminated() && old.containerid() != status.containerid()) {
    *status.mutable_laststate() = old.state();
  } else {
    *status.mutable_laststate() = old.laststate();
  }
}

void SetState(const StatusInput& input, const pleg::ContainerRecord& record,
              const v1::ContainerStatus* old, bool restarting_all, v1::ContainerStatus& status) {
  switch (record.state) {
    case ContainerState::kRunning:
      *status.mutable_state() = RunningState(record);
      // An end that only we inferred was not counted by the one who started this instance.
      if (old != nullptr && old->state().has_terminated() &&
          old->containerid() != status.containerid() && old->restartcount() >= record.restart_count)
        status.set_restartcount(old->restartcount() + 1);
      return;
    case ContainerState::kExited:
      *status.mutable_state() = TerminatedState(input, record, status.containerid());
      return;
    case ContainerState::kUnknown:
      if (old != nullptr && old->state().has_running()) {
        *status.mutable_state() =
            LostState(restarting_all ? kRestartingAllReason : kStatusUnknown, kLostMessage);
        status.set_restartcount(old->restartcount() + 1);
        return;
      }
      break;
    case ContainerState::kCreated:
      break;
  }
  *status.mutable_state() = WaitingState("");
}

}  // namespace

v1::ContainerStatus MakeRecordStatus(const StatusInput& input, const pleg::ContainerRecord& record,
                                     const v1::Container* container, const v1::ContainerStatus* old,
                                     bool restarting_all) {
  v1::ContainerStatus status;
  status.set_name(record.name);
  status.set_restartcount(record.restart_count);
  status.set_image(record.image);
  status.set_imageid(record.image_ref);
  status.set_containerid(StrCat(input.runtime_name, "://", record.id));
  status.mutable_laststate();
  if (old != nullptr) CarryOver(*old, status);
  SetState(input, record, old, restarting_all, status);
  if (container != nullptr) SetContainerResources(*container, record, old, status);
  SetUser(record, status);
  return status;
}

}  // namespace cubelet::status
