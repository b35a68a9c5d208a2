#include "pods/status_reporter.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "api/codec.h"
#include "api/merge_patch.h"
#include "api/pod.h"
#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/typed.h"
#include "status/report.h"

namespace cubelet::pods {
namespace {

using async::Task;

constexpr absl::Duration kFirstRetry = absl::Seconds(1);
constexpr absl::Duration kLongestRetry = absl::Seconds(10);
// Who else writes what is ours is put right, but not more often.
constexpr absl::Duration kReconcilePeriod = absl::Seconds(10);

// Versions of one object are numbers that grow; anything else cannot be compared.
bool IsOlder(const v1::Pod& a, const v1::Pod& b) {
  uint64_t left = 0, right = 0;
  return absl::SimpleAtoi(a.metadata().resourceversion(), &left) &&
         absl::SimpleAtoi(b.metadata().resourceversion(), &right) && left < right;
}

}  // namespace

struct StatusReporter::Entry {
  PodPtr copy;                      // the server's; null: it has none
  std::optional<PodReport> wanted;  // what is to be told; absent before the first report
  bool unsent = false;
  bool sending = false;
  bool let_go = false;     // the server was told to delete it
  absl::Duration changed;  // monotonic time of the oldest change that was not sent
  absl::Duration sent = -absl::InfiniteDuration();
};

StatusReporter::StatusReporter(async::Loop& loop, async::TaskScope& scope, kube::Client* client,
                               Metrics& metrics)
    : loop_(loop), scope_(scope), client_(client), metrics_(metrics) {}

StatusReporter::~StatusReporter() = default;

StatusReporter::Entry* StatusReporter::Find(const std::string& uid) {
  const auto it = entries_.find(uid);
  return it == entries_.end() ? nullptr : it->second.get();
}

StatusReporter::Entry& StatusReporter::Make(const std::string& uid) {
  std::unique_ptr<Entry>& slot = entries_[uid];
  if (slot == nullptr) slot = std::make_unique<Entry>();
  return *slot;
}

size_t StatusReporter::unsent() const {
  size_t count = 0;
  for (const auto& [uid, entry] : entries_) count += entry->unsent && entry->copy != nullptr;
  return count;
}

void StatusReporter::ServerHas(const std::string& uid, PodPtr copy) {
  Entry& entry = Make(uid);
  const bool same = entry.copy && entry.copy->metadata().uid() == copy->metadata().uid();
  // What our own patch has left, or an echo from before it.
  if (same && !IsOlder(*entry.copy, *copy)) return;
  entry.copy = std::move(copy);
  if (!entry.wanted) return;
  const absl::Duration wait = entry.sent + kReconcilePeriod - loop_.Monotonic();
  const bool others_wrote = same && !entry.unsent && !entry.sending;
  if (others_wrote && wait > absl::ZeroDuration() && !MayLetGo(entry)) {
    scope_.Spawn(StrCat("reconcile status ", uid), WakeAfter(uid, wait));
  } else {
    Wake(uid, entry);
  }
}

Task<void> StatusReporter::WakeAfter(std::string uid, absl::Duration wait) {
  co_await loop_.Sleep(wait);
  if (Entry* entry = Find(uid); entry != nullptr && entry->wanted) Wake(uid, *entry);
}

void StatusReporter::ServerLost(const std::string& uid) {
  Entry* entry = Find(uid);
  if (entry == nullptr) return;
  entry->copy = nullptr;
  if (!entry->sending) ForgetUnlessStatic(uid, *entry);
}

// A mirror may come again; a pod of the server's own does not.
void StatusReporter::ForgetUnlessStatic(const std::string& uid, const Entry& entry) {
  const bool is_static = entry.wanted && api::IsStatic(*entry.wanted->pod);
  if (!is_static || entry.wanted->finished) entries_.erase(uid);
}

void StatusReporter::Report(const PodReport& report) {
  const std::string& uid = report.pod->metadata().uid();
  Entry& entry = Make(uid);
  entry.wanted = report;
  Wake(uid, entry);
}

void StatusReporter::Wake(const std::string& uid, Entry& entry) {
  if (!std::exchange(entry.unsent, true)) entry.changed = loop_.Monotonic();
  if (entry.copy == nullptr || entry.sending) return;
  entry.sending = true;
  scope_.Spawn(StrCat("report status ", uid), Send(uid));
}

// Until the server has what is wanted, or does not have the pod.
Task<void> StatusReporter::Send(std::string uid) {
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  bool told = false;
  while (Entry* entry = Find(uid)) {
    if (entry->copy == nullptr || !entry->unsent) {
      entry->sending = false;
      if (entry->copy == nullptr) ForgetUnlessStatic(uid, *entry);
      break;
    }
    const absl::Status status = co_await SendOnce(uid);
    if (status.ok()) {
      if (std::exchange(told, false))
        LOG_INFO("Reporting a pod's status works again", {{"podUID", uid}});
      backoff.Reset();
      continue;
    }
    if (!std::exchange(told, true))
      LOG_ERROR(status, "Failed to report a pod's status, will try again", {{"podUID", uid}});
    co_await loop_.Sleep(backoff.Next() * (1 + loop_.Random() / 4));
  }
}

Task<absl::Status> StatusReporter::SendOnce(std::string uid) {
  Entry* entry = Find(uid);
  entry->unsent = false;
  const PodPtr copy = entry->copy;
  const absl::Duration changed = entry->changed;
  const v1::PodStatus merged =
      status::MergeForApi(copy->status(), *entry->wanted->status, entry->wanted->may_run);
  auto patch = api::PodStatusPatch(copy->metadata().uid(), copy->status(), merged);
  CO_RETURN_IF_ERROR(Annotate(patch.status(), "make the patch of a status"));
  if (!patch->empty()) {
    const kube::ObjectName name{copy->metadata().namespace_(), copy->metadata().name(), "status"};
    auto patched = co_await kube::Patch<v1::Pod>(client_, name, kube::PatchType::kStrategicMerge,
                                                 api::Serialize(*patch));
    entry = Find(uid);
    if (entry == nullptr) co_return absl::OkStatus();
    if (kube::IsNotFound(patched.status()) || kube::IsConflict(patched.status())) {
      // It is gone, or another one has its name: the watch says which.
      if (entry->copy == copy) entry->copy = nullptr;
      co_return absl::OkStatus();
    }
    if (!patched.ok()) {
      entry->unsent = true;
      co_return patched.status();
    }
    entry->sent = loop_.Monotonic();
    metrics_.Observe("kubelet_pod_status_sync_duration_seconds", {},
                     absl::ToDoubleSeconds(entry->sent - changed));
    if (entry->copy && IsOlder(*entry->copy, **patched)) entry->copy = *patched;
  }
  if (!MayLetGo(*entry)) co_return absl::OkStatus();
  absl::Status deleted = co_await LetGo(entry->copy);
  entry = Find(uid);
  if (entry == nullptr) co_return absl::OkStatus();
  (deleted.ok() ? entry->let_go : entry->unsent) = true;
  co_return deleted;
}

// The server deletes a pod once nothing is left of it on the node and its end has been told.
bool StatusReporter::MayLetGo(const Entry& entry) {
  return entry.copy != nullptr && entry.wanted && entry.wanted->finished && !entry.let_go &&
         entry.copy->metadata().has_deletiontimestamp() && !api::IsMirror(*entry.copy) &&
         api::IsTerminal(*entry.copy);
}

Task<absl::Status> StatusReporter::LetGo(PodPtr copy) {
  kube::DeleteOptions options;
  options.grace_period_seconds = 0;
  options.uid = copy->metadata().uid();
  absl::Status deleted = co_await kube::Delete<v1::Pod>(
      client_, {copy->metadata().namespace_(), copy->metadata().name(), ""}, std::move(options));
  if (kube::IsNotFound(deleted) || kube::IsConflict(deleted)) co_return absl::OkStatus();
  co_return Annotate(deleted, "delete a pod that has ended");
}

}  // namespace cubelet::pods
