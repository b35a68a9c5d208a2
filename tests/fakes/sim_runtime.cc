#include "fakes/sim_runtime.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/strings.h"
#include "fakes/sim_serve.h"

namespace cubelet::fakes {

using async::Task;

namespace {

// How many states a stale list may reach back.
constexpr size_t kHistory = 8;

}  // namespace

SimRuntime::SimRuntime(async::Loop& loop, SimOptions options)
    : loop_(loop),
      options_(std::move(options)),
      ids_(options_.seed),
      faults_(options_.seed + 1),
      journal_(options_.journal_limit),
      events_(loop),
      exited_(loop),
      never_(loop) {
  const absl::StatusOr<PodNetwork> network = ParsePodNetwork(options_.pod_network);
  CHECK(network.ok());
  network_ = *network;
  SetImageFs("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs", 0, 0);
}

SimRuntime::~SimRuntime() {
  for (const async::Loop::TimerId id : timers_) loop_.CancelTimer(id);
}

// ---- Calls in general

SimRuntime::Call SimRuntime::MakeCall(const char* method, std::string id) const {
  Call call;
  call.method = method;
  call.id = std::move(id);
  call.deadline = options_.call_timeout;
  if (auto it = sandboxes_.find(call.id); it != sandboxes_.end())
    call.pod_uid = it->second.pod_uid();
  return call;
}

SimRuntime::Call SimRuntime::MakeContainerCall(const char* method, std::string container_id) const {
  Call call = MakeCall(method, std::move(container_id));
  if (auto it = containers_.find(call.id); it != containers_.end()) {
    call.pod_uid = it->second.pod_uid;
    call.name = it->second.name();
  }
  return call;
}

Fault SimRuntime::Arrive(const Call& call) {
  if (journal_.enabled()) {
    journal_.Add({loop_.Now(), JournalEntry::Kind::kCall, call.method, call.id, call.pod_uid,
                  call.name, "", absl::StatusCode::kOk});
  }
  if (!up_) return {};
  HappenBeside();
  return up_ ? faults_.ForCall(call.method) : Fault();
}

absl::Status SimRuntime::Answer(const Call& call, absl::Status status, std::string detail) {
  if (journal_.enabled()) {
    if (detail.empty()) detail = Message(status);
    journal_.Add({loop_.Now(), JournalEntry::Kind::kAnswer, call.method, call.id, call.pod_uid,
                  call.name, std::move(detail), status.code()});
  }
  return status;
}

// The call is the moment at which something else goes wrong.
void SimRuntime::HappenBeside() {
  const Happening happening = faults_.BesideCall();
  if (happening.kill_container) {
    std::vector<std::string> running;
    for (const auto& [id, container] : containers_) {
      if (container.running()) running.push_back(id);
    }
    if (!running.empty()) KillContainer(running[faults_.Below(running.size())]);
  }
  if (happening.kill_sandbox) {
    std::vector<std::string> ready;
    for (const auto& [id, sandbox] : sandboxes_) {
      if (sandbox.ready) ready.push_back(id);
    }
    if (!ready.empty()) KillSandbox(ready[faults_.Below(ready.size())]);
  }
  if (happening.lose_process) {
    GoDown();
    Later(happening.outage, [this] { ComeBack(); });
  }
}

absl::Status SimRuntime::Unreachable() const {
  return absl::UnavailableError("failed to connect to all addresses");
}

Task<absl::StatusOr<bool>> SimRuntime::WaitForExit(std::string container_id,
                                                   absl::Duration timeout) {
  const uint64_t life = life_;
  const absl::Duration until = loop_.Monotonic() + timeout;
  while (true) {
    if (life_ != life) co_return Unreachable();
    auto it = containers_.find(container_id);
    if (it == containers_.end() || !it->second.running()) co_return true;
    const absl::Duration left = until - loop_.Monotonic();
    if (left <= absl::ZeroDuration()) co_return false;
    co_await exited_.WaitFor(left);
  }
}

// ---- Time, ids, journal

async::Loop::TimerId SimRuntime::Later(absl::Duration delay, std::function<void()> fn) {
  auto id = std::make_shared<async::Loop::TimerId>(0);
  *id = loop_.AddTimer(delay, [this, id, fn = std::move(fn)] {
    timers_.erase(*id);
    fn();
  });
  timers_.insert(*id);
  return *id;
}

void SimRuntime::CancelTimers(SimContainer& container) {
  for (const async::Loop::TimerId id : std::exchange(container.timers, {})) {
    loop_.CancelTimer(id);
    timers_.erase(id);
  }
}

std::string SimRuntime::NewId() {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    uint64_t word = ids_();
    for (int byte = 0; byte < 8; ++byte, word >>= 8) bytes.push_back(static_cast<char>(word));
  }
  return HexEncode(bytes);
}

// Wall time that never repeats, as a real clock's nanoseconds do not.
int64_t SimRuntime::Stamp() {
  last_stamp_ = std::max(absl::ToUnixNanos(loop_.Now()), last_stamp_ + 1);
  return last_stamp_;
}

void SimRuntime::Note(const char* what, const std::string& id, const std::string& pod_uid,
                      const std::string& name, std::string detail) {
  if (!journal_.enabled()) return;
  journal_.Add({loop_.Now(), JournalEntry::Kind::kChange, what, id, pod_uid, name,
                std::move(detail), absl::StatusCode::kOk});
}

SimRuntime::Snapshot SimRuntime::CurrentSnapshot() const {
  Snapshot snapshot;
  for (const auto& [id, sandbox] : sandboxes_) snapshot.sandboxes.push_back(Listed(sandbox));
  for (const auto& [id, container] : containers_) snapshot.containers.push_back(Listed(container));
  return snapshot;
}

// To be called before each change that a list shows.
void SimRuntime::Remember() {
  if (!faults_.MayAnswerStale()) return;
  history_.push_back(CurrentSnapshot());
  if (history_.size() > kHistory) history_.pop_front();
}

const SimRuntime::Snapshot* SimRuntime::StaleSnapshot() {
  return history_.empty() ? nullptr : &history_[faults_.Below(history_.size())];
}

void SimRuntime::Emit(criv1::ContainerEventType type, const std::string& id,
                      const std::string& sandbox_id) {
  if (!up_ || !events_.has_streams()) return;
  auto sandbox = sandboxes_.find(sandbox_id);
  const EventFault fault = faults_.ForEvent();
  if (fault == EventFault::kDrop) return;
  criv1::ContainerEventResponse event;
  event.set_container_id(id);
  event.set_container_event_type(type);
  event.set_created_at(Stamp());
  // As containerd, which sends the event without the status of a sandbox that is gone.
  if (sandbox != sandboxes_.end()) *event.mutable_pod_sandbox_status() = StatusOf(sandbox->second);
  for (const auto& [container_id, container] : containers_) {
    if (container.sandbox_id == sandbox_id) *event.add_containers_statuses() = StatusOf(container);
  }
  events_.Send(event);
  if (fault == EventFault::kDuplicate) events_.Send(event);
}

// ---- What happens to it

void SimRuntime::GoDown() {
  if (!up_) return;
  up_ = false;
  ++life_;
  Note("runtime down", "", "");
  events_.EndAll(absl::UnavailableError("Socket closed"));
  exited_.Notify();
}

void SimRuntime::ComeBack() {
  if (up_) return;
  up_ = true;
  Note("runtime up", "", "");
}

void SimRuntime::CallerDies(CallsUnderWay calls) {
  caller_lives_ = false;
  calls_ = calls;
}

void SimRuntime::CallerIsBack() { caller_lives_ = true; }

SimRuntime::Survivor::~Survivor() {
  if (!effect || runtime->caller_lives_ || runtime->calls_ == CallsUnderWay::kEnd) return;
  runtime->Later(std::max(due - runtime->loop_.Monotonic(), absl::ZeroDuration()),
                 std::move(effect));
}

void SimRuntime::SetReady(bool runtime_ready, bool network_ready, std::string message) {
  runtime_ready_ = runtime_ready;
  network_ready_ = network_ready;
  not_ready_message_ = std::move(message);
}

void SimRuntime::SetImageFs(std::string mountpoint, uint64_t used_bytes, uint64_t inodes_used) {
  image_fs_.mutable_fs_id()->set_mountpoint(std::move(mountpoint));
  image_fs_.mutable_used_bytes()->set_value(used_bytes);
  image_fs_.mutable_inodes_used()->set_value(inodes_used);
}

void SimRuntime::SetImageProcess(std::string_view image, Process process) {
  image_processes_[CompleteReference(image)] = std::move(process);
}

void SimRuntime::SetExec(std::string container_name, ExecOutcome outcome) {
  execs_[std::move(container_name)] = std::move(outcome);
}

// ---- The runtime as a whole

Task<absl::StatusOr<criv1::VersionResponse>> SimRuntime::Version() {
  using Result = absl::StatusOr<criv1::VersionResponse>;
  return Serve<Result>(MakeCall("Version"), [](const Fault&) -> Result {
    criv1::VersionResponse response;
    response.set_version("0.1.0");
    response.set_runtime_name("containerd");
    response.set_runtime_version("v2.1.9");
    response.set_runtime_api_version("v1");
    return response;
  });
}

Task<absl::StatusOr<criv1::StatusResponse>> SimRuntime::Status(bool) {
  using Result = absl::StatusOr<criv1::StatusResponse>;
  return Serve<Result>(MakeCall("Status"), [this](const Fault&) -> Result {
    criv1::StatusResponse response;
    const auto add = [&](const char* type, bool ready, const char* reason) {
      criv1::RuntimeCondition& condition = *response.mutable_status()->add_conditions();
      condition.set_type(type);
      condition.set_status(ready);
      if (ready) return;
      condition.set_reason(reason);
      condition.set_message(not_ready_message_);
    };
    add("RuntimeReady", runtime_ready_, "ContainerdNotReady");
    add("NetworkReady", network_ready_, "NetworkPluginNotReady");
    for (const char* name : {"", "runc"}) {
      criv1::RuntimeHandler& handler = *response.add_runtime_handlers();
      handler.set_name(name);
      handler.mutable_features()->set_recursive_read_only_mounts(true);
      handler.mutable_features()->set_user_namespaces(true);
    }
    response.mutable_features()->set_supplemental_groups_policy(true);
    return response;
  });
}

Task<absl::StatusOr<criv1::RuntimeConfigResponse>> SimRuntime::RuntimeConfig() {
  using Result = absl::StatusOr<criv1::RuntimeConfigResponse>;
  return Serve<Result>(MakeCall("RuntimeConfig"), [this](const Fault&) -> Result {
    if (!options_.offers_runtime_config)
      return absl::UnimplementedError("unknown method RuntimeConfig");
    criv1::RuntimeConfigResponse response;
    response.mutable_linux()->set_cgroup_driver(options_.cgroup_driver);
    return response;
  });
}

// The call itself always works; what is not offered or not reached shows in the first Next, as with
// a real connection.
Task<absl::StatusOr<std::unique_ptr<cri::EventStream>>> SimRuntime::WatchEvents() {
  if (!caller_lives_) co_await never_.Wait();
  (void)Arrive(MakeCall("GetContainerEvents"));
  absl::Status end;
  if (!options_.offers_events) end = absl::UnimplementedError("unknown method GetContainerEvents");
  if (!up_) end = Unreachable();
  co_return events_.Open(std::move(end));
}

}  // namespace cubelet::fakes
