// The calls about sandboxes.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "fakes/sim_runtime.h"
#include "fakes/sim_serve.h"

namespace cubelet::fakes {

using async::Task;

Task<absl::StatusOr<std::string>> SimRuntime::RunPodSandbox(criv1::PodSandboxConfig config,
                                                            std::string handler) {
  using Result = absl::StatusOr<std::string>;
  const std::string id = NewId();
  const std::string name = ReservedName(config.metadata());
  Call call = MakeCall("RunPodSandbox", id);
  call.pod_uid = config.metadata().uid();
  call.takes = options_.run_sandbox_takes;
  call.deadline = 2 * options_.call_timeout;
  auto hold = std::make_shared<NameHold>();
  call.on_arrival = [this, hold, name, id] {
    return hold->Take(sandbox_names_, "sandbox", name, id);
  };
  return Serve<Result>(std::move(call),
                       [this, hold, id, config = std::move(config),
                        handler = std::move(handler)](const Fault&) -> Result {
                         Result added = AddSandbox(config, handler, id);
                         if (added.ok()) hold->Keep();
                         return added;
                       });
}

absl::StatusOr<std::string> SimRuntime::AddSandbox(const criv1::PodSandboxConfig& config,
                                                   const std::string& handler,
                                                   const std::string& id) {
  SimSandbox sandbox;
  sandbox.id = id;
  sandbox.config = config;
  sandbox.handler = handler;
  const bool host_network =
      config.linux().security_context().namespace_options().network() == criv1::NODE;
  if (!host_network) {
    if (!network_ready_) {
      return absl::UnknownError(
          StrCat("failed to setup network for sandbox ", GoQuote(id), ": ", not_ready_message_));
    }
    ASSIGN_OR_RETURN(sandbox.ip, TakeIp());
  }
  sandbox.created_at = Stamp();
  Remember();
  sandboxes_[id] = std::move(sandbox);
  Note("sandbox ready", id, config.metadata().uid());
  Emit(criv1::CONTAINER_CREATED_EVENT, id, id);
  Emit(criv1::CONTAINER_STARTED_EVENT, id, id);
  return id;
}

// The lowest free address; the first and the last of the range are nobody's, the second the
// gateway's.
absl::StatusOr<std::string> SimRuntime::TakeIp() {
  uint32_t offset = 2;
  for (const uint32_t taken : ips_) {
    if (taken != offset) break;
    ++offset;
  }
  if (offset + 1 >= network_.size) {
    return absl::UnknownError(StrCat("no IP addresses available in range ", options_.pod_network));
  }
  ips_.insert(offset);
  return FormatIpv4(network_.first + offset);
}

Task<absl::Status> SimRuntime::StopPodSandbox(std::string sandbox_id) {
  Call call = MakeCall("StopPodSandbox", sandbox_id);
  call.takes = options_.stop_sandbox_takes;
  call.answered_later = true;
  const absl::Status answered =
      co_await Serve<absl::Status>(call, [this, sandbox_id](const Fault&) {
        auto it = sandboxes_.find(sandbox_id);
        if (it == sandboxes_.end()) return absl::OkStatus();
        if (StopContainersOf(sandbox_id)) MarkStopped(it->second);
        return absl::OkStatus();
      });
  if (!answered.ok()) co_return answered;
  // What cannot be killed holds the call up until the caller gives up.
  std::vector<std::string> stuck;
  for (const auto& [id, container] : containers_) {
    if (container.sandbox_id == sandbox_id && container.running()) stuck.push_back(id);
  }
  for (const std::string& id : stuck) {
    const absl::StatusOr<bool> ended = co_await WaitForExit(id, options_.call_timeout);
    if (!ended.ok()) co_return Answer(call, ended.status());
    if (!*ended) {
      co_return Answer(call,
                       absl::DeadlineExceededError(StrCat("failed to stop container ", GoQuote(id),
                                                          ": context deadline exceeded")));
    }
  }
  auto it = sandboxes_.find(sandbox_id);
  if (it != sandboxes_.end()) MarkStopped(it->second);
  co_return Answer(call, absl::OkStatus());
}

// Kills what runs in it. False if something is left.
bool SimRuntime::StopContainersOf(const std::string& sandbox_id) {
  bool all = true;
  std::vector<std::string> running;
  for (const auto& [id, container] : containers_) {
    if (container.sandbox_id != sandbox_id || !container.running()) continue;
    if (container.process.unkillable) {
      all = false;
    } else {
      running.push_back(id);
    }
  }
  for (const std::string& id : running) Exit(id, 137, "");
  return all;
}

// Its address is free again and no longer told.
void SimRuntime::MarkStopped(SimSandbox& sandbox) {
  if (!sandbox.ip.empty()) ips_.erase(ParseIpv4(sandbox.ip) - network_.first);
  const bool was_ready = sandbox.ready;
  if (was_ready) Remember();
  sandbox.ip.clear();
  sandbox.ready = false;
  if (!was_ready) return;
  Note("sandbox stopped", sandbox.id, sandbox.pod_uid());
  Emit(criv1::CONTAINER_STOPPED_EVENT, sandbox.id, sandbox.id);
}

bool SimRuntime::KillSandbox(const std::string& id) {
  auto it = sandboxes_.find(id);
  if (it == sandboxes_.end() || !it->second.ready) return false;
  Remember();
  it->second.ready = false;
  Note("sandbox stopped", id, it->second.pod_uid(), "", "killed");
  Emit(criv1::CONTAINER_STOPPED_EVENT, id, id);
  return true;
}

Task<absl::Status> SimRuntime::RemovePodSandbox(std::string sandbox_id) {
  return Serve<absl::Status>(MakeCall("RemovePodSandbox", sandbox_id),
                             [this, sandbox_id](const Fault&) { return DropSandbox(sandbox_id); });
}

absl::Status SimRuntime::DropSandbox(const std::string& id) {
  auto it = sandboxes_.find(id);
  if (it == sandboxes_.end()) return absl::OkStatus();
  std::vector<std::string> inside;
  for (const auto& [container_id, container] : containers_) {
    if (container.sandbox_id == id) inside.push_back(container_id);
  }
  const bool running = std::any_of(inside.begin(), inside.end(), [&](const std::string& inner) {
    return containers_[inner].running();
  });
  if ((it->second.ready || running) && !options_.force_remove) {
    return absl::UnknownError(StrCat("sandbox container ", GoQuote(id), " is not fully stopped"));
  }
  if (!StopContainersOf(id)) {
    return absl::DeadlineExceededError(
        StrCat("failed to forcibly stop sandbox ", GoQuote(id), ": context deadline exceeded"));
  }
  MarkStopped(it->second);
  for (const std::string& inner : inside) RETURN_IF_ERROR(DropContainer(inner));
  Remember();
  Note("sandbox removed", id, it->second.pod_uid());
  sandbox_names_.erase(ReservedName(it->second.config.metadata()));
  sandboxes_.erase(it);
  Emit(criv1::CONTAINER_DELETED_EVENT, id, id);
  return absl::OkStatus();
}

Task<absl::StatusOr<criv1::PodSandboxStatusResponse>> SimRuntime::PodSandboxStatus(
    std::string sandbox_id) {
  using Result = absl::StatusOr<criv1::PodSandboxStatusResponse>;
  return Serve<Result>(
      MakeCall("PodSandboxStatus", sandbox_id), [this, sandbox_id](const Fault&) -> Result {
        auto it = sandboxes_.find(sandbox_id);
        if (it == sandboxes_.end()) {
          return absl::NotFoundError("an error occurred when try to find sandbox: not found");
        }
        criv1::PodSandboxStatusResponse response;
        *response.mutable_status() = StatusOf(it->second);
        return response;
      });
}

Task<absl::StatusOr<criv1::ListPodSandboxResponse>> SimRuntime::ListPodSandbox(
    criv1::PodSandboxFilter filter) {
  using Result = absl::StatusOr<criv1::ListPodSandboxResponse>;
  return Serve<Result>(
      MakeCall("ListPodSandbox"), [this, filter = std::move(filter)](const Fault& fault) -> Result {
        criv1::ListPodSandboxResponse response;
        const auto add = [&](const criv1::PodSandbox& listed) {
          if (Matches(listed, filter)) *response.add_items() = listed;
        };
        if (fault.kind == Fault::Kind::kEmptyList) return response;
        const Snapshot* stale = fault.kind == Fault::Kind::kStaleList ? StaleSnapshot() : nullptr;
        if (stale != nullptr) {
          for (const criv1::PodSandbox& listed : stale->sandboxes) add(listed);
        } else {
          for (const auto& [id, sandbox] : sandboxes_) add(Listed(sandbox));
        }
        return response;
      });
}

std::vector<std::string> SimRuntime::ReadySandboxes(const std::string& pod_uid) const {
  std::vector<std::string> ids;
  for (const auto& [id, sandbox] : sandboxes_) {
    if (sandbox.ready && sandbox.pod_uid() == pod_uid) ids.push_back(id);
  }
  return ids;
}

}  // namespace cubelet::fakes
