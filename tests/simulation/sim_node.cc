#include "simulation/sim_node.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iostream>

#include "api/pod.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "sources/static_pod.h"

namespace cubelet::simulation {
namespace {

constexpr char kNode[] = "sim";
constexpr char kManifests[] = "manifests";
constexpr size_t kLogLines = 2000;

std::deque<std::string>& LogLines() {
  static std::deque<std::string> lines;
  return lines;
}

// The agent's log is kept for Diagnosis; what ends the process would not be seen there.
void KeepLogLine(Severity, std::string_view line) {
  static const bool show = std::getenv("CUBELET_SIM_LOG") != nullptr;
  if (show || line.find("A broken invariant") != std::string_view::npos) std::cerr << line << "\n";
  std::deque<std::string>& lines = LogLines();
  lines.emplace_back(line);
  if (lines.size() > kLogLines) lines.pop_front();
}

// Memory where there is some to write to: the simulation syncs many small files.
std::string MakeDirectory() {
  const std::string base =
      os::Stat("/dev/shm").ok() ? "/dev/shm" : std::filesystem::temp_directory_path();
  std::string path = StrCat(base, "/cubelet-sim.", ::getpid(), ".", os::RandomHex(8));
  CHECK(os::MakeDirectories(path, 0755).ok());
  return path;
}

async::Task<void> StopAgent(kubelet::Agent* agent, bool* stopped) {
  co_await agent->Stop();
  *stopped = true;
}

async::Task<void> Prepare(kubelet::Agent* agent, std::optional<absl::Status>* prepared) {
  absl::Status status = co_await agent->Prepare();
  if (status.ok()) agent->Start();
  *prepared = std::move(status);
}

}  // namespace

SimNode::SimNode(Options options)
    : options_(std::move(options)),
      directory_(MakeDirectory()),
      paths_(std::make_shared<paths::Paths>(directory_ + "/kubelet", directory_ + "/logs",
                                            directory_ + "/containers")),
      loop_(async::Loop::Virtual(absl::FromUnixSeconds(1'800'000'000), options_.seed)),
      scope_(*loop_, "node") {
  SetBugsAreFatal(true);
  SetLogClock(&loop_->clock());
  LogLines().clear();
  SetLogSinkForTest(KeepLogLine);
  options_.runtime.seed = options_.seed;
  options_.runtime.write_files = true;
  runtime_ = std::make_unique<fakes::SimRuntime>(*loop_, options_.runtime);
  runtime_->image_store().Add("busybox");
  CHECK(os::MakeDirectories(os::JoinPath(directory_, kManifests), 0755).ok());
  // UIDs are made of the manifests' paths too: from here these are the same in every run.
  CHECK(::chdir(directory_.c_str()) == 0);
  os::SetFaultHookForTest([this](std::string_view operation, std::string_view path) {
    return OnOperation(operation, path);
  });
  mounter_.SetFault([this](const std::string& call, const std::string& path) {
    return OnCall(StrCat("mounts.", call), path);
  });
  cgroups_.SetFault([this](const std::string& call, const std::string& uid) {
    return OnCall(StrCat("cgroups.", call), uid);
  });
}

SimNode::~SimNode() {
  KillAgent();
  runtime_.reset();
  os::SetFaultHookForTest(nullptr);
  SetLogClock(nullptr);
  SetLogSinkForTest(nullptr);
  CHECK(::chdir("/") == 0);
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

kubelet::AgentSettings SimNode::MakeSettings() const {
  kubelet::AgentSettings settings;
  settings.node_name = kNode;
  settings.paths = paths_;
  settings.node.paths = paths_.get();
  settings.node.host_ips = {"10.0.0.1"};
  settings.node.memory_capacity_bytes = int64_t{8} << 30;
  settings.node.allocatable = {{"cpu", api::Quantity::FromInt(8)},
                               {"memory", api::Quantity::FromInt(int64_t{8} << 30)},
                               {"pods", api::Quantity::FromInt(110)}};
  settings.view.name = kNode;
  settings.view.allocatable = settings.node.allocatable;
  settings.sysctls = std::make_shared<const node::SysctlAllowlist>();
  settings.pods.runtime_name = "sim";
  sources::FileSource::Options file;
  file.path = kManifests;
  file.node_name = kNode;
  settings.file_source = std::move(file);
  if (options_.configure) options_.configure(settings);
  return settings;
}

void SimNode::WriteManifest(const std::string& name, const std::string& yaml) {
  Note(StrCat("manifest written: ", name));
  CHECK(os::WriteFileAtomic(os::JoinPath(kManifests, name), yaml, 0644).ok());
}

void SimNode::RemoveManifest(const std::string& name) {
  Note(StrCat("manifest removed: ", name));
  CHECK(os::RemoveFile(os::JoinPath(kManifests, name)).ok());
}

absl::StatusOr<PodPtr> SimNode::ParseManifest(const std::string& name,
                                              const std::string& yaml) const {
  return sources::ParseStaticPod(yaml, {api::kFileSource, os::JoinPath(kManifests, name), kNode});
}

// ---- Life and death

void SimNode::StartAgent() { CHECK(TryStartAgent()); }

bool SimNode::TryStartAgent() {
  CHECK(agent_ == nullptr);
  dead_ = false;
  ++lives_;
  runtime_->CallerIsBack();
  Note("agent started");
  const kubelet::Seams seams{*runtime_, *runtime_, mounter_, cgroups_, events_, metrics_};
  agent_ = std::make_unique<kubelet::Agent>(*loop_, options_.wrap ? options_.wrap(seams) : seams,
                                            MakeSettings(), loop_->Now());
  kubelet::RuntimeFacts facts;
  facts.name = "sim";
  agent_->SetRuntimeFacts(facts);
  std::optional<absl::Status> prepared;
  scope_.Spawn("prepare", Prepare(agent_.get(), &prepared));
  while (!prepared) CHECK(Turn(loop_->Now() + absl::Seconds(1)));
  if (!prepared->ok()) LOG_ERROR(*prepared, "The agent gives up");
  if (!prepared->ok() || dead_) KillAgent();
  return agent_ != nullptr;
}

void SimNode::KillAgent(CallsUnderWay calls) {
  if (!agent_) return;
  dead_ = true;
  die_at_ = 0;
  runtime_->CallerDies(calls);
  Note(calls == CallsUnderWay::kEnd ? "agent killed" : "agent killed, its calls go on");
  bool stopped = false;
  scope_.Spawn("kill", StopAgent(agent_.get(), &stopped));
  while (!stopped) {
    // What is cancelled ends without waiting for anything.
    if (Turn(loop_->Now())) continue;
    for (const async::Loop::TaskInfo& task : loop_->Tasks())
      LOG_ERROR(absl::InternalError("still running"), StrCat(task.scope, "/", task.name));
    std::cerr << Diagnosis();
    CHECK(false && "the agent's tasks did not end");
  }
  agent_.reset();
}

int SimNode::OnOperation(std::string_view operation, std::string_view path) {
  if (!turning_) return 0;
  if (dead_) return EIO;
  if (++operations_ == die_at_) {
    dead_ = true;
    runtime_->CallerDies(CallsUnderWay::kEnd);
    return EIO;
  }
  if (operation == "watch" && !options_.watches) return ENOSPC;
  return faults_ ? faults_(operation, path) : 0;
}

absl::Status SimNode::OnCall(const std::string& call, const std::string& path) {
  const int fault = OnOperation(call, path);
  return fault == 0 ? absl::OkStatus() : ErrnoError(StrCat(call, " ", path), fault);
}

void SimNode::Note(const std::string& what) {
  fakes::JournalEntry entry;
  entry.at = loop_->Now();
  entry.kind = fakes::JournalEntry::Kind::kChange;
  entry.what = what;
  runtime_->journal().Add(std::move(entry));
}

// ---- Time

bool SimNode::Turn(absl::Time until) {
  turning_ = true;
  const bool ran = loop_->RunOne(until);
  turning_ = false;
  return ran;
}

bool SimNode::Step(absl::Duration limit) {
  const bool ran = Turn(loop_->Now() + limit);
  if (dead_ && agent_) KillAgent();
  return ran;
}

void SimNode::Run(absl::Duration duration) {
  const absl::Time end = loop_->Now() + duration;
  while (Step(end - loop_->Now())) {
  }
}

bool SimNode::RunUntil(const std::function<bool()>& condition, absl::Duration limit) {
  const absl::Time end = loop_->Now() + limit;
  while (!condition()) {
    if (loop_->Now() >= end) return false;
    Step(end - loop_->Now());
  }
  return true;
}

std::string SimNode::Diagnosis(size_t lines) const {
  std::string text = StrCat("--- journal\n", runtime_->journal().Text(lines), "--- log\n");
  const std::deque<std::string>& log = LogLines();
  for (size_t i = log.size() > lines ? log.size() - lines : 0; i < log.size(); ++i)
    StrAppend(&text, log[i], "\n");
  return text;
}

// ---- Pods

std::optional<pods::PodReport> SimNode::FindPod(const std::string& name) {
  if (!agent_) return std::nullopt;
  for (pods::PodReport& report : agent_->pods().Reports()) {
    if (report.pod->metadata().name() == StrCat(name, "-", kNode) && !report.terminating)
      return report;
  }
  for (pods::PodReport& report : agent_->pods().Reports()) {
    if (report.pod->metadata().name() == StrCat(name, "-", kNode)) return report;
  }
  return std::nullopt;
}

std::string SimNode::PhaseOf(const std::string& name) {
  const auto report = FindPod(name);
  return report ? report->status->phase() : "";
}

bool SimNode::IsReady(const std::string& name) {
  const auto report = FindPod(name);
  if (!report) return false;
  for (const v1::PodCondition& condition : report->status->conditions()) {
    if (condition.type() == "Ready") return condition.status() == "True";
  }
  return false;
}

std::string SimNode::WaitingReason(const std::string& name, const std::string& container) {
  const auto report = FindPod(name);
  if (!report) return "";
  for (const auto* list :
       {&report->status->containerstatuses(), &report->status->initcontainerstatuses()}) {
    for (const v1::ContainerStatus& status : *list) {
      if (status.name() == container) return status.state().waiting().reason();
    }
  }
  return "";
}

int SimNode::RestartCount(const std::string& name, const std::string& container) {
  const auto report = FindPod(name);
  if (!report) return -1;
  for (const auto* list :
       {&report->status->containerstatuses(), &report->status->initcontainerstatuses()}) {
    for (const v1::ContainerStatus& status : *list) {
      if (status.name() == container) return status.restartcount();
    }
  }
  return -1;
}

std::string SimNode::UidOf(const std::string& name) {
  const auto report = FindPod(name);
  return report ? report->pod->metadata().uid() : "";
}

}  // namespace cubelet::simulation
