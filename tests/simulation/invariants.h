// What must be true of a simulated node at every moment, whatever goes wrong:
//
// - never two live copies of a container, nor two sandboxes of a pod (the journal's own rules);
// - no container runs once more without a cause: its policy, or a new sandbox, asks for it;
// - the agent ends no container without a cause: its pod is not wanted (any more), is over, has
//   lost its sandbox or failed a probe or a hook;
// - no pod is lost: what the agent has once taken from a manifest it keeps while that is there.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/journal.h"
#include "simulation/pod_kinds.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {

class Invariants {
 public:
  // A manifest that is there.
  struct Wanted {
    std::string pod_name;  // as in the manifest
    std::string uid;
    PodKind kind;
  };

  // Looks on from now on; `node` outlives it.
  explicit Invariants(SimNode& node);
  ~Invariants();

  // Every change of manifests goes through here. A manifest must hold a valid pod.
  void WriteManifest(const std::string& file, const std::string& pod_name, const PodKind& kind,
                     const std::string& yaml);
  // One that holds none: the pod that was there before is not wanted any more.
  void WriteBrokenManifest(const std::string& file, const std::string& text);
  void RemoveManifest(const std::string& file);

  // To be called after every step.
  void Check();

  // What was broken, as sentences with the time.
  const std::vector<std::string>& broken() const { return broken_; }

  const std::map<std::string, Wanted>& wanted() const { return wanted_; }  // by file
  bool IsWanted(const std::string& uid) const;

  // Since when the pod has been wanted without interruption as it is; InfiniteFuture: it is not.
  absl::Time WantedSince(const std::string& uid) const;

  // How often the pod was given up so far.
  int GivenUp(const std::string& uid) const;

  // How often a container of a pod was created, and how often it ran.
  size_t Created(const std::string& uid, const std::string& container) const;
  size_t Runs(const std::string& uid, const std::string& container) const;

 private:
  struct Container {
    std::string uid;
    std::string name;
    std::string sandbox_id;
    absl::Time created;
    bool running = false;
    bool exited = false;
    int exit_code = 0;
    absl::Time exited_at;
    bool stopped = false;       // the agent has asked for its end
    bool check_failed = false;  // a probe or hook in it did not succeed
  };
  struct Pod {
    PodPtr pod;
    PodKind kind;
    absl::Time wanted_since = absl::InfiniteFuture();
    int given_up = 0;
    absl::Time sandbox_ready = absl::InfinitePast();      // when the newest one was
    std::map<std::string, std::vector<std::string>> ran;  // container: ids in order of starting
    std::map<std::string, size_t> created;
  };

  void NotWanted(const std::string& file);
  void Look(const fakes::JournalEntry& entry);
  void LookAtStart(const fakes::JournalEntry& entry);
  void LookAtStop(const std::string& container_id, const std::string& call);
  bool MayRunAgain(const Pod& pod, const Container& last) const;
  bool HasCauseToStop(const Pod& pod, const Container& container) const;
  bool IsBeingEnded(const std::string& uid) const;
  bool IsOver(const Pod& pod) const;
  const Container* LastRun(const Pod& pod, const std::string& name) const;
  void CheckReports();
  void Broken(std::string what);

  SimNode& node_;
  std::map<std::string, Wanted> wanted_;
  std::map<std::string, Pod> pods_;              // by uid, all there ever were
  std::map<std::string, Container> containers_;  // by id, all there ever were
  std::set<std::string> taken_;                  // uids that this agent has shown
  uint64_t life_ = 0;                            // the agent's that has shown them
  size_t violations_ = 0;                        // of the journal's, seen
  std::vector<std::string> broken_;
};

}  // namespace cubelet::simulation
