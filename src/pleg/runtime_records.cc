#include "pleg/runtime_records.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <limits>
#include <tuple>

#include "absl/numeric/int128.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace cubelet::pleg {
namespace {

constexpr char kHashAnnotation[] = "io.kubernetes.container.hash";
constexpr char kRestartCountAnnotation[] = "io.kubernetes.container.restartCount";
constexpr char kTerminationPathAnnotation[] = "io.kubernetes.container.terminationMessagePath";
constexpr char kTerminationPolicyAnnotation[] = "io.kubernetes.container.terminationMessagePolicy";
constexpr char kPreStopAnnotation[] = "io.kubernetes.container.preStopHandler";
constexpr char kTerminationGraceAnnotation[] = "io.kubernetes.pod.terminationGracePeriod";

template <typename Map>
std::string Find(const Map& map, const char* key) {
  auto it = map.find(key);
  return it == map.end() ? std::string() : it->second;
}

absl::Time FromNanos(int64_t nanos) {
  return nanos == 0 ? absl::InfinitePast() : absl::FromUnixNanos(nanos);
}

// The largest number in place of one that is too large: what a runtime says is not checked.
int64_t Saturated(absl::int128 value) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  return value > kMax ? kMax : static_cast<int64_t>(value);
}

// Shares and quota back to millicores (shares: rounded up).
ContainerRecord::Resources ReadResources(const criv1::LinuxContainerResources& linux) {
  ContainerRecord::Resources resources;
  if (linux.cpu_shares() > 0)
    resources.cpu_request_millis =
        Saturated((absl::int128(linux.cpu_shares()) * 1000 + 1023) / 1024);
  if (linux.cpu_quota() > 0 && linux.cpu_period() > 0)
    resources.cpu_limit_millis =
        Saturated(absl::int128(linux.cpu_quota()) * 1000 / linux.cpu_period());
  if (linux.memory_limit_in_bytes() > 0)
    resources.memory_limit_bytes = linux.memory_limit_in_bytes();
  return resources;
}

bool ValidIp(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(text, error);
  return !error;
}

}  // namespace

ContainerState FromCriState(criv1::ContainerState state) {
  switch (state) {
    case criv1::CONTAINER_CREATED:
      return ContainerState::kCreated;
    case criv1::CONTAINER_RUNNING:
      return ContainerState::kRunning;
    case criv1::CONTAINER_EXITED:
      return ContainerState::kExited;
    default:
      return ContainerState::kUnknown;
  }
}

ContainerRecord MakeContainerRecord(const criv1::ContainerStatus& status, std::string sandbox_id) {
  ContainerRecord record;
  record.id = status.id();
  record.sandbox_id = std::move(sandbox_id);
  record.name = Find(status.labels(), kContainerNameLabel);
  if (record.name.empty()) record.name = status.metadata().name();
  record.hash = Find(status.annotations(), kHashAnnotation);
  if (!absl::SimpleAtoi(Find(status.annotations(), kRestartCountAnnotation), &record.restart_count))
    record.restart_count = static_cast<int>(status.metadata().attempt());
  record.state = FromCriState(status.state());
  record.created_at = FromNanos(status.created_at());
  record.started_at = FromNanos(status.started_at());
  record.finished_at = FromNanos(status.finished_at());
  record.exit_code = status.exit_code();
  record.reason = status.reason();
  record.message = status.message();
  record.image = status.image().image();
  record.image_ref = status.image_ref();
  record.image_id = status.image_id();
  record.log_path = status.log_path();
  record.termination_message_path = Find(status.annotations(), kTerminationPathAnnotation);
  record.termination_message_policy = Find(status.annotations(), kTerminationPolicyAnnotation);
  record.pre_stop_handler_json = Find(status.annotations(), kPreStopAnnotation);
  int64_t grace = 0;
  if (absl::SimpleAtoi(Find(status.annotations(), kTerminationGraceAnnotation), &grace))
    record.termination_grace_seconds = grace;
  for (const criv1::Mount& mount : status.mounts()) {
    if (!record.termination_message_path.empty() &&
        mount.container_path() == record.termination_message_path)
      record.termination_log_host_path = mount.host_path();
  }
  if (status.has_user() && status.user().has_linux()) {
    const criv1::LinuxContainerUser& linux = status.user().linux();
    record.user = {linux.uid(),
                   linux.gid(),
                   {linux.supplemental_groups().begin(), linux.supplemental_groups().end()}};
  }
  if (status.has_resources() && status.resources().has_linux())
    record.resources = ReadResources(status.resources().linux());
  return record;
}

SandboxRecord MakeSandboxRecord(const criv1::PodSandboxStatus& status) {
  SandboxRecord record;
  record.id = status.id();
  record.attempt = status.metadata().attempt();
  record.created_at = FromNanos(status.created_at());
  record.ready = status.state() == criv1::SANDBOX_READY;
  record.host_network = status.linux().namespaces().options().network() == criv1::NODE;
  record.has_network_status = status.has_network();
  record.runtime_handler = status.runtime_handler();
  if (status.has_network()) {
    std::vector<std::string> ips;
    if (!status.network().ip().empty()) ips.push_back(status.network().ip());
    for (const criv1::PodIP& ip : status.network().additional_ips()) ips.push_back(ip.ip());
    if (std::all_of(ips.begin(), ips.end(), ValidIp)) record.ips = std::move(ips);
  }
  return record;
}

void SortRecords(RuntimePod& pod) {
  std::sort(pod.sandboxes.begin(), pod.sandboxes.end(),
            [](const SandboxRecord& a, const SandboxRecord& b) {
              return std::tie(a.attempt, a.created_at, a.id) >
                     std::tie(b.attempt, b.created_at, b.id);
            });
  std::sort(pod.containers.begin(), pod.containers.end(),
            [](const ContainerRecord& a, const ContainerRecord& b) {
              return std::tie(a.created_at, a.restart_count, a.id) >
                     std::tie(b.created_at, b.restart_count, b.id);
            });
}

}  // namespace cubelet::pleg
