#include "node/lease_keeper.h"

#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "node/report_schedule.h"

namespace cubelet::node {
namespace {

using async::Task;
using coordinationv1::Lease;

constexpr int kTries = 5;
constexpr absl::Duration kFirstRetry = absl::Milliseconds(200);
constexpr absl::Duration kLongestRetry = absl::Seconds(7);

}  // namespace

Lease LeaseKeeper::Wanted() const {
  const NodePtr owner = node_();
  return WantedLease(latest_.get(), options_.node_name, options_.duration_seconds, owner.get(),
                     loop_.Now());
}

Task<void> LeaseKeeper::Run() {
  const absl::Duration interval = LeaseRenewInterval(options_.duration_seconds);
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  bool told = false;
  co_await wakeup_.WaitFor(interval);
  while (true) {
    const absl::Status status = co_await Renew();
    if (status.ok()) {
      if (std::exchange(told, false)) LOG_INFO("Renewing the node's lease works again");
      backoff.Reset();
      co_await loop_.Sleep(Jittered(interval, kLeaseJitter, loop_.Random()));
      continue;
    }
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Failed to renew the node's lease, will try again");
    co_await wakeup_.WaitFor(std::min(backoff.Next(), interval));
  }
}

// One renewal: tried at once again a few times, for the lease must not run out.
Task<absl::Status> LeaseKeeper::Renew() {
  absl::Status status;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (latest_ == nullptr) {
      status = co_await Find();
      if (kube::IsNotFound(status)) co_return co_await Create();
      CO_RETURN_IF_ERROR(status);
    }
    status = co_await Update();
    if (status.ok()) co_return status;
    if (kube::IsConflict(status) || kube::IsNotFound(status)) {
      latest_ = nullptr;
    } else if (attempt > 0) {
      // The connection may be one on which nothing comes back any more.
      client_->RetireConnections();
    }
  }
  co_return Annotate(status, StrCat("failed ", kTries, " attempts to update lease"));
}

Task<absl::Status> LeaseKeeper::Find() {
  auto found = co_await kube::Get<Lease>(client_, Name(), Call());
  if (found.ok()) latest_ = *found;
  co_return found.status();
}

Task<absl::Status> LeaseKeeper::Create() {
  if (node_() == nullptr)
    co_return absl::FailedPreconditionError("create lease: the node is not registered yet");
  auto created = co_await kube::Create<Lease>(client_, {kLeaseNamespace, "", ""}, Wanted(), Call());
  if (created.ok()) latest_ = *created;
  co_return Annotate(created.status(), "create lease");
}

Task<absl::Status> LeaseKeeper::Update() {
  auto updated = co_await kube::Update<Lease>(client_, Name(), Wanted(), Call());
  if (updated.ok()) latest_ = *updated;
  co_return updated.status();
}

}  // namespace cubelet::node
