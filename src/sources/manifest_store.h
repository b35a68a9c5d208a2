// The manifests of a path as last read: which files, what identifies their content, and the pod or
// the fault in each. A scan makes the next store from the last one and the disk; it runs on the
// pool.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/types.h"
#include "sources/source.h"
#include "sources/static_pod.h"

namespace cubelet::sources {

// Differs whenever a file's content can have changed.
struct Fingerprint {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;

  bool operator==(const Fingerprint&) const = default;
};

struct Manifest {
  Fingerprint fingerprint;
  PodPtr pod;           // null when there is a fault in the content
  std::string problem;  // why it has no pod
  // The fault was seen for the first time: the file may be in the middle of being written. Until
  // the next scan finds the same content `pod` is the one that the file had before.
  bool unconfirmed = false;
  // The fault is the disk's: what the file holds is not known, and `pod` stays the one it had.
  bool unreadable = false;
  std::vector<std::string> unknown_fields;
};

struct ManifestStore {
  std::map<std::string, Manifest> files;  // by path, sorted

  bool AnyUnconfirmed() const;
  bool AnyUnknown() const;  // a file that could not be read, and never before
};

struct ScanResult {
  absl::Status status;  // not OK: the path itself could not be read, and `store` is the last one
  bool path_exists = true;
  std::shared_ptr<const ManifestStore> store;
  std::vector<std::string> read;  // files whose content was looked at, sorted
};

// Lists `path` (a directory or one file) and reads what differs from `last` (may be null) or is
// named in `dirty` (file names or paths). A path that does not exist is an empty store. Blocks.
ScanResult ScanManifests(const std::string& path, const std::string& node_name,
                         std::shared_ptr<const ManifestStore> last,
                         const std::set<std::string>& dirty);

// The pods of a store, and what is wrong with the others. Two files with the same pod (by name or
// UID): the last one in the order of paths counts, the other one is a problem.
struct PodSet {
  std::vector<PodPtr> pods;
  Problems problems;
};
PodSet PodsOf(const ManifestStore& store);

}  // namespace cubelet::sources
