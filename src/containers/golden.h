// The recordings of tests/golden, for the tests that hold something against them.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/quantity.h"
#include "api/types.h"
#include "api/yaml.h"
#include "containers/node_context.h"
#include "cri/types.h"
#include "paths/paths.h"

namespace cubelet::containers {

inline constexpr char kGolden[] = CUBELET_SOURCE_DIR "/tests/golden/";

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline boost::json::value ReadJson(const std::string& path) {
  auto value = api::ParseJson(ReadFile(path));
  EXPECT_TRUE(value.ok()) << path << ": " << value.status();
  return value.ok() ? *value : boost::json::value();
}

template <typename Type>
Type FromObject(const boost::json::value& value) {
  Type object;
  const absl::Status status = api::FromJson(value, object);
  EXPECT_TRUE(status.ok()) << status;
  return object;
}

template <typename Request>
Request FromRecord(const boost::json::value& value) {
  Request request;
  const auto status = google::protobuf::util::JsonStringToMessage(
      boost::json::serialize(value), &request, google::protobuf::util::JsonParseOptions());
  EXPECT_TRUE(status.ok()) << status.ToString();
  return request;
}

inline const paths::Paths& DefaultPaths() {
  static const paths::Paths paths("/var/lib/kubelet", "/var/log/pods", "/var/log/containers");
  return paths;
}

// The node the recordings were made on, from its own recordings.
inline NodeContext RecordedNode() {
  const boost::json::value configz = ReadJson(std::string(kGolden) + "node/configz.json");
  const boost::json::object& config = configz.at("kubeletconfig").as_object();
  const v1::Node node = FromObject<v1::Node>(ReadJson(std::string(kGolden) + "node/node.json"));
  NodeContext context{.paths = &DefaultPaths(),
                      .cluster_domain = std::string(config.at("clusterDomain").as_string()),
                      .cpu_cfs_quota = config.at("cpuCFSQuota").as_bool(),
                      .swap_controller_available = true,
                      .cgroup_v2 = false,
                      .single_process_oom_kill = true,
                      .hugepage_sizes = {"2MB", "1GB"}};
  for (const auto& server : config.at("clusterDNS").as_array())
    context.cluster_dns.emplace_back(server.as_string());
  for (const v1::NodeAddress& address : node.status().addresses())
    if (address.type() == "InternalIP") context.host_ips.push_back(address.address());
  context.allocatable = api::ToAmounts(node.status().allocatable());
  context.memory_capacity_bytes =
      api::Quantity::ParseOrZero(node.status().capacity().at("memory").string()).Value();
  return context;
}

// The API server's own service, which every cluster has.
inline std::shared_ptr<const v1::Service> ApiService() {
  auto service = std::make_shared<v1::Service>();
  service->mutable_metadata()->set_name("kubernetes");
  service->mutable_spec()->set_clusterip("10.96.0.1");
  v1::ServicePort* port = service->mutable_spec()->add_ports();
  port->set_name("https");
  port->set_port(443);
  port->set_protocol("TCP");
  return service;
}

// What differs, "" when nothing does. Variables have no order in the Go kubelet.
inline std::string Difference(const google::protobuf::Message& recorded,
                              const google::protobuf::Message& ours) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string report;
  differencer.ReportDifferencesToString(&report);
  differencer.TreatAsMap(criv1::ContainerConfig::descriptor()->FindFieldByName("envs"),
                         criv1::KeyValue::descriptor()->FindFieldByName("key"));
  return differencer.Compare(recorded, ours) ? "" : report;
}

inline std::vector<std::string> Folders() {
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden))
    if (std::filesystem::exists(entry.path() / "cri.json"))
      folders.push_back(entry.path().filename());
  std::sort(folders.begin(), folders.end());
  return folders;
}

}  // namespace cubelet::containers
