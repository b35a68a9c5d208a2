// Pods, records and statuses for tests.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "gtest/gtest.h"
#include "pleg/runtime_pod.h"
#include "status/status_input.h"

namespace cubelet::status {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

template <typename T>
T FromYaml(std::string_view yaml) {
  T message;
  const auto value = api::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status() << "\n" << yaml;
  if (value.ok()) {
    const absl::Status decoded = api::FromJson(*value, message, {.strict = true});
    EXPECT_TRUE(decoded.ok()) << decoded << "\n" << yaml;
  }
  return message;
}

// A pod "p" with the given spec.
inline v1::Pod PodOf(std::string_view spec) {
  v1::Pod pod = FromYaml<v1::Pod>("metadata: {name: p, namespace: ns, uid: u, generation: 3}");
  *pod.mutable_spec() = FromYaml<v1::PodSpec>(spec);
  pod.mutable_status()->set_phase("Pending");
  return pod;
}

inline v1::PodStatus StatusOf(std::string_view yaml) { return FromYaml<v1::PodStatus>(yaml); }

struct Record {
  std::string name;
  std::string id;
  pleg::ContainerState state = pleg::ContainerState::kRunning;
  int exit_code = 0;
  int restart_count = 0;
  std::string reason = {};
};

// The records, oldest first, in one ready sandbox.
inline std::shared_ptr<pleg::RuntimePod> RuntimeOf(std::vector<Record> records) {
  auto runtime = std::make_shared<pleg::RuntimePod>();
  pleg::SandboxRecord sandbox;
  sandbox.id = "sandbox";
  sandbox.ready = true;
  sandbox.has_network_status = true;
  sandbox.ips = {"10.1.0.1"};
  runtime->sandboxes = {sandbox};
  absl::Time created = kNow - absl::Minutes(10);
  for (Record& record : records) {
    pleg::ContainerRecord out;
    out.name = record.name;
    out.id = record.id;
    out.sandbox_id = "sandbox";
    out.state = record.state;
    out.exit_code = record.exit_code;
    out.restart_count = record.restart_count;
    out.reason = record.reason;
    out.image = "image:1";
    out.image_ref = "sha256:1";
    out.created_at = created;
    out.started_at = created + absl::Milliseconds(1500);
    if (record.state == pleg::ContainerState::kExited)
      out.finished_at = created + absl::Milliseconds(2500);
    created += absl::Minutes(1);
    runtime->containers.push_back(out);
  }
  std::reverse(runtime->containers.begin(), runtime->containers.end());
  return runtime;
}

inline StatusInput InputOf(const v1::Pod& pod, std::shared_ptr<const pleg::RuntimePod> runtime) {
  StatusInput input;
  input.pod = std::make_shared<v1::Pod>(pod);
  input.runtime = std::move(runtime);
  input.runtime_name = "containerd";
  input.host_ips = {"192.0.2.1"};
  input.now = kNow;
  return input;
}

inline std::shared_ptr<const v1::PodStatus> Shared(v1::PodStatus status) {
  return std::make_shared<const v1::PodStatus>(std::move(status));
}

}  // namespace cubelet::status
