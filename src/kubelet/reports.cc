#include "kubelet/reports.h"

#include "base/strings.h"
#include "status/explain.h"

namespace cubelet::kubelet {

std::vector<PodPtr> PodsWithStatus(const std::vector<pods::PodReport>& reports) {
  std::vector<PodPtr> pods;
  pods.reserve(reports.size());
  for (const pods::PodReport& report : reports) {
    auto pod = std::make_shared<v1::Pod>(*report.pod);
    *pod->mutable_status() = *report.status;
    pods.push_back(std::move(pod));
  }
  return pods;
}

std::vector<PodPtr> RunningPods(
    const std::vector<std::shared_ptr<const pleg::RuntimePod>>& running) {
  std::vector<PodPtr> pods;
  for (const auto& seen : running) {
    auto pod = std::make_shared<v1::Pod>();
    pod->mutable_metadata()->set_name(seen->name);
    pod->mutable_metadata()->set_namespace_(seen->name_space);
    pod->mutable_metadata()->set_uid(seen->uid);
    for (const pleg::ContainerRecord& record : seen->containers) {
      if (record.state != pleg::ContainerState::kRunning) continue;
      v1::Container* container = pod->mutable_spec()->add_containers();
      container->set_name(record.name);
      container->set_image(record.image_ref);
    }
    pods.push_back(std::move(pod));
  }
  return pods;
}

server::StatusReport MakeStatusReport(const NodeReport& node,
                                      const std::vector<pods::PodReport>& pods,
                                      const sources::Problems& manifests) {
  server::StatusReport report;
  report.node = node.node;
  report.version = node.version;
  report.runtime = node.runtime;
  report.started = node.started;
  report.problems = node.problems;
  for (const pods::PodReport& pod : pods) {
    report.pods.push_back(server::MakePodRow(
        *pod.pod, *pod.status, status::WhyNotReady(*pod.pod, *pod.status, pod.circumstances)));
  }
  for (const auto& [where, why] : manifests)
    report.problems.push_back(StrCat("manifest ", where, ": ", why));
  return report;
}

}  // namespace cubelet::kubelet
