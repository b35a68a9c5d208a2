// A map of bounded size: what has not been used for longest makes room.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace cubelet::kube {

template <typename Key, typename Value>
class LruMap {
 public:
  explicit LruMap(size_t limit) : limit_(limit) {}

  // The value of `key`, now the last to go; `initial` when there was none. Good until the next
  // call.
  Value& Touch(const Key& key, Value initial) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
    } else {
      if (entries_.size() == limit_) {
        index_.erase(entries_.back().first);
        entries_.pop_back();
      }
      entries_.emplace_front(key, std::move(initial));
      index_.emplace(key, entries_.begin());
    }
    return entries_.front().second;
  }

  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  const size_t limit_;
  Entries entries_;  // newest first
  absl::flat_hash_map<Key, typename Entries::iterator> index_;
};

}  // namespace cubelet::kube
