#include "node/registrar.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "api/codec.h"
#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"

namespace cubelet::node {
namespace {

using async::Task;

constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(7);
constexpr double kStatusJitter = 0.04;
constexpr int kTries = 5;

absl::Duration HeartbeatTimeout(const RegistrarOptions& options) {
  return std::min(options.update_frequency, absl::Seconds(options.lease_duration_seconds));
}

// Versions of one object are numbers that grow; anything else cannot be compared.
bool IsOlder(const v1::Node& a, const v1::Node& b) {
  uint64_t left = 0, right = 0;
  return a.metadata().uid() == b.metadata().uid() &&
         absl::SimpleAtoi(a.metadata().resourceversion(), &left) &&
         absl::SimpleAtoi(b.metadata().resourceversion(), &right) && left < right;
}

}  // namespace

Registrar::Registrar(async::Loop& loop, kube::Client* client, api::EventRecorder& events,
                     RegistrarOptions options, Gather gather)
    : loop_(loop),
      client_(client),
      events_(events),
      options_(std::move(options)),
      gather_(std::move(gather)),
      wakeup_(loop),
      lease_(loop, client,
             {options_.node_name, options_.lease_duration_seconds, HeartbeatTimeout(options_)},
             [this] { return node_; }),
      schedule_(options_.report_frequency) {}

void Registrar::Start(async::TaskScope& scope) {
  scope.Spawn("node status", KeepReporting());
  scope.Spawn("node lease", lease_.Run());
}

kube::CallOptions Registrar::HeartbeatCall() const {
  return {.timeout = HeartbeatTimeout(options_), .tell_timeout = true};
}

void Registrar::ServerHas(NodePtr node) {
  if (node == nullptr) {
    node_ = nullptr;
  } else {
    Know(std::move(node));
  }
}

// What comes over the watch may be older than what a patch has given back.
void Registrar::Know(NodePtr node) {
  if (node_ != nullptr && IsOlder(*node, *node_)) return;
  const bool first = node_ == nullptr;
  node_ = std::move(node);
  if (first) lease_.Wake();
}

void Registrar::Tell(const std::vector<NodeEvent>& events) {
  for (const NodeEvent& event : events)
    events_.Record({.kind = "Node", .name = options_.node_name}, event.type, event.reason,
                   event.message);
}

// Once for each reason.
void Registrar::TellAddresses(const absl::Status& status) {
  if (!status.ok() && status != addresses_)
    LOG_ERROR(status, "The node's addresses cannot be told, the last ones stay");
  addresses_ = status;
}

Task<void> Registrar::KeepReporting() {
  if (options_.register_node) co_await Register();
  while (true) {
    co_await Report();
    co_await wakeup_.WaitFor(Jittered(options_.update_frequency, kStatusJitter, loop_.Random()));
  }
}

Task<void> Registrar::Register() {
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  bool told = false;
  while (true) {
    const absl::Status status = co_await TryRegister();
    if (status.ok()) break;
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Unable to register node with API server, will try again",
                {{"node", options_.node_name}});
    co_await loop_.Sleep(backoff.Next());
  }
  LOG_INFO("Successfully registered node", {{"node", options_.node_name}});
}

Task<absl::Status> Registrar::TryRegister() {
  const NodeFacts facts = co_await gather_();
  InitialObject initial = InitialNode(facts);
  TellAddresses(initial.addresses);
  const auto wanted = std::make_shared<const v1::Node>(std::move(initial.node));
  auto created = co_await kube::Create<v1::Node>(client_, {}, *wanted);
  if (created.ok()) {
    schedule_.Reported(loop_.Monotonic(), /*changed=*/false, 0);
    Know(*created);
  } else if (kube::IsAlreadyExists(created.status()) || kube::IsForbidden(created.status())) {
    // One that may not create Nodes may have been given one.
    const absl::Status status = co_await Reconcile(wanted, facts.devices_forgotten);
    if (kube::IsNotFound(status)) co_return created.status();
    CO_RETURN_IF_ERROR(status);
  } else {
    co_return created.status();
  }
  Tell(initial.events);
  co_return absl::OkStatus();
}

Task<absl::Status> Registrar::Reconcile(NodePtr wanted, bool devices_forgotten) {
  CO_ASSIGN_OR_RETURN(NodePtr existing, co_await kube::Get<v1::Node>(client_, Name()));
  const auto reconciled =
      std::make_shared<const v1::Node>(ReconcileExisting(*existing, *wanted, devices_forgotten));
  auto patched = co_await Patch(existing, reconciled);
  CO_RETURN_IF_ERROR(Annotate(patched.status(), "reconcile the existing node"));
  Know(*patched);
  co_return absl::OkStatus();
}

Task<void> Registrar::Report() {
  absl::Status status;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    status = co_await TryReport(/*may_use_copy=*/attempt == 0);
    if (status.ok()) {
      if (std::exchange(failing_, false)) LOG_INFO("Reporting the node's status works again");
      co_return;
    }
    if (attempt == 0) continue;
    if (kube::IsNotFound(status)) break;
    // The connection may be one on which nothing comes back any more.
    client_->RetireConnections();
  }
  if (!std::exchange(failing_, true))
    LOG_ERROR(status, "Unable to update node status, will try again");
}

Task<absl::Status> Registrar::TryReport(bool may_use_copy) {
  const NodeFacts facts = co_await gather_();
  NodePtr known = may_use_copy ? node_ : nullptr;
  if (known == nullptr) {
    CO_ASSIGN_OR_RETURN(known, co_await kube::Get<v1::Node>(client_, Name(), HeartbeatCall()));
    Know(known);
  }
  NodeMemory memory = memory_;
  UpdatedObject updated = UpdatedNode(facts, *known, memory);
  TellAddresses(updated.addresses);
  const bool changed = HasChanged(*known, updated.node);
  if (changed || schedule_.IsDue(loop_.Monotonic())) {
    const auto now = std::make_shared<const v1::Node>(std::move(updated.node));
    CO_ASSIGN_OR_RETURN(NodePtr patched, co_await Patch(known, now));
    schedule_.Reported(loop_.Monotonic(), changed, loop_.Random());
    Know(patched);
    known = patched;
  }
  memory_ = memory;
  Tell(updated.events);
  if (on_reported_) on_reported_(known);
  co_return absl::OkStatus();
}

// `from` itself when there is nothing to change.
Task<absl::StatusOr<NodePtr>> Registrar::Patch(NodePtr from, NodePtr to) {
  auto patch = NodePatch(*from, *to);
  CO_RETURN_IF_ERROR(Annotate(patch.status(), "make the patch of the node"));
  if (patch->empty()) co_return from;
  kube::ObjectName name = Name();
  name.subresource = "status";
  co_return co_await kube::Patch<v1::Node>(client_, std::move(name),
                                           kube::PatchType::kStrategicMerge, api::Serialize(*patch),
                                           HeartbeatCall());
}

}  // namespace cubelet::node
