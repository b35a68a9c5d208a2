#include "simulation/node_state.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::simulation {
namespace {

// Instances of a container that do not run, at a moment: the one that is kept, the one that has
// just ended, the one that is about to start.
constexpr size_t kMaxDeadInstances = 3;

std::set<std::string> NamesIn(const std::string& directory) {
  const auto names = os::ListDirectory(directory);
  if (!names.ok()) return {};
  return {names->begin(), names->end()};
}

class Look {
 public:
  Look(SimNode& node, const Invariants& invariants, const NodeExpectation& expectation)
      : node_(node), invariants_(invariants), expectation_(expectation) {}

  std::vector<std::string> Run() {
    if (!node_.agent_runs()) return {"no agent runs"};
    for (const auto& [file, wanted] : invariants_.wanted()) Pod(wanted);
    if (!unmet_.empty()) return unmet_;
    Runtime();
    Disk();
    Tasks();
    return unmet_;
  }

 private:
  void Unmet(std::string_view what) { unmet_.emplace_back(what); }
  bool Knows(const std::string& uid) const { return invariants_.IsWanted(uid); }

  void Pod(const Invariants::Wanted& wanted) {
    const std::string about =
        StrCat("pod ", wanted.pod_name, " (", wanted.kind.name, ", ", wanted.uid, "): ");
    const auto report = node_.FindPod(wanted.pod_name);
    if (!report || report->pod->metadata().uid() != wanted.uid) {
      Unmet(StrCat(about, "not reported"));
      return;
    }
    const std::string& phase = report->status->phase();
    const bool ended = phase == "Succeeded" || phase == "Failed";
    if (!IsAtItsEnd(wanted, *report)) {
      Unmet(StrCat(about, "phase ", phase, node_.IsReady(wanted.pod_name) ? ", ready" : "",
                   report->terminating ? ", terminating" : "", ", reason \"",
                   report->status->reason(), "\", main waits for \"",
                   node_.WaitingReason(wanted.pod_name, "main"), "\", restarts ",
                   node_.RestartCount(wanted.pod_name, "main"), ", error \"",
                   report->circumstances.sync_error, "\""));
    }
    const size_t sandboxes = node_.runtime().ReadySandboxes(wanted.uid).size();
    if (sandboxes != (ended ? 0 : 1)) Unmet(StrCat(about, sandboxes, " ready sandboxes"));
    const size_t live = node_.runtime().LiveContainers(wanted.uid).size();
    if (ended && live != 0) Unmet(StrCat(about, live, " containers run on"));
    if (ended == node_.cgroups().pods().contains(wanted.uid))
      Unmet(StrCat(about, ended ? "cgroup is left" : "no cgroup"));
    if (ended) ended_.insert(wanted.uid);
  }

  bool IsAtItsEnd(const Invariants::Wanted& wanted, const pods::PodReport& report) {
    const std::string& name = wanted.pod_name;
    const std::string& phase = report.status->phase();
    const std::string waiting = node_.WaitingReason(name, "main");
    // One that was given up for a while may have been ended in the meantime.
    const bool may_fail =
        wanted.kind.may_fail && (expectation_.killed || invariants_.GivenUp(wanted.uid) > 0);
    switch (wanted.kind.end) {
      case End::kReady:
        return phase == "Running" && node_.IsReady(name) && report.circumstances.sync_error.empty();
      case End::kSucceeded:
        return phase == "Succeeded" || (may_fail && phase == "Failed");
      case End::kFailed:
        return phase == "Failed";
      case End::kDeadline:
        return phase == "Failed" && report.status->reason() == "DeadlineExceeded";
      case End::kRestarting:
        return (phase == "Running" || phase == "Pending") && node_.RestartCount(name, "main") >= 2;
      case End::kRunning:
        return phase == "Running";
      case End::kImageMissing:
        return phase == "Pending" && (waiting == "ImagePullBackOff" || waiting == "ErrImagePull");
    }
    return false;
  }

  void Runtime() {
    std::map<std::string, size_t> dead;
    for (const auto& [id, container] : node_.runtime().containers()) {
      if (!Knows(container.pod_uid)) Unmet(StrCat("container of unknown pod ", container.pod_uid));
      const std::string name = StrCat(container.pod_uid, "/", container.name());
      if (!container.running() && ++dead[name] > kMaxDeadInstances)
        Unmet(StrCat(dead[name], " dead instances of ", name));
    }
    for (const auto& [id, sandbox] : node_.runtime().sandboxes()) {
      if (!Knows(sandbox.pod_uid())) Unmet(StrCat("sandbox of unknown pod ", sandbox.pod_uid()));
    }
    for (const auto& [uid, qos] : node_.cgroups().pods()) {
      if (!Knows(uid)) Unmet(StrCat("cgroup of unknown pod ", uid));
    }
  }

  void Disk() {
    for (const std::string& uid : NamesIn(node_.paths().Pods())) {
      if (!Knows(uid)) Unmet(StrCat("directory of unknown pod ", uid));
    }
    for (const std::string& name : NamesIn(node_.paths().pod_logs())) {
      if (!Knows(name.substr(name.rfind('_') + 1))) Unmet(StrCat("log directory ", name));
    }
    for (const std::string& name : NamesIn(node_.paths().container_logs())) {
      const std::string path = os::JoinPath(node_.paths().container_logs(), name);
      if (!std::filesystem::exists(path)) Unmet(StrCat("dead link ", name));
    }
    for (const auto& [target, mount] : node_.mounter().mounts()) {
      const std::string below = target.substr(node_.paths().Pods().size() + 1);
      const std::string uid = below.substr(0, below.find('/'));
      if (!Knows(uid) || ended_.contains(uid)) Unmet(StrCat("mount ", below));
    }
  }

  void Tasks() {
    static const std::set<std::string> kStanding = {"relist", "runtime events", "file source",
                                                    "runtime status", "log writes"};
    size_t workers = 0;
    for (const async::Loop::TaskInfo& task : node_.loop().Tasks()) {
      if (kStanding.contains(task.name)) continue;
      if (absl::StartsWith(task.name, "probe ") || absl::StartsWith(task.name, "check log"))
        continue;
      if (absl::StartsWith(task.name, "pod ")) {
        ++workers;
      } else {
        Unmet(StrCat("task ", task.scope, "/", task.name));
      }
    }
    const size_t live = invariants_.wanted().size() - ended_.size();
    if (workers != live) Unmet(StrCat(workers, " workers for ", live, " pods"));
  }

  SimNode& node_;
  const Invariants& invariants_;
  const NodeExpectation& expectation_;
  std::set<std::string> ended_;  // uids of pods that are to have nothing left running
  std::vector<std::string> unmet_;
};

}  // namespace

std::vector<std::string> Unmet(SimNode& node, const Invariants& invariants,
                               const NodeExpectation& expectation) {
  return Look(node, invariants, expectation).Run();
}

}  // namespace cubelet::simulation
