// Everything that was asked of a simulated runtime and everything that changed in it, in order,
// with the rules that no history may break.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cubelet::fakes {

struct JournalEntry {
  enum class Kind { kCall, kAnswer, kChange };
  absl::Time at;
  Kind kind = Kind::kCall;
  // The method of a call or answer ("CreateContainer"); what changed otherwise: "sandbox ready",
  // "sandbox stopped", "sandbox removed", "container created", "container running", "container
  // exited", "container removed", "image present", "image removed", "runtime down", "runtime up".
  std::string what;
  std::string id;       // of the sandbox or container, or the name of the image; "" if none
  std::string pod_uid;  // "" if it is of no pod
  std::string name;     // of the container
  std::string detail;   // exit code, fault, message
  absl::StatusCode code = absl::StatusCode::kOk;  // of an answer
};

class Journal {
 public:
  // Keeps the last `limit` entries; 0 keeps none, and checks nothing.
  explicit Journal(size_t limit) : limit_(limit) {}

  bool enabled() const { return limit_ > 0; }
  void Add(JournalEntry entry);

  // Called with each entry as it is added, for rules of the caller's own.
  void SetObserver(std::function<void(const JournalEntry&)> observer) {
    observer_ = std::move(observer);
  }

  const std::deque<JournalEntry>& entries() const { return entries_; }

  // How many calls of `method` there were, and of them for one object.
  size_t Calls(std::string_view method) const;
  size_t Calls(std::string_view method, std::string_view id) const;

  // How often something changed for a container of a pod ("container running").
  size_t Changes(std::string_view what, std::string_view pod_uid, std::string_view name = "") const;

  // Broken rules, as sentences with the time:
  // - never two running instances of one container of a pod
  // - never two ready sandboxes of one pod
  const std::vector<std::string>& violations() const { return violations_; }

  // The last `count` entries, one a line.
  std::string Text(size_t count = 100) const;

 private:
  void Check(const JournalEntry& entry);
  void CheckOnlyOne(std::set<std::string>& alive, const JournalEntry& entry, const char* what);

  const size_t limit_;
  std::deque<JournalEntry> entries_;
  std::map<std::string, std::set<std::string>> running_;  // "<pod uid>/<container>": ids
  std::map<std::string, std::set<std::string>> ready_;    // pod uid: ids of sandboxes
  std::vector<std::string> violations_;
  std::function<void(const JournalEntry&)> observer_;
};

}  // namespace cubelet::fakes
