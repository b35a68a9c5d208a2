// The objects of a cluster in memory, with resource versions and the history that watches read.
// Knows nothing of HTTP, of defaults or of what a kind means; errors are those of the API server:
//
//   NOT_FOUND        `pods "web" not found`
//   ALREADY_EXISTS   `pods "web" already exists`
//   ABORTED          the object has been modified (a conflict)
//   OUT_OF_RANGE     a resource version that is too old
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "fakes/api_server/kinds.h"
#include "fakes/api_server/objects.h"

namespace cubelet::fakes {

struct Change {
  enum class Type { kAdded, kModified, kDeleted };
  Type type = Type::kAdded;
  const Kind* kind = nullptr;
  ObjectPtr object;    // as it is now; for a deletion as it was, with the deletion's version
  ObjectPtr previous;  // null for an addition
  uint64_t version = 0;
};

class ObjectStore {
 public:
  explicit ObjectStore(async::Loop& loop) : loop_(loop) {}

  // The version of the last change.
  uint64_t version() const { return now_.version; }

  // `name_space` is "" for kinds without one. With `stale` what Freeze kept is read.
  absl::StatusOr<ObjectPtr> Get(const Kind& kind, const std::string& name_space,
                                const std::string& name, bool stale = false) const;

  // In the order of namespaces and names; "" lists all namespaces.
  std::vector<ObjectPtr> List(const Kind& kind, const std::string& name_space,
                              bool stale = false) const;
  uint64_t VersionOfReads(bool stale) const;

  // Sets uid, creationTimestamp and resourceVersion; a name is made from generateName.
  absl::StatusOr<ObjectPtr> Create(const Kind& kind, NewObject object);

  // Replaces the object of that name. A resourceVersion that is set must be the stored one. What is
  // the same as before gets no new version.
  absl::StatusOr<ObjectPtr> Replace(const Kind& kind, NewObject object);

  absl::StatusOr<ObjectPtr> Remove(const Kind& kind, const std::string& name_space,
                                   const std::string& name);

  // The changes after `version`, oldest first.
  absl::StatusOr<std::vector<Change>> ChangesAfter(const Kind& kind, uint64_t version) const;

  // Forgets the history: whoever wants to go on from an older version must list again.
  void Compact();

  // Stale reads see what is there now until they are thawed.
  void Freeze() { frozen_ = now_; }
  void Thaw() { frozen_.reset(); }

  // Calls `callback` at each change, until the handle is dropped.
  using Callback = std::function<void(const Change&)>;
  using Subscription = std::shared_ptr<Callback>;
  Subscription Subscribe(Callback callback);

  std::string NewUid();
  std::string NewNameSuffix();  // "x8k2p"

 private:
  using Key = std::pair<std::string, std::string>;
  using Objects = std::map<Key, ObjectPtr>;
  struct State {
    uint64_t version = 1;
    std::map<const Kind*, Objects> objects;
  };
  const State& View(bool stale) const { return stale && frozen_.has_value() ? *frozen_ : now_; }
  ObjectPtr Record(Change::Type type, const Kind& kind, NewObject object, ObjectPtr previous);

  async::Loop& loop_;
  State now_;
  std::optional<State> frozen_;
  std::deque<Change> history_;
  uint64_t oldest_ = 0;  // changes up to this version are forgotten
  std::list<std::weak_ptr<Callback>> subscribers_;
};

// The error of a name that is not there.
absl::Status NotFoundError(const Kind& kind, const std::string& name);

}  // namespace cubelet::fakes
