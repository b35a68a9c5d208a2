#include "simulation/chaos.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "absl/strings/match.h"
#include "base/clock.h"
#include "base/strings.h"
#include "simulation/invariants.h"
#include "simulation/node_state.h"
#include "simulation/pod_kinds.h"
#include "simulation/sim_node.h"

namespace cubelet::simulation {
namespace {

constexpr int kPodNames = 6;
constexpr int kVariants = 3;
// The longest waits that may still be under way when calm comes: five minutes of back-off or until
// the next listing, one after another.
constexpr absl::Duration kSettleLimit = absl::Minutes(40);
constexpr absl::Duration kStaysFor = absl::Minutes(11);
constexpr absl::Duration kLookEvery = absl::Seconds(5);

// Operations on files that fail together.
struct OperationClass {
  const char* name;
  std::set<std::string, std::less<>> operations;
  std::vector<int> errors;
};

const std::vector<OperationClass>& OperationClasses() {
  static const std::vector<OperationClass> classes = {
      {"write", {"open", "write", "sync", "rename", "mkdir", "symlink", "chmod"}, {ENOSPC, EIO}},
      {"remove", {"unlink", "rmdir"}, {EIO, EBUSY}},
      {"read", {"open", "read", "stat", "list"}, {EIO, EMFILE}},
      {"watch", {"watch"}, {ENOSPC}},
      {"mount", {"mounts.mount", "mounts.bind", "mounts.unmount"}, {EBUSY, EIO}},
      {"mount table", {"mounts.look", "mounts.list"}, {EIO}},
      {"cgroup", {"cgroups.ensure", "cgroups.destroy", "cgroups.list"}, {EBUSY, ENOSPC}},
  };
  return classes;
}

// What may happen in a history.
struct Profile {
  bool kills = false;  // containers and sandboxes die
  bool agent_dies = false;
  bool file_faults = false;
  bool network_goes = false;
  bool watches = false;  // files can be watched
  absl::Duration lasts;
  fakes::FaultRates rates;
  fakes::SimOptions runtime;
};

class Chaos {
 public:
  explicit Chaos(uint64_t seed)
      : random_(seed * 0x9E3779B97F4A7C15u + 1), seed_(seed), profile_(DrawProfile()) {
    SimNode::Options options;
    options.seed = seed;
    options.runtime = profile_.runtime;
    options.watches = profile_.watches;
    node_ = std::make_unique<SimNode>(std::move(options));
    PrepareRuntime(node_->runtime(), node_->loop());
    invariants_ = std::make_unique<Invariants>(*node_);
  }

  ChaosResult Run() {
    node_->StartAgent();
    node_->runtime().faults().SetRates(profile_.rates);
    const absl::Time calm_at = node_->loop().Now() + profile_.lasts;
    while (node_->loop().Now() < calm_at && Well()) {
      Act();
      AdvanceTo(std::min(calm_at, node_->loop().Now() + Duration(absl::Seconds(15))));
    }
    Calm();
    if (Well()) Settle();
    if (Well()) Stay();
    return Result();
  }

 private:
  // ---- Chance

  bool Chance(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }
  absl::Duration Duration(absl::Duration limit) {
    return limit * std::uniform_real_distribution<double>(0, 1)(random_);
  }
  double Rate(double probability, double limit) {
    return Chance(probability) ? limit * std::uniform_real_distribution<double>(0, 1)(random_) : 0;
  }
  template <typename T>
  const T& Pick(const std::vector<T>& list) {
    return list[static_cast<size_t>(Below(static_cast<int>(list.size())))];
  }

  Profile DrawProfile() {
    Profile profile;
    profile.kills = Chance(0.5);
    profile.agent_dies = Chance(0.7);
    profile.file_faults = Chance(0.5);
    profile.network_goes = Chance(0.2);
    profile.watches = Chance(0.5);
    profile.lasts = absl::Seconds(60 + Below(360));
    fakes::FaultRates& rates = profile.rates;
    rates.delay = Rate(0.6, 0.3);
    rates.max_delay = Chance(0.15) ? absl::Seconds(200) : absl::Seconds(1 + Below(20));
    rates.fail_before = Rate(0.5, 0.15);
    rates.fail_after = Rate(0.5, 0.15);
    rates.stale_list = Rate(0.4, 0.2);
    rates.empty_list = Rate(0.4, 0.2);
    rates.drop_event = Rate(0.4, 0.5);
    rates.duplicate_event = Rate(0.4, 0.5);
    rates.lose_process = Rate(0.3, 0.005);
    rates.max_outage = absl::Seconds(1 + Below(60));
    if (profile.kills) {
      rates.kill_container = Rate(0.7, 0.02);
      rates.kill_sandbox = Rate(0.5, 0.01);
    }
    profile.runtime.offers_events = Chance(0.6);
    profile.runtime.force_remove = Chance(0.3);
    if (Chance(0.5)) {
      profile.runtime.run_sandbox_takes = Duration(absl::Seconds(2));
      profile.runtime.create_takes = Duration(absl::Seconds(1));
      profile.runtime.start_takes = Duration(absl::Seconds(1));
      profile.runtime.stop_sandbox_takes = Duration(absl::Seconds(1));
    }
    return profile;
  }

  // ---- What happens to the node

  struct Action {
    int weight;
    bool possible;
    void (Chaos::*act)();
  };

  void Act() {
    const std::vector<Action> actions = {
        {30, true, &Chaos::ChangeManifest},
        {12, true, &Chaos::RemoveManifest},
        {4, true, &Chaos::BreakManifest},
        {8, true, &Chaos::WriteIntoVolume},
        {6, true, &Chaos::RuntimeGoes},
        {8, profile_.kills, &Chaos::KillContainer},
        {5, profile_.kills, &Chaos::KillSandbox},
        {25, profile_.agent_dies && node_->agent_runs(), &Chaos::AgentDies},
        {25, profile_.file_faults, &Chaos::FilesFail},
        {8, profile_.network_goes, &Chaos::NetworkGoes},
    };
    int sum = 0;
    for (const Action& action : actions) sum += action.possible ? action.weight : 0;
    int draw = Below(sum);
    for (const Action& action : actions) {
      if (!action.possible) continue;
      draw -= action.weight;
      if (draw < 0) {
        (this->*action.act)();
        return;
      }
    }
  }

  std::string PodName() { return StrCat("p", Below(kPodNames)); }

  // Few variants, so that what was removed comes again as it was.
  void ChangeManifest() {
    const std::string name = PodName();
    const PodKind& kind = Pick(PodKinds());
    invariants_->WriteManifest(name + ".yaml", name, kind,
                               MakeManifest(kind, name, Below(kVariants)));
    broken_.erase(name);
  }

  void RemoveManifest() {
    const std::string name = PodName();
    const std::string file = name + ".yaml";
    const auto wanted = invariants_->wanted().find(file);
    if (wanted == invariants_->wanted().end() && broken_.erase(name) == 0) return;
    if (wanted == invariants_->wanted().end()) {
      invariants_->RemoveManifest(file);
      return;
    }
    const Invariants::Wanted was = wanted->second;
    invariants_->RemoveManifest(file);
    if (!Chance(0.3)) return;
    // Soon there again, the same.
    AdvanceTo(node_->loop().Now() + Duration(absl::Seconds(3)));
    for (int variant = 0; variant < kVariants; ++variant) {
      const std::string yaml = MakeManifest(was.kind, name, variant);
      const auto pod = node_->ParseManifest(file, yaml);
      if (pod.ok() && (*pod)->metadata().uid() == was.uid)
        invariants_->WriteManifest(file, name, was.kind, yaml);
    }
  }

  void BreakManifest() {
    const std::string name = PodName();
    invariants_->WriteBrokenManifest(name + ".yaml", "apiVersion: v1\nkind: Pod\nspec: {");
    broken_.insert(name);
  }

  // Data in an emptyDir lives as long as the pod.
  void WriteIntoVolume() {
    for (const auto& [file, wanted] : invariants_->wanted()) {
      if (wanted.kind.name != "volumes") continue;
      const std::string directory = DataVolume(wanted.uid);
      if (!std::filesystem::exists(directory) ||
          node_->runtime().ReadySandboxes(wanted.uid).empty())
        continue;
      std::ofstream(directory + "/written") << seed_;
      written_[wanted.uid] = node_->loop().Now();
    }
  }

  std::string DataVolume(const std::string& uid) const {
    return node_->paths().PodVolume(uid, "kubernetes.io~empty-dir", "data");
  }

  void RuntimeGoes() {
    if (!node_->runtime().up()) return;
    node_->runtime().GoDown();
    back_at_ = node_->loop().Now() + Duration(Chance(0.2) ? absl::Minutes(4) : absl::Seconds(20));
  }

  void KillContainer() {
    std::vector<std::string> running;
    for (const auto& [id, container] : node_->runtime().containers()) {
      if (container.running()) running.push_back(id);
    }
    if (!running.empty()) node_->runtime().KillContainer(Pick(running));
  }

  void KillSandbox() {
    std::vector<std::string> ready;
    for (const auto& [id, sandbox] : node_->runtime().sandboxes()) {
      if (sandbox.ready) ready.push_back(id);
    }
    if (!ready.empty()) node_->runtime().KillSandbox(Pick(ready));
  }

  void AgentDies() {
    switch (Below(3)) {
      case 0:
        Kill();
        break;
      case 1:
        steps_to_live_ = 1 + Below(200);
        break;
      default:
        node_->DieAtOperation(static_cast<uint64_t>(1 + Below(40)));
        break;
    }
  }

  void FilesFail() {
    failing_.clear();
    for (const OperationClass& operations : OperationClasses()) {
      if (Chance(0.35)) failing_.push_back(&operations);
    }
    std::string names;
    for (const OperationClass* operations : failing_) StrAppend(&names, " ", operations->name);
    node_->Note(StrCat("files fail:", names));
    failing_rate_ = Pick(std::vector<double>{0.05, 0.3, 1});
    files_work_at_ = node_->loop().Now() + absl::Seconds(1) + Duration(absl::Seconds(60));
    node_->SetFaults([this](std::string_view operation, std::string_view path) {
      return FaultOf(operation, path);
    });
  }

  int FaultOf(std::string_view operation, std::string_view) {
    for (const OperationClass* operations : failing_) {
      if (operations->operations.contains(operation) && Chance(failing_rate_))
        return Pick(operations->errors);
    }
    return 0;
  }

  void NetworkGoes() {
    node_->runtime().SetReady(true, false, "cni plugin not initialized");
    network_at_ = node_->loop().Now() + Duration(absl::Seconds(60));
  }

  // ---- Time

  void Kill() {
    steps_to_live_ = 0;
    node_->KillAgent(Chance(0.5) ? SimNode::CallsUnderWay::kGoOn : SimNode::CallsUnderWay::kEnd);
  }

  // Everything that was to happen until now.
  void Due() {
    const absl::Time now = node_->loop().Now();
    if (now >= back_at_) {
      node_->runtime().ComeBack();
      back_at_ = absl::InfiniteFuture();
    }
    if (now >= network_at_) {
      node_->runtime().SetReady(true, true);
      network_at_ = absl::InfiniteFuture();
    }
    if (now >= files_work_at_) {
      node_->SetFaults(nullptr);
      node_->Note("files work");
      files_work_at_ = absl::InfiniteFuture();
    }
    if (node_->agent_runs()) {
      start_at_ = absl::InfiniteFuture();
    } else if (start_at_ == absl::InfiniteFuture()) {
      start_at_ = now + Duration(Chance(0.3) ? absl::Seconds(60) : absl::Seconds(2));
    } else if (now >= start_at_) {
      // As systemd does it.
      start_at_ = node_->TryStartAgent() ? absl::InfiniteFuture() : now + absl::Seconds(1);
    }
  }

  void AdvanceTo(absl::Time until) {
    while (node_->loop().Now() < until && Well()) {
      Due();
      const absl::Time next = std::min({until, back_at_, network_at_, files_work_at_, start_at_});
      node_->Step(std::max(next - node_->loop().Now(), absl::ZeroDuration()));
      ++steps_;
      if (steps_to_live_ > 0 && --steps_to_live_ == 0 && node_->agent_runs()) Kill();
      invariants_->Check();
    }
  }

  void Calm() {
    node_->Note("calm");
    node_->SetFaults(nullptr);
    node_->DieAtOperation(0);
    steps_to_live_ = 0;
    node_->runtime().faults().Quiet();
    node_->runtime().ComeBack();
    node_->runtime().SetReady(true, true);
    back_at_ = network_at_ = files_work_at_ = absl::InfiniteFuture();
    if (!node_->agent_runs()) node_->StartAgent();
    calm_at_ = node_->loop().Now();
  }

  std::vector<std::string> LookAround() {
    return Unmet(*node_, *invariants_, {.killed = profile_.kills});
  }

  void Settle() {
    std::vector<std::string> unmet = LookAround();
    while (!unmet.empty() && Well() && node_->loop().Now() < calm_at_ + kSettleLimit) {
      AdvanceTo(node_->loop().Now() + kLookEvery);
      unmet = LookAround();
    }
    for (std::string& what : unmet) failures_.push_back("in the end: " + std::move(what));
    CheckRuns();
    CheckVolumes();
  }

  // What is as it must be stays so.
  void Stay() {
    AdvanceTo(node_->loop().Now() + kStaysFor);
    for (std::string& what : LookAround()) failures_.push_back("after a while: " + std::move(what));
    CheckRuns();
    CheckVolumes();
  }

  // Nothing was killed: what does not end by itself runs as it was started.
  void CheckRuns() {
    if (profile_.kills) return;
    for (const auto& [file, wanted] : invariants_->wanted()) {
      if (wanted.kind.end != End::kReady || !OnceOnly(wanted)) continue;
      const size_t runs = invariants_->Runs(wanted.uid, "main");
      const int restarts = node_->RestartCount(wanted.pod_name, "main");
      if (runs != 1)
        failures_.push_back(StrCat("main of pod ", wanted.uid, " has run ", runs, " times"));
      if (restarts != 0 && invariants_->Created(wanted.uid, "main") == 1)
        failures_.push_back(StrCat("main of pod ", wanted.uid, " has ", restarts, " restarts"));
    }
  }

  // Whether the pod has had no reason at all to be started anew: never given up, and no check in it
  // that a failing runtime could have failed.
  bool OnceOnly(const Invariants::Wanted& wanted) const {
    return invariants_->GivenUp(wanted.uid) == 0 && !absl::StrContains(wanted.kind.spec, "exec");
  }

  void CheckVolumes() {
    for (const auto& [uid, when] : written_) {
      if (invariants_->WantedSince(uid) > when) continue;
      if (!std::filesystem::exists(DataVolume(uid) + "/written"))
        failures_.push_back(StrCat("the data of pod ", uid, " is lost"));
    }
  }

  // ---- The end

  bool Well() const { return failures_.empty() && invariants_->broken().empty(); }

  ChaosResult Result() {
    ChaosResult result;
    result.failures = invariants_->broken();
    result.failures.insert(result.failures.end(), failures_.begin(), failures_.end());
    if (!result.failures.empty()) {
      result.diagnosis = StrCat("calm at ", FormatTimeNano(calm_at_), "\n", node_->Diagnosis(300));
    }
    result.journal = node_->runtime().journal().Text(SIZE_MAX);
    result.faults = node_->runtime().faults().injected();
    result.lives = node_->lives();
    result.steps = steps_;
    result.pods = invariants_->wanted().size();
    return result;
  }

  std::mt19937_64 random_;
  const uint64_t seed_;
  const Profile profile_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<Invariants> invariants_;
  std::set<std::string> broken_;               // pods whose manifest holds none
  std::map<std::string, absl::Time> written_;  // uids of pods with data in a volume
  std::vector<const OperationClass*> failing_;
  double failing_rate_ = 0;
  int steps_to_live_ = 0;  // of the agent; 0: no end is set
  absl::Time back_at_ = absl::InfiniteFuture();
  absl::Time network_at_ = absl::InfiniteFuture();
  absl::Time files_work_at_ = absl::InfiniteFuture();
  absl::Time start_at_ = absl::InfiniteFuture();
  absl::Time calm_at_ = absl::InfiniteFuture();
  uint64_t steps_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace

ChaosResult RunChaos(uint64_t seed) { return Chaos(seed).Run(); }

}  // namespace cubelet::simulation
