#include "simulation/invariants.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "api/pod.h"
#include "api/restart.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/strings.h"

namespace cubelet::simulation {
namespace {

using fakes::JournalEntry;

// "exit code 3" of a container's end.
int ExitCodeIn(const std::string& detail) {
  absl::string_view text = detail;
  int code = 128;
  if (absl::ConsumePrefix(&text, "exit code ")) (void)absl::SimpleAtoi(text, &code);
  return code;
}

}  // namespace

Invariants::Invariants(SimNode& node) : node_(node) {
  node_.runtime().journal().SetObserver([this](const JournalEntry& entry) { Look(entry); });
}

Invariants::~Invariants() { node_.runtime().journal().SetObserver(nullptr); }

// ---- What is wanted

void Invariants::WriteManifest(const std::string& file, const std::string& pod_name,
                               const PodKind& kind, const std::string& yaml) {
  const absl::StatusOr<PodPtr> pod = node_.ParseManifest(file, yaml);
  CHECK(pod.ok());
  const std::string uid = (*pod)->metadata().uid();
  const auto before = wanted_.find(file);
  Pod& known = pods_[uid];
  const bool same =
      before != wanted_.end() && before->second.uid == uid && before->second.kind.spec == kind.spec;
  if (!same) {
    NotWanted(file);
    known.wanted_since = node_.loop().Now();
  }
  known.pod = *pod;
  known.kind = kind;
  wanted_[file] = {pod_name, uid, kind};
  node_.WriteManifest(file, yaml);
}

void Invariants::WriteBrokenManifest(const std::string& file, const std::string& text) {
  CHECK(!node_.ParseManifest(file, text).ok());
  NotWanted(file);
  node_.WriteManifest(file, text);
}

void Invariants::RemoveManifest(const std::string& file) {
  NotWanted(file);
  node_.RemoveManifest(file);
}

void Invariants::NotWanted(const std::string& file) {
  const auto it = wanted_.find(file);
  if (it == wanted_.end()) return;
  Pod& pod = pods_[it->second.uid];
  pod.wanted_since = absl::InfiniteFuture();
  ++pod.given_up;
  taken_.erase(it->second.uid);
  wanted_.erase(it);
}

bool Invariants::IsWanted(const std::string& uid) const {
  return std::any_of(wanted_.begin(), wanted_.end(),
                     [&](const auto& item) { return item.second.uid == uid; });
}

absl::Time Invariants::WantedSince(const std::string& uid) const {
  const auto it = pods_.find(uid);
  return it == pods_.end() ? absl::InfiniteFuture() : it->second.wanted_since;
}

int Invariants::GivenUp(const std::string& uid) const {
  const auto it = pods_.find(uid);
  return it == pods_.end() ? 0 : it->second.given_up;
}

// ---- What happens

size_t Invariants::Created(const std::string& uid, const std::string& container) const {
  const auto pod = pods_.find(uid);
  if (pod == pods_.end()) return 0;
  const auto created = pod->second.created.find(container);
  return created == pod->second.created.end() ? 0 : created->second;
}

size_t Invariants::Runs(const std::string& uid, const std::string& container) const {
  const auto pod = pods_.find(uid);
  if (pod == pods_.end()) return 0;
  const auto ran = pod->second.ran.find(container);
  return ran == pod->second.ran.end() ? 0 : ran->second.size();
}

void Invariants::Look(const JournalEntry& entry) {
  if (entry.kind == JournalEntry::Kind::kCall) {
    if (entry.what == "StopContainer") LookAtStop(entry.id, entry.what);
    if (entry.what == "StopPodSandbox") {
      for (const auto& [id, container] : containers_) {
        if (container.sandbox_id == entry.id && container.running) LookAtStop(id, entry.what);
      }
    }
    return;
  }
  if (entry.kind == JournalEntry::Kind::kAnswer) {
    const auto it = containers_.find(entry.id);
    if (entry.what == "ExecSync" && entry.code != absl::StatusCode::kOk && it != containers_.end())
      it->second.check_failed = true;
    return;
  }
  if (entry.what == "sandbox ready") pods_[entry.pod_uid].sandbox_ready = entry.at;
  if (entry.what == "container created") {
    Container& container = containers_[entry.id];
    container.uid = entry.pod_uid;
    container.name = entry.name;
    container.created = entry.at;
    ++pods_[entry.pod_uid].created[entry.name];
  }
  if (entry.what == "container running") LookAtStart(entry);
  if (entry.what == "container exited") {
    Container& container = containers_[entry.id];
    container.running = false;
    container.exited = true;
    container.exit_code = ExitCodeIn(entry.detail);
    container.exited_at = entry.at;
  }
}

void Invariants::LookAtStart(const JournalEntry& entry) {
  Pod& pod = pods_[entry.pod_uid];
  Container& container = containers_[entry.id];
  container.running = true;
  container.sandbox_id = node_.runtime().containers().at(entry.id).sandbox_id;
  const Container* last = LastRun(pod, entry.name);
  if (last != nullptr && last->exited && !MayRunAgain(pod, *last))
    Broken(StrCat("container ", entry.name, " of pod ", entry.pod_uid,
                  " was started again although it had ended with ", last->exit_code));
  pod.ran[entry.name].push_back(entry.id);
}

const Invariants::Container* Invariants::LastRun(const Pod& pod, const std::string& name) const {
  const auto ran = pod.ran.find(name);
  return ran == pod.ran.end() || ran->second.empty() ? nullptr
                                                     : &containers_.at(ran->second.back());
}

bool Invariants::MayRunAgain(const Pod& pod, const Container& last) const {
  // It ran for a wish that was given up in the meantime.
  if (pod.pod == nullptr || pod.wanted_since >= last.created) return true;
  // What it ended with does not count when it was made to end, or to be: the agent believed it to
  // run.
  if (last.stopped) return true;
  api::ContainerType type = api::ContainerType::kRegular;
  const v1::Container* container = api::FindContainer(*pod.pod, last.name, &type);
  if (container == nullptr) return false;
  if (type == api::ContainerType::kInit && !api::IsSidecar(*container)) {
    // A new sandbox begins from the start.
    if (pod.sandbox_ready > last.created) return true;
    return last.exit_code != 0 && pod.pod->spec().restartpolicy() != "Never";
  }
  return api::RestartsAfter(*pod.pod, *container, last.exit_code);
}

void Invariants::LookAtStop(const std::string& container_id, const std::string& call) {
  const auto it = containers_.find(container_id);
  if (it == containers_.end()) return;
  Container& container = it->second;
  container.stopped = true;
  if (!container.running || HasCauseToStop(pods_[container.uid], container)) return;
  Broken(StrCat(call, " of running container ", container.name, " of pod ", container.uid,
                " without a cause"));
}

bool Invariants::HasCauseToStop(const Pod& pod, const Container& container) const {
  if (pod.pod == nullptr || pod.wanted_since >= container.created) return true;
  if (pod.kind.agent_kills || container.check_failed) return true;
  if (pod.given_up > 0 && IsBeingEnded(container.uid)) return true;
  const auto& sandboxes = node_.runtime().sandboxes();
  const auto sandbox = sandboxes.find(container.sandbox_id);
  if (sandbox == sandboxes.end() || !sandbox->second.ready) return true;
  return IsOver(pod);
}

// The agent is still about the end of a pod that is wanted again.
bool Invariants::IsBeingEnded(const std::string& uid) const {
  for (const pods::PodReport& report : node_.agent().pods().Reports()) {
    if (report.pod->metadata().uid() == uid) return report.terminating;
  }
  return true;
}

// Its main containers have ended for good, or an init container has failed for good.
bool Invariants::IsOver(const Pod& pod) const {
  const auto ended_for_good = [&](const v1::Container& container) {
    const Container* last = LastRun(pod, container.name());
    return last != nullptr && last->exited &&
           !api::RestartsAfter(*pod.pod, container, last->exit_code);
  };
  const v1::PodSpec& spec = pod.pod->spec();
  const bool init_failed = std::any_of(
      spec.initcontainers().begin(), spec.initcontainers().end(), [&](const auto& container) {
        return ended_for_good(container) && LastRun(pod, container.name())->exit_code != 0;
      });
  return init_failed ||
         std::all_of(spec.containers().begin(), spec.containers().end(), ended_for_good);
}

// ---- Moments

void Invariants::Check() {
  const std::vector<std::string>& violations = node_.runtime().journal().violations();
  for (; violations_ < violations.size(); ++violations_) broken_.push_back(violations[violations_]);
  if (!node_.agent_runs()) return;
  if (life_ != node_.lives()) taken_.clear();
  life_ = node_.lives();
  CheckReports();
}

void Invariants::CheckReports() {
  std::map<std::string, bool> shown;  // uid: it is not being ended
  for (const pods::PodReport& report : node_.agent().pods().Reports())
    shown[report.pod->metadata().uid()] = !report.terminating;
  for (const std::string& uid : taken_) {
    if (!shown.contains(uid)) Broken(StrCat("pod ", uid, " is lost though its manifest is there"));
  }
  for (const auto& [file, wanted] : wanted_) {
    const auto it = shown.find(wanted.uid);
    if (it != shown.end() && it->second) taken_.insert(wanted.uid);
  }
}

void Invariants::Broken(std::string what) {
  broken_.push_back(StrCat(FormatTimeNano(node_.loop().Now()), ": ", what));
}

}  // namespace cubelet::simulation
