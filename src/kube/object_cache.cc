#include "kube/object_cache.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

// How long Get waits for the first sight of an object.
constexpr absl::Duration kFirstSight = absl::Seconds(1);
constexpr absl::Duration kMinWatchTimeout = absl::Minutes(30);

// "secret", "configmap": as messages name the kinds.
template <typename T>
std::string KindName() {
  return absl::AsciiStrToLower(ToAbsl(ResourceOf<T>::kValue.kind));
}

// Whether two sights of an object show the same version of it; null: it was not there.
template <typename T>
bool Same(const T* one, const T* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return one->metadata().uid() == other->metadata().uid() &&
         one->metadata().resourceversion() == other->metadata().resourceversion();
}

}  // namespace

template <typename T>
struct ObjectCache<T>::Entry {
  explicit Entry(async::Loop& loop) : seen(loop) {}

  ObjectKey key;
  std::set<std::string> users;
  std::unique_ptr<Reflector<T>> reflector;
  async::TaskScope::TaskId task = 0;  // 0: not watched any more
  bool answered = false;
  bool missed = false;              // somebody has not waited for the answer
  std::shared_ptr<const T> object;  // null: there is none
  async::Signal seen;
};

template <typename T>
ObjectCache<T>::ObjectCache(async::Loop& loop, async::TaskScope& scope, Client* client,
                            OnChange on_change)
    : loop_(loop), scope_(scope), client_(client), on_change_(std::move(on_change)) {}

template <typename T>
size_t ObjectCache<T>::watched() const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [](const auto& one) { return one.second->task != 0; }));
}

template <typename T>
void ObjectCache<T>::Use(const std::string& user, const std::set<ObjectKey>& keys) {
  std::set<ObjectKey> before = std::exchange(used_[user], keys);
  if (keys.empty()) used_.erase(user);
  for (const ObjectKey& key : keys) {
    EntryPtr& entry = entries_[key];
    if (entry == nullptr) entry = Begin(key);
    entry->users.insert(user);
    before.erase(key);
  }
  for (const ObjectKey& key : before) {
    const auto it = entries_.find(key);
    it->second->users.erase(user);
    if (!it->second->users.empty()) continue;
    End(*it->second);
    entries_.erase(it);
  }
}

template <typename T>
async::Task<void> ObjectCache<T>::Watch(EntryPtr entry) {
  co_await entry->reflector->Run();
}

template <typename T>
typename ObjectCache<T>::EntryPtr ObjectCache<T>::Begin(const ObjectKey& key) {
  auto entry = std::make_shared<Entry>(loop_);
  entry->key = key;
  ReflectorOptions options;
  options.name_space = key.first;
  options.field_selector = StrCat("metadata.name=", key.second);
  options.min_watch_timeout = kMinWatchTimeout;
  ReflectorHandler<T> handler;
  // The entry outlives its reflector, which it holds.
  handler.on_replace = [this, raw = entry.get()](std::vector<std::shared_ptr<const T>> objects) {
    Take(*raw, objects.empty() ? nullptr : std::move(objects.front()));
  };
  handler.on_change = [this, raw = entry.get()](Change change, std::shared_ptr<const T> object) {
    Take(*raw, change == Change::kDeleted ? nullptr : std::move(object));
  };
  entry->reflector =
      std::make_unique<Reflector<T>>(loop_, client_, std::move(options), std::move(handler));
  entry->task =
      scope_.Spawn(StrCat("watch ", KindName<T>(), " ", key.first, "/", key.second), Watch(entry));
  return entry;
}

template <typename T>
void ObjectCache<T>::End(Entry& entry) {
  scope_.Cancel(std::exchange(entry.task, 0));
}

template <typename T>
void ObjectCache<T>::Take(Entry& entry, std::shared_ptr<const T> object) {
  if (entry.task == 0) return;  // what was under way when the watch was ended
  // A server that cannot select sends all it has.
  if (object != nullptr && object->metadata().name() != entry.key.second) return;
  // Whoever uses it asks for it; only later news have to be told.
  const bool news = entry.answered ? !Same(entry.object.get(), object.get()) : entry.missed;
  entry.answered = true;
  entry.object = std::move(object);
  if (entry.object != nullptr && entry.object->immutable()) End(entry);
  entry.seen.Notify();
  if (!news || !on_change_) return;
  const std::set<std::string> users = entry.users;
  for (const std::string& user : users) on_change_(user);
}

template <typename T>
async::Task<absl::StatusOr<std::shared_ptr<const T>>> ObjectCache<T>::Get(std::string name_space,
                                                                          std::string name) {
  const auto it = entries_.find({name_space, name});
  if (it == entries_.end())
    co_return absl::FailedPreconditionError(
        StrCat("object ", GoQuote(name_space), "/", GoQuote(name), " not registered"));
  const EntryPtr entry = it->second;
  const absl::Duration until = loop_.Monotonic() + kFirstSight;
  while (!entry->answered && loop_.Monotonic() < until)
    (void)co_await entry->seen.WaitFor(until - loop_.Monotonic());
  if (!entry->answered) {
    entry->missed = true;
    const absl::Status& cause = entry->reflector->last_error();
    co_return absl::DeadlineExceededError(
        StrCat("failed to sync ", KindName<T>(), " cache: timed out waiting for the condition",
               cause.ok() ? "" : StrCat(" (", Message(cause), ")")));
  }
  if (entry->object == nullptr)
    co_return absl::NotFoundError(StrCat(KindName<T>(), " ", GoQuote(name), " not found"));
  co_return entry->object;
}

template class ObjectCache<v1::Secret>;
template class ObjectCache<v1::ConfigMap>;

}  // namespace cubelet::kube
