// What a source's new set changes (pod-lifecycle.md 1.6). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/types.h"

namespace cubelet::sources {

struct KnownPod {
  PodPtr pod;        // with our annotations
  PodPtr delivered;  // as the source had it: the same object again is the same pod
};
// Pods of one source by UID.
using KnownPods = std::map<std::string, KnownPod>;

struct Duplicate {
  PodPtr pod;
  // `Error validating pod %s from %s due to duplicate pod name %q, ignoring`: the event
  // FailedValidation (Warning) on the pod.
  std::string message;
};

// To be acted on in this order. Pods carry the annotations config.source and config.seen.
struct Changes {
  std::vector<PodPtr> removed;     // not wanted any more, as last known
  std::vector<PodPtr> added;       // seen for the first time
  std::vector<PodPtr> updated;     // spec, labels or annotations differ
  std::vector<PodPtr> deleted;     // the same, and to be deleted gracefully
  std::vector<PodPtr> reconciled;  // only the status differs
  std::vector<Duplicate> duplicates;
  KnownPods known;  // what to pass in next time

  bool empty() const {
    return removed.empty() && added.empty() && updated.empty() && deleted.empty() &&
           reconciled.empty();
  }
};

// `delivery` is the complete set of `source`. `now` becomes config.seen (local time) of new pods.
Changes Merge(std::string_view source, const KnownPods& known, const std::vector<PodPtr>& delivery,
              absl::Time now);

}  // namespace cubelet::sources
