#include "pods/mirror_pods.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/pod.h"
#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/typed.h"

namespace cubelet::pods {
namespace {

using async::Task;

// By then the watch has brought what was created.
constexpr absl::Duration kLongestEcho = absl::Seconds(30);
constexpr absl::Duration kFirstRetry = absl::Seconds(1);
constexpr absl::Duration kLongestRetry = absl::Seconds(60);

std::string HashOf(const v1::Pod& pod) {
  const std::string* hash = api::FindAnnotation(pod, api::kConfigHashAnnotation);
  return hash == nullptr ? "" : *hash;
}

}  // namespace

v1::Pod MirrorOf(const v1::Pod& static_pod, const v1::Node& node) {
  v1::Pod mirror = static_pod;
  metav1::ObjectMeta& metadata = *mirror.mutable_metadata();
  (*metadata.mutable_annotations())[api::kConfigMirrorAnnotation] = HashOf(static_pod);
  metadata.clear_ownerreferences();
  metav1::OwnerReference& owner = *metadata.add_ownerreferences();
  owner.set_apiversion("v1");
  owner.set_kind("Node");
  owner.set_name(node.metadata().name());
  owner.set_uid(node.metadata().uid());
  owner.set_controller(true);
  return mirror;
}

bool IsMirrorOf(const v1::Pod& mirror, const v1::Pod& static_pod) {
  const std::string* hash = api::FindAnnotation(mirror, api::kConfigMirrorAnnotation);
  return hash != nullptr && *hash == HashOf(static_pod) &&
         api::FullName(mirror) == api::FullName(static_pod);
}

struct MirrorPods::Entry {
  PodPtr wanted;
  PodPtr mirror;
  std::string deleted;  // uid of the mirror that the server has been told to delete
  std::string created;  // uid of the one that was created and has not been seen yet
  absl::Duration created_at;
  bool working = false;
};

MirrorPods::MirrorPods(async::Loop& loop, async::TaskScope& scope, kube::Client* client)
    : loop_(loop), scope_(scope), client_(client) {}

MirrorPods::~MirrorPods() = default;

void MirrorPods::Want(const std::string& full_name, PodPtr static_pod) {
  std::unique_ptr<Entry>& slot = entries_[full_name];
  if (slot == nullptr) slot = std::make_unique<Entry>();
  slot->wanted = std::move(static_pod);
  Look(full_name);
}

void MirrorPods::ServerHas(const std::string& full_name, PodPtr mirror) {
  std::unique_ptr<Entry>& slot = entries_[full_name];
  if (slot == nullptr) slot = std::make_unique<Entry>();
  slot->mirror = std::move(mirror);
  // That there is none may have been so before it was created.
  if (slot->mirror) slot->created.clear();
  Look(full_name);
}

void MirrorPods::SetNode(NodePtr node) {
  node_ = std::move(node);
  if (node_ && node_->metadata().has_deletiontimestamp()) node_ = nullptr;
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  for (const std::string& name : names) Look(name);
}

void MirrorPods::AllowRemoval() {
  may_remove_ = true;
  SetNode(node_);
}

PodPtr MirrorPods::Find(const std::string& full_name) const {
  const auto it = entries_.find(full_name);
  return it == entries_.end() ? nullptr : it->second->mirror;
}

size_t MirrorPods::wanted() const {
  size_t count = 0;
  for (const auto& [name, entry] : entries_) count += entry->wanted != nullptr;
  return count;
}

bool MirrorPods::NeedsWork(const Entry& entry) const {
  if (entry.mirror && entry.deleted != entry.mirror->metadata().uid()) {
    if (!entry.wanted) return may_remove_;
    return entry.mirror->metadata().has_deletiontimestamp() ||
           !IsMirrorOf(*entry.mirror, *entry.wanted);
  }
  const bool on_its_way =
      !entry.created.empty() && loop_.Monotonic() - entry.created_at < kLongestEcho;
  return entry.wanted && !entry.mirror && !on_its_way && node_;
}

void MirrorPods::Look(const std::string& full_name) {
  const auto it = entries_.find(full_name);
  Entry& entry = *it->second;
  if (entry.working) return;
  if (!entry.wanted && !entry.mirror) {
    entries_.erase(it);
  } else if (NeedsWork(entry)) {
    entry.working = true;
    scope_.Spawn(StrCat("mirror ", full_name), Reconcile(full_name));
  }
}

Task<void> MirrorPods::Reconcile(std::string full_name) {
  async::Backoff backoff(kFirstRetry, kLongestRetry);
  while (NeedsWork(*entries_.at(full_name))) {
    const absl::Status status = co_await ReconcileOnce(full_name);
    if (status.ok()) continue;
    LOG_ERROR(status, "Mirror pod is not as it should be, will try again", {{"pod", full_name}});
    co_await loop_.Sleep(backoff.Next() * (1 + loop_.Random() / 4));
  }
  entries_.at(full_name)->working = false;
  Look(full_name);
}

Task<absl::Status> MirrorPods::ReconcileOnce(std::string full_name) {
  const Entry& entry = *entries_.at(full_name);
  if (entry.mirror) co_return co_await DeleteMirror(entry.mirror);
  co_return co_await CreateMirror(entry.wanted, full_name);
}

Task<absl::Status> MirrorPods::DeleteMirror(PodPtr mirror) {
  const std::string uid = mirror->metadata().uid();
  LOG_INFO("Deleting a mirror pod", {{"pod", api::PodKey(*mirror)}, {"podUID", uid}});
  kube::DeleteOptions options;
  options.grace_period_seconds = 0;
  options.uid = uid;
  absl::Status deleted = co_await kube::Delete<v1::Pod>(
      client_, {mirror->metadata().namespace_(), mirror->metadata().name(), ""},
      std::move(options));
  const bool gone = kube::IsNotFound(deleted) || kube::IsConflict(deleted);
  if (!deleted.ok() && !gone) co_return Annotate(deleted, "delete a mirror pod");
  Entry& entry = *entries_.at(api::FullName(*mirror));
  entry.deleted = uid;
  // The name is free from here on, whenever the watch says so.
  if (deleted.ok() && entry.mirror == mirror) entry.mirror = nullptr;
  co_return absl::OkStatus();
}

Task<absl::Status> MirrorPods::CreateMirror(PodPtr static_pod, std::string full_name) {
  const v1::Pod mirror = MirrorOf(*static_pod, *node_);
  auto created =
      co_await kube::Create<v1::Pod>(client_, {mirror.metadata().namespace_(), "", ""}, mirror);
  Entry& entry = *entries_.at(full_name);
  if (kube::IsAlreadyExists(created.status())) {
    // Ours, and the watch is behind; or another one, that has to go first.
    auto there = co_await kube::Get<v1::Pod>(
        client_, {mirror.metadata().namespace_(), mirror.metadata().name(), ""});
    CO_RETURN_IF_ERROR(Annotate(there.status(), "get a mirror pod"));
    if (!api::IsMirror(**there))
      co_return absl::AlreadyExistsError(
          "a pod that is no mirror has the name of a static pod of this node");
    Entry& after = *entries_.at(full_name);
    if (!after.mirror) after.mirror = *there;
    co_return absl::OkStatus();
  }
  CO_RETURN_IF_ERROR(Annotate(created.status(), "create a mirror pod"));
  if (entry.mirror) co_return absl::OkStatus();
  entry.created = (*created)->metadata().uid();
  entry.created_at = loop_.Monotonic();
  co_return absl::OkStatus();
}

}  // namespace cubelet::pods
