// What the tests of this folder share: pods from YAML, and a node.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "containers/node_context.h"
#include "paths/paths.h"

namespace cubelet::containers {

template <typename Type>
Type FromYaml(std::string_view yaml) {
  Type message;
  const auto value = api::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  if (!value.ok()) return message;
  const absl::Status status = api::FromJson(*value, message, {.strict = true});
  EXPECT_TRUE(status.ok()) << status;
  return message;
}

// A pod "p" in namespace "ns" with the spec given as YAML.
inline v1::Pod PodOf(std::string_view spec) {
  v1::Pod pod;
  *pod.mutable_spec() = FromYaml<v1::PodSpec>(spec);
  pod.mutable_metadata()->set_name("p");
  pod.mutable_metadata()->set_namespace_("ns");
  pod.mutable_metadata()->set_uid("u1");
  if (!pod.spec().has_enableservicelinks()) pod.mutable_spec()->set_enableservicelinks(true);
  return pod;
}

// The kubelet's own places, and a cluster with DNS.
inline NodeContext Node() {
  static const paths::Paths paths("/var/lib/kubelet", "/var/log/pods", "/var/log/containers");
  return {.paths = &paths,
          .cluster_domain = "cluster.local",
          .cluster_dns = {"10.96.0.10"},
          .host_ips = {"10.99.0.1"},
          .memory_capacity_bytes = int64_t{16} << 30};
}

// The message of a failed result, "" of a good one.
template <typename Result>
std::string ErrorOf(const Result& result) {
  if constexpr (std::is_same_v<Result, absl::Status>)
    return std::string(Message(result));
  else
    return std::string(Message(result.status()));
}

}  // namespace cubelet::containers
