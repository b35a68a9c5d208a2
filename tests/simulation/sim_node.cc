#include "simulation/sim_node.h"

#include <unistd.h>

#include <filesystem>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::simulation {
namespace {

constexpr char kNode[] = "sim";

// Memory where there is some to write to: the simulation syncs many small files.
std::string MakeDirectory() {
  const std::string base = os::Stat("/dev/shm").ok() ? "/dev/shm" : std::filesystem::temp_directory_path();
  std::string path = StrCat(base, "/cubelet-sim.", ::getpid(), ".", os::RandomHex(8));
  CHECK(os::MakeDirectories(path, 0755).ok());
  return path;
}

async::Task<void> StopAgent(kubelet::Agent* agent, bool* stopped) {
  co_await agent->Stop();
  *stopped = true;
}

async::Task<void> Prepare(kubelet::Agent* agent, bool* done) {
  const absl::Status status = co_await agent->Prepare();
  CHECK(status.ok());
  agent->Start();
  *done = true;
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
  options_.runtime.seed = options_.seed;
  options_.runtime.write_files = true;
  runtime_ = std::make_unique<fakes::SimRuntime>(*loop_, options_.runtime);
  runtime_->image_store().Add("busybox");
  CHECK(os::MakeDirectories(directory_ + "/manifests", 0755).ok());
}

SimNode::~SimNode() {
  KillAgent();
  runtime_.reset();
  SetLogClock(nullptr);
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
  file.path = directory_ + "/manifests";
  file.node_name = kNode;
  settings.file_source = std::move(file);
  if (options_.configure) options_.configure(settings);
  return settings;
}

void SimNode::WriteManifest(const std::string& name, const std::string& yaml) {
  CHECK(os::WriteFileAtomic(StrCat(directory_, "/manifests/", name), yaml, 0644).ok());
}

void SimNode::RemoveManifest(const std::string& name) {
  CHECK(os::RemoveFile(StrCat(directory_, "/manifests/", name)).ok());
}

void SimNode::StartAgent() {
  CHECK(agent_ == nullptr);
  const kubelet::Seams seams{*runtime_, *runtime_, mounter_, cgroups_, events_, metrics_};
  agent_ = std::make_unique<kubelet::Agent>(*loop_, seams, MakeSettings(), loop_->Now());
  kubelet::RuntimeFacts facts;
  facts.name = "sim";
  agent_->SetRuntimeFacts(facts);
  bool done = false;
  scope_.Spawn("prepare", Prepare(agent_.get(), &done));
  while (!done) CHECK(loop_->RunOne(loop_->Now() + absl::Seconds(1)));
}

void SimNode::KillAgent() {
  if (!agent_) return;
  bool stopped = false;
  scope_.Spawn("kill", StopAgent(agent_.get(), &stopped));
  const absl::Time limit = loop_->Now() + absl::Minutes(10);
  while (!stopped) {
    // What is cancelled must end without more time passing.
    if (!loop_->RunOne(limit)) {
      for (const async::Loop::TaskInfo& task : loop_->Tasks())
        LOG_ERROR(absl::InternalError("still running"), StrCat(task.scope, "/", task.name));
      CHECK(false && "the agent's tasks did not end");
    }
  }
  agent_.reset();
}

void SimNode::Run(absl::Duration duration) { loop_->RunUntil(loop_->Now() + duration); }

bool SimNode::Step(absl::Duration limit) { return loop_->RunOne(loop_->Now() + limit); }

bool SimNode::RunUntil(const std::function<bool()>& condition, absl::Duration limit) {
  const absl::Time end = loop_->Now() + limit;
  while (!condition()) {
    if (loop_->Now() >= end) return false;
    loop_->RunOne(end);
  }
  return true;
}

std::optional<pods::PodReport> SimNode::FindPod(const std::string& name) {
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
