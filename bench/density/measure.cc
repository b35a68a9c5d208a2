#include "measure.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <set>

#include "api/yaml.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "e2e/node.h"

namespace cubelet::density {
namespace {

using e2e::Container;
using e2e::Eventually;
using e2e::Node;
using e2e::Pause;
using e2e::Uptime;

// After the last change, until what follows from it has been done.
constexpr absl::Duration kSettle = absl::Seconds(15);
constexpr int kStarts = 5;

std::string Manifest(const std::string& name) {
  return StrCat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", name,
                "}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - name: main\n    "
                "image: ",
                e2e::kBusybox,
                "\n    imagePullPolicy: IfNotPresent\n    command: [sleep, \"1000000\"]\n");
}

class Bench {
 public:
  explicit Bench(const Flags& flags) : flags_(flags) {}

  absl::StatusOr<Figures> Run(const e2e::World& world);

 private:
  absl::Status Prepare(const e2e::World& world);
  absl::Status Starts();
  absl::Status Empty();
  absl::Status Alone();
  absl::Status Burst();
  absl::Status Full();
  absl::Status Restart();

  // Starts the kubelet and gives the time until it is healthy.
  absl::StatusOr<absl::Duration> StartTimed();
  absl::StatusOr<Memory> MemoryNow();
  // Mean use of the processor over the idle time.
  absl::StatusOr<double> IdleMillicores();
  // Names of the pods that are Ready, by /pods.
  std::set<std::string> ReadyPods() const;
  // Start of each running container, by its pod's name.
  std::map<std::string, absl::Time> Started() const;
  std::set<std::string> RunningIds() const;
  absl::Duration PodsLimit() const { return absl::Minutes(1) + absl::Seconds(1) * flags_.pods; }
  // A pod's name as the kubelet and the runtime have it.
  static std::string FullName(const std::string& pod) { return StrCat(pod, "-", e2e::kNodeName); }

  const Flags& flags_;
  const SystemClock clock_;
  std::unique_ptr<Node> node_;
  Figures figures_;
};

absl::StatusOr<Figures> Bench::Run(const e2e::World& world) {
  RETURN_IF_ERROR(Prepare(world));
  RETURN_IF_ERROR(Annotate(Starts(), "start the kubelet"));
  RETURN_IF_ERROR(Annotate(Empty(), "measure without pods"));
  RETURN_IF_ERROR(Annotate(Alone(), "start pods one by one"));
  RETURN_IF_ERROR(Annotate(Burst(), "start all pods"));
  RETURN_IF_ERROR(Annotate(Full(), "measure with pods"));
  RETURN_IF_ERROR(Annotate(Restart(), "restart the kubelet"));
  return figures_;
}

absl::Status Bench::Prepare(const e2e::World& world) {
  e2e::NodeOptions options;
  options.world = world;
  options.name = "density";
  options.kubelet = flags_.kubelet;
  if (flags_.fake_runtime) options.fake_runtime = DENSITY_FAKE_RUNTIME;
  // The bridge of containerd's node takes 254 pods at most.
  options.configuration = StrCat("maxPods: ", flags_.pods + flags_.alone, "\n");
  ASSIGN_OR_RETURN(node_, Node::Create(std::move(options)));
  return node_->StartRuntime();
}

absl::StatusOr<absl::Duration> Bench::StartTimed() {
  const absl::Duration start = Uptime();
  RETURN_IF_ERROR(node_->StartKubeletWithoutWaiting());
  while (!node_->Healthy()) {
    if (!node_->kubelet_runs() || Uptime() - start > absl::Minutes(1))
      return absl::InternalError(StrCat("it did not become healthy: ", node_->KubeletLog()));
    Pause(absl::Milliseconds(2));
  }
  return Uptime() - start;
}

absl::Status Bench::Starts() {
  for (int i = 0; i < kStarts; ++i) {
    if (node_->kubelet_runs()) RETURN_IF_ERROR(node_->EndKubelet(SIGTERM).status());
    ASSIGN_OR_RETURN(const absl::Duration took, StartTimed());
    figures_.healthz.push_back(took);
    Pause(absl::Milliseconds(500));
  }
  return absl::OkStatus();
}

absl::StatusOr<Memory> Bench::MemoryNow() {
  Memory memory;
  ASSIGN_OR_RETURN(memory.resident, node_->kubelet().MemoryBytes("Rss"));
  ASSIGN_OR_RETURN(memory.anonymous, node_->kubelet().MemoryBytes("Anonymous"));
  return memory;
}

absl::StatusOr<double> Bench::IdleMillicores() {
  ASSIGN_OR_RETURN(const absl::Duration before, node_->kubelet().ProcessorTime());
  const absl::Duration start = Uptime();
  Pause(flags_.idle);
  ASSIGN_OR_RETURN(const absl::Duration after, node_->kubelet().ProcessorTime());
  return 1000 * absl::FDivDuration(after - before, Uptime() - start);
}

absl::Status Bench::Empty() {
  Pause(kSettle);
  ASSIGN_OR_RETURN(figures_.empty_millicores, IdleMillicores());
  ASSIGN_OR_RETURN(figures_.empty, MemoryNow());
  return absl::OkStatus();
}

std::set<std::string> Bench::ReadyPods() const {
  std::set<std::string> ready;
  const auto answer = node_->Get("/pods");
  if (!answer.ok() || answer->status != 200) return ready;
  const auto list = api::ParseJson(answer->body, {.max_bytes = 64 << 20});
  if (!list.ok()) return ready;
  const boost::json::value* const items = list->as_object().if_contains("items");
  if (items == nullptr || !items->is_array()) return ready;
  for (const boost::json::value& pod : items->get_array()) {
    boost::system::error_code none;
    const boost::json::value* const name = pod.find_pointer("/metadata/name", none);
    const boost::json::value* const conditions = pod.find_pointer("/status/conditions", none);
    if (name == nullptr || conditions == nullptr || !conditions->is_array()) continue;
    for (const boost::json::value& condition : conditions->get_array()) {
      if (condition.at("type").as_string() == "Ready" &&
          condition.at("status").as_string() == "True")
        ready.insert(std::string(name->as_string()));
    }
  }
  return ready;
}

std::map<std::string, absl::Time> Bench::Started() const {
  std::map<std::string, absl::Time> started;
  const auto containers = node_->runtime().Containers();
  if (!containers.ok()) return started;
  for (const Container& container : *containers) {
    if (!container.running) continue;
    const auto status = node_->runtime().ContainerStatus(container.id);
    if (status.ok()) started[container.pod] = absl::FromUnixNanos(status->started_at());
  }
  return started;
}

std::set<std::string> Bench::RunningIds() const {
  std::set<std::string> ids;
  const auto containers = node_->runtime().Containers();
  if (!containers.ok()) return ids;
  for (const Container& container : *containers) {
    if (container.running) ids.insert(container.id);
  }
  return ids;
}

absl::Status Bench::Alone() {
  for (int i = 0; i < flags_.alone; ++i) {
    const std::string pod = StrCat("alone-", i);
    const absl::Time written = clock_.Now();
    const absl::Duration start = Uptime();
    RETURN_IF_ERROR(node_->WriteManifest(pod, Manifest(pod)));
    while (!ReadyPods().contains(FullName(pod))) {
      if (Uptime() - start > absl::Minutes(1))
        return absl::DeadlineExceededError(StrCat("pod ", pod, " did not become Ready"));
      Pause(absl::Milliseconds(5));
    }
    figures_.alone_ready.push_back(Uptime() - start);
    const auto started = Started();
    if (const auto it = started.find(FullName(pod)); it != started.end())
      figures_.alone_started.push_back(it->second - written);
    RETURN_IF_ERROR(node_->RemoveManifest(pod));
    if (!Eventually(absl::Minutes(1), [this] { return RunningIds().empty(); }))
      return absl::DeadlineExceededError(StrCat("pod ", pod, " did not end"));
    Pause(absl::Seconds(1));
  }
  return absl::OkStatus();
}

absl::Status Bench::Burst() {
  Pause(absl::Seconds(5));
  ASSIGN_OR_RETURN(const absl::Duration before, node_->kubelet().ProcessorTime());
  const absl::Duration start = Uptime();
  std::map<std::string, absl::Time> written;
  for (int i = 0; i < flags_.pods; ++i) {
    const std::string pod = StrCat("pod-", i);
    written[FullName(pod)] = clock_.Now();
    RETURN_IF_ERROR(node_->WriteManifest(pod, Manifest(pod)));
  }
  // The kubelet is asked only in the end: its answers would count as the pods' cost.
  const auto wanted = static_cast<size_t>(flags_.pods);
  while (RunningIds().size() < wanted) {
    if (Uptime() - start > PodsLimit())
      return absl::DeadlineExceededError("not all containers came to run");
    Pause(absl::Milliseconds(200));
  }
  while (ReadyPods().size() < wanted) {
    if (Uptime() - start > PodsLimit())
      return absl::DeadlineExceededError("not all pods became Ready");
    Pause(absl::Milliseconds(100));
  }
  figures_.burst_ready = Uptime() - start;
  ASSIGN_OR_RETURN(const absl::Duration after, node_->kubelet().ProcessorTime());
  figures_.processor_per_pod = (after - before) / flags_.pods;
  for (const auto& [pod, started] : Started()) {
    if (const auto it = written.find(pod); it != written.end())
      figures_.burst_started.push_back(started - it->second);
  }
  return absl::OkStatus();
}

absl::Status Bench::Full() {
  Pause(kSettle);
  ASSIGN_OR_RETURN(figures_.full_millicores, IdleMillicores());
  ASSIGN_OR_RETURN(figures_.full, MemoryNow());
  return absl::OkStatus();
}

absl::Status Bench::Restart() {
  const std::set<std::string> before = RunningIds();
  RETURN_IF_ERROR(node_->EndKubelet(SIGKILL).status());
  const absl::Duration start = Uptime();
  ASSIGN_OR_RETURN(figures_.restart_healthz, StartTimed());
  Pause(absl::Seconds(10) - (Uptime() - start));
  ASSIGN_OR_RETURN(figures_.restart_processor, node_->kubelet().ProcessorTime());
  figures_.restart_same_containers = RunningIds() == before;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Figures> Measure(const Flags& flags, const e2e::World& world) {
  return Bench(flags).Run(world);
}

}  // namespace cubelet::density
