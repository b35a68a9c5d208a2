// The records of a simulated runtime and how they look on the wire. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/loop.h"
#include "cri/types.h"
#include "fakes/container_log.h"
#include "fakes/process.h"

namespace cubelet::fakes {

struct SimSandbox {
  std::string id;
  criv1::PodSandboxConfig config;
  std::string handler;
  int64_t created_at = 0;  // nanoseconds since 1970, as all times here
  bool ready = true;
  std::string ip;  // "" on the host's network and once stopped

  const std::string& pod_uid() const { return config.metadata().uid(); }
};

struct SimContainer {
  std::string id;
  std::string sandbox_id;
  std::string pod_uid;
  std::string reserved_name;
  criv1::ContainerConfig config;
  std::string log_path;    // absolute, "" if the container has none
  std::string image_name;  // what the status calls the image: its tag, or its id
  std::string image_ref;   // its digest reference, or its id
  std::string image_id;
  criv1::ContainerState state = criv1::CONTAINER_CREATED;
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int exit_code = 0;
  std::string reason;
  std::string message;
  criv1::LinuxContainerResources resources;

  Process process;
  bool stop_sent = false;
  std::vector<async::Loop::TimerId> timers;  // of the process: its lines, its end
  std::unique_ptr<ContainerLog> log;

  const std::string& name() const { return config.metadata().name(); }
  bool running() const { return state == criv1::CONTAINER_RUNNING; }
};

// An IPv4 range of pods' addresses.
struct PodNetwork {
  uint32_t first = 0;
  uint32_t size = 0;
};

// "10.88.0.0/16". Error: not an IPv4 range between /8 and /30.
absl::StatusOr<PodNetwork> ParsePodNetwork(std::string_view range);

// "10.88.0.7", and back (0 for what is not such an address).
std::string FormatIpv4(uint32_t address);
uint32_t ParseIpv4(std::string_view text);

// The names under which a runtime holds sandboxes and containers: a second one of the same name is
// refused. That of a container does not tell which attempt of the sandbox it is in.
std::string ReservedName(const criv1::PodSandboxMetadata& sandbox);
std::string ReservedName(const criv1::ContainerMetadata& container,
                         const criv1::PodSandboxMetadata& sandbox);

criv1::PodSandbox Listed(const SimSandbox& sandbox);
criv1::PodSandboxStatus StatusOf(const SimSandbox& sandbox);
criv1::Container Listed(const SimContainer& container);
criv1::ContainerStatus StatusOf(const SimContainer& container);

bool Matches(const criv1::PodSandbox& sandbox, const criv1::PodSandboxFilter& filter);
bool Matches(const criv1::Container& container, const criv1::ContainerFilter& filter);

// A name taken when a creation arrives and given back unless the creation succeeds. The map
// outlives it.
class NameHold {
 public:
  using Names = std::map<std::string, std::string>;  // name: id

  ~NameHold();

  // Error: the name is taken; the message names the kind and the holder.
  absl::Status Take(Names& names, const std::string& kind, const std::string& name,
                    const std::string& id);
  void Keep() { names_ = nullptr; }

 private:
  Names* names_ = nullptr;
  std::string name_;
};

}  // namespace cubelet::fakes
