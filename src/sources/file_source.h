// Static pods from manifest files (pod-lifecycle.md 1.3): a directory, first level only, or one
// file, in JSON or YAML, one Pod each.
//
// inotify wakes the source when something changes; every `check_frequency` the directory is listed
// in any case. What has not changed (device, inode, size, times) is not read again, so a rescan
// costs one listing and a stat per file. A broken manifest keeps no other pod from being delivered;
// its own pod is not wanted while it is broken.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "async/backoff.h"
#include "async/loop.h"
#include "async/scope.h"
#include "os/inotify.h"
#include "sources/manifest_store.h"
#include "sources/source.h"

namespace cubelet::sources {

class FileSource {
 public:
  struct Options {
    std::string path;  // staticPodPath; trailing slashes are stripped
    std::string node_name;
    absl::Duration check_frequency = absl::Seconds(20);
    // Changes that come within this time are one delivery.
    absl::Duration settle = absl::Milliseconds(20);
  };

  FileSource(async::Loop& loop, Options options, Deliver deliver, ReportProblems report);

  // Starts reading and watching in `scope`; both end when the scope is closed. The first set is
  // delivered as soon as the path has been read. Must outlive the tasks of the scope.
  void Start(async::TaskScope& scope);

 private:
  async::Task<void> Run();
  async::Task<void> Scan();
  async::Task<void> WaitForChange();
  absl::Status Watch();
  bool TakeEvents();
  absl::Duration NextLook();
  void Publish(const ScanResult& result);
  void PublishPods(std::vector<PodPtr> pods, bool complete);
  void PublishProblems(Problems problems);

  async::Loop& loop_;
  const Options options_;
  const Deliver deliver_;
  const ReportProblems report_;

  std::shared_ptr<const ManifestStore> store_;  // what was read last; the pool only reads it
  std::optional<std::vector<PodPtr>> delivered_;
  bool complete_ = false;  // what was delivered
  Problems problems_;
  bool missing_ = false;

  std::optional<os::Inotify> inotify_;
  int watch_ = -1;
  bool watch_failed_ = false;
  async::Backoff watch_backoff_;
  std::set<std::string> dirty_;  // names the kernel has told of since the last scan
};

}  // namespace cubelet::sources
