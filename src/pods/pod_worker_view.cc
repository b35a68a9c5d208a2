// What a worker sees, and what it makes of it: the pod's status and the input of its plan.
#include <fcntl.h>
#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "pods/pod_worker.h"
#include "status/pod_status.h"
#include "status/report.h"
#include "status/termination_message.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

constexpr char kAllContainersRestarting[] = "AllContainersRestarting";

// The last `max_bytes` of a regular file.
absl::StatusOr<std::string> ReadTail(const std::string& path, size_t max_bytes) {
  ASSIGN_OR_RETURN(const UniqueFd file, os::Open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return ErrnoError(StrCat("stat ", path));
  if (!S_ISREG(info.st_mode))
    return absl::FailedPreconditionError(StrCat("read ", path, ": is not a regular file"));
  const off_t limit = static_cast<off_t>(max_bytes);
  if (info.st_size > limit && ::lseek(file.get(), info.st_size - limit, SEEK_SET) < 0)
    return ErrnoError(StrCat("seek ", path));
  std::string tail(max_bytes, 0);
  const ssize_t got = ::read(file.get(), tail.data(), tail.size());
  if (got < 0) return ErrnoError(StrCat("read ", path));
  tail.resize(static_cast<size_t>(got));
  return tail;
}

// The last words of an ended container. Blocking.
std::string ReadTerminationMessage(const ContainerRecord& record) {
  std::string message;
  if (!record.termination_log_host_path.empty()) {
    auto content = ReadTail(record.termination_log_host_path, status::kMaxTerminationFileBytes);
    if (content.ok()) {
      message = status::FileTail(*content);
    } else if (!absl::IsNotFound(content.status())) {
      message = status::FileReadFailure(record.termination_log_host_path, content.status());
    }
  }
  if (!status::FallsBackToLog(record, message)) return message;
  auto log = ReadTail(record.log_path, status::kTerminationLogReadBytes);
  return log.ok() ? status::LogTail(*log) : status::LogReadFailure(log.status());
}

bool IsTerminalPhase(const v1::PodStatus& status) {
  return status.phase() == "Succeeded" || status.phase() == "Failed";
}

}  // namespace

Task<void> PodWorker::ReadTerminationMessages() {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  std::map<std::string, std::string> messages;
  if (runtime) {
    for (const ContainerRecord& record : runtime->containers) {
      if (record.state != ContainerState::kExited) continue;
      const auto known = termination_messages_.find(record.id);
      if (known != termination_messages_.end()) {
        messages[record.id] = known->second;
      } else {
        messages[record.id] =
            co_await s_.loop.Blocking([record] { return ReadTerminationMessage(record); });
        CountEnded(record);
      }
    }
  }
  termination_messages_ = std::move(messages);
}

void PodWorker::CountEnded(const ContainerRecord& record) {
  const char* type = "container";
  for (const v1::Container& container : pod_->spec().initcontainers()) {
    if (container.name() == record.name) type = "init_container";
  }
  for (const v1::EphemeralContainer& container : pod_->spec().ephemeralcontainers()) {
    if (container.ephemeralcontainercommon().name() == record.name) type = "ephemeral_container";
  }
  s_.metrics.Count("kubelet_terminated_containers_total",
                   {type, std::to_string(record.exit_code), record.reason});
}

void PodWorker::Observe() {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  probes::PodView view;
  if (runtime && !runtime->sandboxes.empty() && runtime->sandboxes.front().ready &&
      !runtime->sandboxes.front().ips.empty())
    view.pod_ip = runtime->sandboxes.front().ips.front();
  if (pod_->spec().hostnetwork() && !s_.node.host_ips.empty())
    view.pod_ip = s_.node.host_ips.front();
  view.terminal = status_ && IsTerminalPhase(*status_);
  api::ForEachContainer(*pod_, [&](const v1::Container& container, api::ContainerType type) {
    if (type == api::ContainerType::kInit && !api::IsSidecar(container)) return;
    probes::ContainerView seen;
    seen.name = container.name();
    if (const ContainerRecord* record = runtime ? runtime->FindByName(container.name()) : nullptr) {
      seen.id = record->id;
      seen.running = record->state == ContainerState::kRunning;
      seen.started_at = record->started_at;
      seen.ended_for_good = record->state == ContainerState::kExited &&
                            !api::IsSidecar(container) && !ShouldStart(*pod_, container, record);
    }
    view.containers.push_back(std::move(seen));
  });
  s_.probes.Observe(uid_, std::move(view));
  WatchLogs();
}

void PodWorker::WatchLogs() {
  const std::shared_ptr<const pleg::RuntimePod> runtime = s_.cache.Get(uid_);
  if (!runtime) return;
  for (const ContainerRecord& record : runtime->containers) {
    if (record.state == ContainerState::kRunning) {
      s_.logs.Watch(record.id, record.log_path);
    } else {
      s_.logs.Forget(record.id);
    }
  }
}

Plan PodWorker::MakePlan() const {
  PlanInput input;
  input.pod = pod_;
  input.runtime = s_.cache.Get(uid_);
  input.restarting_all = RestartingAll();
  if (input.runtime) {
    for (const ContainerRecord& record : input.runtime->containers) {
      if (record.state != ContainerState::kRunning) continue;
      input.verdicts[record.id] = {s_.probes.Result(record.id, probes::Kind::kLiveness),
                                   s_.probes.Result(record.id, probes::Kind::kStartup)};
    }
  }
  return PlanPod(input);
}

bool PodWorker::RestartingAll() const {
  if (!status_) return false;
  return std::any_of(status_->conditions().begin(), status_->conditions().end(),
                     [](const v1::PodCondition& condition) {
                       return condition.type() == kAllContainersRestarting &&
                              condition.status() == "True";
                     });
}

void PodWorker::UpdateStatus(bool terminal) {
  status::StatusInput input;
  input.pod = pod_;
  input.runtime = s_.cache.Get(uid_);
  input.old = status_;
  input.runtime_name = s_.settings.runtime_name;
  const auto handler = s_.node.handlers.find("");
  input.recursive_read_only_mounts =
      handler != s_.node.handlers.end() && handler->second.recursive_read_only_mounts;
  input.start_failures = start_failures_;
  input.termination_messages = termination_messages_;
  input.image_volumes = image_volumes_;
  input.host_ips = s_.node.host_ips;
  input.primary_ipv6 = s_.settings.primary_ipv6;
  input.now = s_.loop.Now();
  input.terminal = terminal;
  input.override_status = termination_.status;
  FillHealth(input);
  StoreStatus(status::MakePodStatus(input));
}

// What was told last: before this agent has told anything, what the server's copy says.
const v1::PodStatus& PodWorker::LastStatus() const { return status_ ? *status_ : pod_->status(); }

void PodWorker::FillHealth(status::StatusInput& input) {
  if (!input.runtime) return;
  std::optional<bool> was_ready;
  for (const v1::PodCondition& condition : LastStatus().conditions()) {
    if (condition.type() == "Ready") was_ready = condition.status() == "True";
  }
  api::ForEachContainer(*pod_, [&](const v1::Container& container, api::ContainerType) {
    const ContainerRecord* record = input.runtime->FindByName(container.name());
    if (record == nullptr || record->state != ContainerState::kRunning) return;
    const probes::ContainerView view{record->id.empty() ? "" : container.name(), record->id, true,
                                     record->started_at, false};
    const probes::Manager::Health health =
        s_.probes.HealthOf(*pod_, container, view, PreviouslyStarted(container.name()), was_ready);
    input.health[container.name()] = {health.started, health.ready};
  });
}

std::optional<bool> PodWorker::PreviouslyStarted(const std::string& container) const {
  const v1::PodStatus& last = LastStatus();
  for (const auto* list : {&last.containerstatuses(), &last.initcontainerstatuses()}) {
    for (const v1::ContainerStatus& status : *list) {
      if (status.name() == container && status.has_started()) return status.started();
    }
  }
  return std::nullopt;
}

void PodWorker::StoreStatus(v1::PodStatus status) {
  if (status.reason() == status::kDeadlineReason && !std::exchange(deadline_told_, true))
    s_.events.Record(api::ReferenceTo(*pod_), api::EventType::kNormal, status::kDeadlineReason,
                     status::kDeadlineMessage);
  if (status_ && google::protobuf::util::MessageDifferencer::Equals(*status_, status)) return;
  if (absl::Status legal = status::CheckTransition(*pod_, LastStatus(), status); !legal.ok()) {
    LOG_ERROR(legal, "Status is not taken", {{"pod", api::PodKey(*pod_)}, {"podUID", uid_}});
    // What the server shows stands in where nothing was told yet.
    if (!status_) status_ = std::make_shared<const v1::PodStatus>(pod_->status());
    return;
  }
  // What ran before this agent began is no start of ours.
  if (status.phase() == "Running" && status_ && status_->phase() == "Pending")
    s_.metrics.Observe("kubelet_pod_start_duration_seconds", {},
                       absl::ToDoubleSeconds(s_.loop.Monotonic() - made_));
  status_ = std::make_shared<const v1::PodStatus>(std::move(status));
  if (on_status_) on_status_();
}

}  // namespace cubelet::pods
