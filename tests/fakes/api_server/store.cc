#include "fakes/api_server/store.h"

#include <absl/strings/str_format.h>

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

// Bounds the memory of long simulations; real servers keep five minutes.
constexpr size_t kMaxHistory = 20000;

// The letters of generated names.
constexpr std::string_view kNameLetters = "bcdfghjklmnpqrstvwxz2456789";
constexpr int kNameSuffix = 5;

absl::Status ConflictError(const Kind& kind, const std::string& name) {
  return absl::AbortedError(
      StrCat("Operation cannot be fulfilled on ", kind.QualifiedResource(), " ", GoQuote(name),
             ": the object has been modified; please apply your changes to the latest version and "
             "try again"));
}

}  // namespace

absl::Status NotFoundError(const Kind& kind, const std::string& name) {
  return absl::NotFoundError(StrCat(kind.QualifiedResource(), " ", GoQuote(name), " not found"));
}

std::string ObjectStore::NewUid() {
  const uint64_t high = loop_.random()();
  const uint64_t low = loop_.random()();
  return absl::StrFormat("%08x-%04x-4%03x-8%03x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, (low >> 48) & 0xfff, low & 0xffffffffffff);
}

std::string ObjectStore::NewNameSuffix() {
  std::string suffix;
  for (int i = 0; i < kNameSuffix; ++i)
    suffix += kNameLetters[loop_.random()() % kNameLetters.size()];
  return suffix;
}

absl::StatusOr<ObjectPtr> ObjectStore::Get(const Kind& kind, const std::string& name_space,
                                           const std::string& name, bool stale) const {
  const State& state = View(stale);
  const auto objects = state.objects.find(&kind);
  if (objects == state.objects.end()) return NotFoundError(kind, name);
  const auto found = objects->second.find({name_space, name});
  if (found == objects->second.end()) return NotFoundError(kind, name);
  return found->second;
}

std::vector<ObjectPtr> ObjectStore::List(const Kind& kind, const std::string& name_space,
                                         bool stale) const {
  std::vector<ObjectPtr> list;
  const State& state = View(stale);
  const auto objects = state.objects.find(&kind);
  if (objects == state.objects.end()) return list;
  for (const auto& [key, object] : objects->second) {
    if (name_space.empty() || key.first == name_space) list.push_back(object);
  }
  return list;
}

uint64_t ObjectStore::VersionOfReads(bool stale) const { return View(stale).version; }

ObjectPtr ObjectStore::Record(Change::Type type, const Kind& kind, NewObject object,
                              ObjectPtr previous) {
  ++now_.version;
  metav1::ObjectMeta& meta = MetaOf(*object);
  meta.set_resourceversion(std::to_string(now_.version));
  const Key key(meta.namespace_(), meta.name());
  const ObjectPtr stored(std::move(object));
  if (type == Change::Type::kDeleted) {
    now_.objects[&kind].erase(key);
  } else {
    now_.objects[&kind][key] = stored;
  }
  history_.push_back({type, &kind, stored, std::move(previous), now_.version});
  if (history_.size() > kMaxHistory) {
    oldest_ = history_.front().version;
    history_.pop_front();
  }
  const Change change = history_.back();
  const std::list<std::weak_ptr<Callback>> subscribers = subscribers_;
  for (const std::weak_ptr<Callback>& subscriber : subscribers) {
    if (const Subscription alive = subscriber.lock()) (*alive)(change);
  }
  return stored;
}

absl::StatusOr<ObjectPtr> ObjectStore::Create(const Kind& kind, NewObject object) {
  metav1::ObjectMeta& meta = MetaOf(*object);
  if (meta.name().empty() && !meta.generatename().empty())
    meta.set_name(meta.generatename() + NewNameSuffix());
  if (meta.name().empty())
    return absl::FailedPreconditionError(
        StrCat(kind.kind,
               " \"\" is invalid: metadata.name: Required value: name or generateName "
               "is required"));
  if (Get(kind, meta.namespace_(), meta.name()).ok())
    return absl::AlreadyExistsError(
        StrCat(kind.QualifiedResource(), " ", GoQuote(meta.name()), " already exists"));
  meta.set_uid(NewUid());
  meta.mutable_creationtimestamp()->set_seconds(absl::ToUnixSeconds(loop_.Now()));
  return Record(Change::Type::kAdded, kind, std::move(object), nullptr);
}

absl::StatusOr<ObjectPtr> ObjectStore::Replace(const Kind& kind, NewObject object) {
  metav1::ObjectMeta& meta = MetaOf(*object);
  ASSIGN_OR_RETURN(const ObjectPtr stored, Get(kind, meta.namespace_(), meta.name()));
  const metav1::ObjectMeta& before = MetaOf(*stored);
  if (!meta.resourceversion().empty() && meta.resourceversion() != before.resourceversion())
    return ConflictError(kind, meta.name());
  meta.set_resourceversion(before.resourceversion());
  if (SameContent(*object, *stored)) return stored;
  return Record(Change::Type::kModified, kind, std::move(object), stored);
}

absl::StatusOr<ObjectPtr> ObjectStore::Remove(const Kind& kind, const std::string& name_space,
                                              const std::string& name) {
  ASSIGN_OR_RETURN(const ObjectPtr stored, Get(kind, name_space, name));
  return Record(Change::Type::kDeleted, kind, CopyOf(*stored), stored);
}

absl::StatusOr<std::vector<Change>> ObjectStore::ChangesAfter(const Kind& kind,
                                                              uint64_t version) const {
  if (version < oldest_)
    return absl::OutOfRangeError(StrCat("too old resource version: ", version, " (", oldest_, ")"));
  std::vector<Change> changes;
  for (const Change& change : history_) {
    if (change.kind == &kind && change.version > version) changes.push_back(change);
  }
  return changes;
}

void ObjectStore::Compact() {
  history_.clear();
  // One version of its own, so that even the version of the last change is too old.
  oldest_ = ++now_.version;
}

ObjectStore::Subscription ObjectStore::Subscribe(Callback callback) {
  subscribers_.remove_if([](const std::weak_ptr<Callback>& weak) { return weak.expired(); });
  Subscription subscription = std::make_shared<Callback>(std::move(callback));
  subscribers_.push_back(subscription);
  return subscription;
}

}  // namespace cubelet::fakes
