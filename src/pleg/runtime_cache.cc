#include "pleg/runtime_cache.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "pleg/runtime_records.h"

namespace cubelet::pleg {

using async::Task;

namespace {

// After so long an event stream that is not served has ended.
constexpr absl::Duration kStreamProven = absl::Seconds(5);
// What asks for a listing out of turn may come in bursts.
constexpr absl::Duration kGather = absl::Milliseconds(100);

bool SameContainers(const RuntimePod& pod, const std::vector<const criv1::Container*>& listed) {
  if (pod.containers.size() != listed.size()) return false;
  return std::all_of(listed.begin(), listed.end(), [&](const criv1::Container* container) {
    const ContainerRecord* record = pod.FindById(container->id());
    return record != nullptr && record->state == FromCriState(container->state());
  });
}

bool HasSandbox(const RuntimePod& pod, const std::string& id) {
  return std::any_of(pod.sandboxes.begin(), pod.sandboxes.end(),
                     [&](const SandboxRecord& record) { return record.id == id; });
}

bool SameSandboxes(const RuntimePod& pod, const std::vector<const criv1::PodSandbox*>& listed) {
  if (pod.sandboxes.size() != listed.size()) return false;
  return std::all_of(listed.begin(), listed.end(), [&](const criv1::PodSandbox* sandbox) {
    return std::any_of(pod.sandboxes.begin(), pod.sandboxes.end(), [&](const SandboxRecord& r) {
      return r.id == sandbox->id() && r.ready == (sandbox->state() == criv1::SANDBOX_READY);
    });
  });
}

std::string UidLabel(const google::protobuf::Map<std::string, std::string>& labels) {
  auto it = labels.find(kPodUidLabel);
  return it == labels.end() ? std::string() : it->second;
}

// As listed, or as its status has it.
template <typename Sandbox>
std::string UidOfSandbox(const Sandbox& sandbox) {
  const std::string label = UidLabel(sandbox.labels());
  return label.empty() ? sandbox.metadata().uid() : label;
}

// What does not say whose it is counts as the pod's that it was asked for.
absl::Status CheckOwner(const std::string& owner, const std::string& uid) {
  if (owner.empty() || owner == uid) return absl::OkStatus();
  return absl::NotFoundError(StrCat("it is of pod ", owner, " now"));
}

}  // namespace

RuntimeCache::RuntimeCache(async::Loop& loop, cri::Runtime& runtime, Options options)
    : loop_(loop), runtime_(runtime), options_(options), relist_now_(loop), stale_changed_(loop) {}

void RuntimeCache::SetOnChange(std::function<void(const std::string&)> on_change) {
  on_change_ = std::move(on_change);
}

void RuntimeCache::Start(async::TaskScope& scope) {
  scope.Spawn("relist", RelistForever());
  if (options_.use_events) scope.Spawn("runtime events", WatchForever());
}

std::shared_ptr<const RuntimePod> RuntimeCache::Get(const std::string& uid) const {
  auto it = pods_.find(uid);
  return it == pods_.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<const RuntimePod>> RuntimeCache::All() const {
  std::vector<std::shared_ptr<const RuntimePod>> all;
  all.reserve(pods_.size());
  for (const auto& [uid, pod] : pods_) all.push_back(pod);
  return all;
}

void RuntimeCache::MarkStaleSince(const std::string& uid, absl::Duration changed_at) {
  absl::Duration& since = stale_.try_emplace(uid, changed_at).first->second;
  since = std::max(since, changed_at);
  stale_changed_.Notify();
  if (on_change_) on_change_(uid);
}

void RuntimeCache::ExpectSandbox(const std::string& uid, std::string sandbox_id) {
  expected_[uid].push_back({std::move(sandbox_id), ""});
}

void RuntimeCache::ExpectContainer(const std::string& uid, std::string container_id,
                                   std::string sandbox_id) {
  expected_[uid].push_back({std::move(sandbox_id), std::move(container_id)});
}

// What was seen, and beside it what must be there as well: as much of it as its id says.
std::shared_ptr<const RuntimePod> RuntimeCache::WithExpected(
    const std::string& uid, std::shared_ptr<const RuntimePod> old) const {
  const auto expected = expected_.find(uid);
  if (expected == expected_.end()) return old;
  auto all = old ? std::make_shared<RuntimePod>(*old) : std::make_shared<RuntimePod>();
  for (const Expected& item : expected->second) {
    if (item.container_id.empty()) {
      all->sandboxes.push_back({.id = item.sandbox_id});
    } else if (all->FindById(item.container_id) == nullptr) {
      all->containers.push_back({.id = item.container_id, .sandbox_id = item.sandbox_id});
    }
  }
  return all;
}

Task<bool> RuntimeCache::WaitForChange(std::string uid, absl::Duration limit) {
  const absl::Duration deadline = loop_.Monotonic() + limit;
  while (!IsStale(uid)) {
    const absl::Duration left = deadline - loop_.Monotonic();
    if (left <= absl::ZeroDuration()) co_return false;
    co_await stale_changed_.WaitFor(left);
  }
  co_return true;
}

Task<void> RuntimeCache::RelistForever() {
  absl::Status last = absl::OkStatus();
  while (true) {
    const bool rely_on_events = has_events_ && last.ok();
    const bool rung = co_await relist_now_.WaitFor(
        rely_on_events ? options_.relist_period_with_events : options_.relist_period);
    if (rung) co_await loop_.Sleep(kGather);
    absl::Status status = co_await Relist();
    if (!status.ok() && last.ok()) LOG_ERROR(status, "Listing pods of the runtime failed");
    if (status.ok() && !last.ok()) {
      LOG_INFO("Listing pods of the runtime works again");
      if (on_recovered_) on_recovered_();
    }
    last = status;
  }
}

Task<void> RuntimeCache::WatchForever() {
  async::Backoff backoff(absl::Seconds(1), absl::Minutes(5));
  while (true) {
    const absl::Duration begun = loop_.Monotonic();
    const absl::Status end = co_await WatchOnce();
    stream_since_.reset();
    if (has_events_) {
      has_events_ = false;
      relist_now_.Ring();  // what happens without us is found by listing
      LOG_INFO("The runtime's event stream ended, listing every second",
               {{"cause", Message(end)}, {"after", loop_.Monotonic() - begun}});
      backoff.Reset();
    }
    const bool offered = end.code() != absl::StatusCode::kUnimplemented;
    co_await loop_.Sleep(offered ? backoff.Next() : absl::Minutes(5));
  }
}

Task<absl::Status> RuntimeCache::WatchOnce() {
  auto stream = co_await runtime_.WatchEvents();
  if (!stream.ok()) co_return stream.status();
  stream_since_ = loop_.Monotonic();
  while (true) {
    auto event = co_await (*stream)->Next();
    if (!event.ok()) co_return event.status();
    stream_misses_ = false;
    HandleEvent(*event);
  }
}

// Called after each listing that was good, so that nothing falls between the last listing and the
// first event. `missed`: it has shown a change that was news. From then on the stream has to prove
// itself by an event.
void RuntimeCache::JudgeStream(absl::Duration asked, bool missed) {
  stream_misses_ |= has_events_ && missed;
  const bool healthy = stream_since_ && asked - *stream_since_ >= kStreamProven && !stream_misses_;
  if (healthy == has_events_) return;
  has_events_ = healthy;
  if (healthy) {
    LOG_INFO("The runtime's event stream is open, listing every five minutes");
  } else {
    LOG_WARNING("The runtime's event stream has left out a change, listing every second");
  }
}

// Deletions come without the sandbox when it is gone, too.
std::string RuntimeCache::UidOfEvent(const criv1::ContainerEventResponse& event) const {
  if (std::string uid = UidOfSandbox(event.pod_sandbox_status()); !uid.empty()) return uid;
  for (const criv1::ContainerStatus& status : event.containers_statuses()) {
    if (std::string uid = UidLabel(status.labels()); !uid.empty()) return uid;
  }
  for (const auto& [uid, pod] : pods_) {
    if (pod->FindById(event.container_id()) != nullptr || HasSandbox(*pod, event.container_id()))
      return uid;
  }
  return "";
}

void RuntimeCache::HandleEvent(const criv1::ContainerEventResponse& event) {
  const std::string uid = UidOfEvent(event);
  if (uid.empty()) {
    // The end of something unknown is no news; of anything else a listing tells more.
    if (event.container_event_type() != criv1::CONTAINER_DELETED_EVENT) relist_now_.Ring();
    return;
  }
  // When it happened, on our clock, but no later than now.
  const absl::Time now = loop_.Now();
  const absl::Duration monotonic = loop_.Monotonic();
  absl::Duration age = absl::ZeroDuration();
  if (event.created_at() > 0) age = std::max(age, now - absl::FromUnixNanos(event.created_at()));
  const absl::Duration happened = monotonic - age;
  // What was read of the pod after that already shows it.
  const std::shared_ptr<const RuntimePod> known = Get(uid);
  if (known && !IsStale(uid) && known->observed_at > happened) return;
  MarkStaleSince(uid, happened);
}

Task<absl::Status> RuntimeCache::Relist() {
  const absl::Duration asked = loop_.Monotonic();
  auto sandboxes = co_await runtime_.ListPodSandbox({});
  CO_RETURN_IF_ERROR(Annotate(sandboxes.status(), "list sandboxes"));
  auto containers = co_await runtime_.ListContainers({});
  CO_RETURN_IF_ERROR(Annotate(containers.status(), "list containers"));

  struct Listed {
    std::vector<const criv1::PodSandbox*> sandboxes;
    std::vector<const criv1::Container*> containers;
  };
  absl::btree_map<std::string, Listed> listed;
  absl::btree_map<std::string, std::string> uid_of_sandbox;
  for (const criv1::PodSandbox& sandbox : sandboxes->items()) {
    listed[UidOfSandbox(sandbox)].sandboxes.push_back(&sandbox);
    uid_of_sandbox[sandbox.id()] = UidOfSandbox(sandbox);
  }
  for (const criv1::Container& container : containers->containers()) {
    std::string uid = UidLabel(container.labels());
    if (uid.empty()) uid = uid_of_sandbox[container.pod_sandbox_id()];
    listed[uid].containers.push_back(&container);
  }
  listed.erase("");
  std::vector<std::string> changed;
  for (const auto& [uid, pod] : listed) {
    const std::shared_ptr<const RuntimePod> known = Get(uid);
    if (known && known->observed_at > asked) continue;
    if (!known || !SameSandboxes(*known, pod.sandboxes) || !SameContainers(*known, pod.containers))
      changed.push_back(uid);
  }
  for (const auto& [uid, pod] : pods_) {
    if (!listed.contains(uid) && pod->observed_at <= asked) changed.push_back(uid);
  }
  if (observer_) observer_(/*whole=*/true, loop_.Monotonic() - asked);
  const bool first = last_relist_ == -absl::InfiniteDuration();
  for (const std::string& uid : changed) {
    const auto pod = listed.find(uid);
    if (pod == listed.end() || Get(uid)) continue;
    for (const criv1::PodSandbox* sandbox : pod->second.sandboxes)
      ExpectSandbox(uid, sandbox->id());
    for (const criv1::Container* container : pod->second.containers)
      ExpectContainer(uid, container->id(), container->pod_sandbox_id());
  }
  if (first) {
    std::vector<std::string> sandbox_ids, container_ids = remembered_;
    absl::flat_hash_set<std::string> listed_ids;
    for (const criv1::PodSandbox& sandbox : sandboxes->items()) listed_ids.insert(sandbox.id());
    for (const criv1::Container& container : containers->containers()) {
      listed_ids.insert(container.id());
      sandbox_ids.push_back(container.pod_sandbox_id());
    }
    const auto is_listed = [&](const std::string& id) { return listed_ids.contains(id); };
    std::erase_if(sandbox_ids, is_listed);
    std::erase_if(container_ids, is_listed);
    CO_RETURN_IF_ERROR(co_await ConfirmUnlisted(std::move(sandbox_ids), std::move(container_ids)));
    // Nobody else asks for these yet, and what is not known cannot be told from what is not there.
    for (const std::string& uid : changed) CO_RETURN_IF_ERROR(co_await Refresh(uid));
  }
  last_relist_ = asked;
  JudgeStream(asked, std::any_of(changed.begin(), changed.end(),
                                 [this](const std::string& uid) { return !IsStale(uid); }));
  for (const std::string& uid : changed) {
    if (first) {
      if (on_change_) on_change_(uid);
      continue;
    }
    // Who has been told since the listing was asked for looks no less far.
    const auto stale = stale_.find(uid);
    if (stale == stale_.end() || stale->second < asked) MarkStale(uid);
  }
  co_return absl::OkStatus();
}

// A listing of which these should have been part is only good when the runtime has none of them.
Task<absl::Status> RuntimeCache::ConfirmUnlisted(std::vector<std::string> sandbox_ids,
                                                 std::vector<std::string> container_ids) {
  for (const std::string& id : sandbox_ids) {
    const auto status = co_await runtime_.PodSandboxStatus(id);
    if (status.ok())
      co_return absl::UnavailableError(StrCat("sandbox ", id, " is there but was not listed"));
    if (!absl::IsNotFound(status.status()))
      co_return Annotate(status.status(), StrCat("confirm that sandbox is gone ", id));
  }
  for (const std::string& id : container_ids) {
    const auto status = co_await runtime_.ContainerStatus(id);
    if (status.ok())
      co_return absl::UnavailableError(StrCat("container ", id, " is there but was not listed"));
    if (!absl::IsNotFound(status.status()))
      co_return Annotate(status.status(), StrCat("confirm that container is gone ", id));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> RuntimeCache::Refresh(std::string uid) {
  const absl::Duration asked = loop_.Monotonic();
  const std::shared_ptr<const RuntimePod> old = Get(uid);
  criv1::PodSandboxFilter sandbox_filter;
  (*sandbox_filter.mutable_label_selector())[kPodUidLabel] = uid;
  auto sandboxes = co_await runtime_.ListPodSandbox(std::move(sandbox_filter));
  CO_RETURN_IF_ERROR(Annotate(sandboxes.status(), StrCat("list sandboxes of pod ", uid)));
  criv1::ContainerFilter container_filter;
  (*container_filter.mutable_label_selector())[kPodUidLabel] = uid;
  auto containers = co_await runtime_.ListContainers(std::move(container_filter));
  CO_RETURN_IF_ERROR(Annotate(containers.status(), StrCat("list containers of pod ", uid)));

  auto seen = std::make_shared<RuntimePod>();
  seen->uid = uid;
  seen->observed_at = asked;
  for (const criv1::PodSandbox& listed : sandboxes->items()) {
    seen->name = listed.metadata().name();
    seen->name_space = listed.metadata().namespace_();
    auto record = co_await ReadSandbox(uid, listed, old);
    if (absl::IsNotFound(record.status())) continue;  // removed since it was listed
    CO_RETURN_IF_ERROR(Annotate(record.status(), StrCat("read sandbox ", listed.id())));
    seen->sandboxes.push_back(*std::move(record));
  }
  for (const criv1::Container& listed : containers->containers()) {
    auto record = co_await ReadContainer(uid, listed, old);
    if (absl::IsNotFound(record.status())) continue;
    CO_RETURN_IF_ERROR(Annotate(record.status(), StrCat("read container ", listed.id())));
    if (seen->name.empty()) {
      seen->name = listed.labels().count(kPodNameLabel) ? listed.labels().at(kPodNameLabel) : "";
      seen->name_space =
          listed.labels().count(kPodNamespaceLabel) ? listed.labels().at(kPodNamespaceLabel) : "";
    }
    seen->containers.push_back(*std::move(record));
  }
  if (const auto all = WithExpected(uid, old))
    CO_RETURN_IF_ERROR(co_await ConfirmVanished(all, seen));
  SortRecords(*seen);
  Store(seen);
  if (observer_) observer_(/*whole=*/false, loop_.Monotonic() - asked);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<criv1::PodSandboxStatus>> RuntimeCache::SandboxOfPod(std::string uid,
                                                                         std::string id) {
  auto answer = co_await runtime_.PodSandboxStatus(id);
  if (!answer.ok()) co_return answer.status();
  CO_RETURN_IF_ERROR(CheckOwner(UidOfSandbox(answer->status()), uid));
  co_return std::move(*answer->mutable_status());
}

Task<absl::StatusOr<criv1::ContainerStatus>> RuntimeCache::ContainerOfPod(std::string uid,
                                                                          std::string id) {
  auto answer = co_await runtime_.ContainerStatus(id);
  if (!answer.ok()) co_return answer.status();
  CO_RETURN_IF_ERROR(CheckOwner(UidLabel(answer->status().labels()), uid));
  co_return std::move(*answer->mutable_status());
}

Task<absl::StatusOr<SandboxRecord>> RuntimeCache::ReadSandbox(
    std::string uid, criv1::PodSandbox listed, std::shared_ptr<const RuntimePod> old) {
  if (old) {
    for (const SandboxRecord& known : old->sandboxes) {
      const bool same =
          known.id == listed.id() && known.ready == (listed.state() == criv1::SANDBOX_READY);
      if (same && (!known.ready || known.host_network || !known.ips.empty())) co_return known;
    }
  }
  auto status = co_await SandboxOfPod(uid, listed.id());
  if (!status.ok()) co_return status.status();
  SandboxRecord record = MakeSandboxRecord(*status);
  // A sandbox that has stopped has lost its addresses; they stay what they were for whoever reports
  // them.
  if (!record.ready && record.ips.empty() && old) {
    for (const SandboxRecord& known : old->sandboxes) {
      if (known.id == record.id) record.ips = known.ips;
    }
  }
  co_return record;
}

Task<absl::StatusOr<ContainerRecord>> RuntimeCache::ReadContainer(
    std::string uid, criv1::Container listed, std::shared_ptr<const RuntimePod> old) {
  if (old) {
    const ContainerRecord* known = old->FindById(listed.id());
    if (known != nullptr && known->state == FromCriState(listed.state())) co_return *known;
  }
  auto status = co_await ContainerOfPod(uid, listed.id());
  if (!status.ok()) co_return status.status();
  co_return MakeContainerRecord(*status, listed.pod_sandbox_id());
}

Task<absl::Status> RuntimeCache::ConfirmVanished(std::shared_ptr<const RuntimePod> old,
                                                 std::shared_ptr<RuntimePod> seen) {
  for (const SandboxRecord& known : old->sandboxes) {
    if (HasSandbox(*seen, known.id)) continue;
    auto status = co_await SandboxOfPod(seen->uid, known.id);
    if (absl::IsNotFound(status.status())) continue;
    CO_RETURN_IF_ERROR(
        Annotate(status.status(), StrCat("confirm that sandbox is gone ", known.id)));
    seen->sandboxes.push_back(MakeSandboxRecord(*status));
    if (seen->name.empty()) {
      seen->name = status->metadata().name();
      seen->name_space = status->metadata().namespace_();
    }
  }
  for (const ContainerRecord& known : old->containers) {
    if (seen->FindById(known.id) != nullptr) continue;
    auto status = co_await ContainerOfPod(seen->uid, known.id);
    if (absl::IsNotFound(status.status())) continue;
    CO_RETURN_IF_ERROR(
        Annotate(status.status(), StrCat("confirm that container is gone ", known.id)));
    seen->containers.push_back(MakeContainerRecord(*status, known.sandbox_id));
  }
  if (seen->name.empty()) {
    seen->name = old->name;
    seen->name_space = old->name_space;
  }
  co_return absl::OkStatus();
}

void RuntimeCache::Store(std::shared_ptr<const RuntimePod> pod) {
  // Two answers can overtake each other; the one that was asked for later wins.
  const std::shared_ptr<const RuntimePod> known = Get(pod->uid);
  if (known && known->observed_at > pod->observed_at) return;
  if (const auto stale = stale_.find(pod->uid);
      stale != stale_.end() && stale->second <= pod->observed_at)
    stale_.erase(stale);
  expected_.erase(pod->uid);
  if (pod->sandboxes.empty() && pod->containers.empty()) {
    pods_.erase(pod->uid);
  } else {
    pods_[pod->uid] = pod;
  }
}

}  // namespace cubelet::pleg
