// The facts of the machine of the recordings. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "node/capacity.h"
#include "node/node_facts.h"
#include "node/node_images.h"

namespace cubelet::node {

inline std::string GoldenText(const std::string& file) {
  std::ifstream stream(StrCat(CUBELET_SOURCE_DIR, "/tests/golden/", file));
  EXPECT_TRUE(stream.good()) << file;
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline boost::json::value ParsedJson(const std::string& text) {
  const auto value = api::ParseJson(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *value : boost::json::value();
}

template <typename T>
T FromText(const std::string& json) {
  T message;
  const absl::Status decoded = api::FromJson(ParsedJson(json), message);
  EXPECT_TRUE(decoded.ok()) << decoded;
  return message;
}

// The bodies of the recorded requests of that kind, in order.
inline std::vector<boost::json::object> RecordedBodies(const std::string& verb,
                                                       const std::string& path) {
  std::vector<boost::json::object> bodies;
  std::istringstream lines(GoldenText("api/conversation.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const boost::json::value record = ParsedJson(line);
    const std::string uri(record.at("uri").as_string());
    if (record.at("verb").as_string() == boost::json::string_view(verb) &&
        uri.substr(0, uri.find('?')) == path)
      bodies.push_back(record.at("body").as_object());
  }
  return bodies;
}

inline absl::Time TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

inline NodeFacts RecordedMachine() {
  NodeFacts facts;
  facts.name = "lab";
  facts.architecture = "amd64";
  facts.machine_id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
  facts.system_uuid = facts.machine_id;
  facts.boot_id = "9d4f3422-130d-4281-9c93-a1b37cac6002";
  facts.kernel_version = "6.18.44-fc-v595";
  facts.os_image = "Debian GNU/Linux 12 (bookworm)";
  facts.kubelet_version = "v1.36.2";
  facts.ips = std::vector<std::string>{"10.99.0.1"};
  MachineFacts machine;
  machine.cpu_count = 2;
  machine.memory_bytes = uint64_t{24684096} << 10;
  machine.nodefs_capacity_bytes = uint64_t{264212084} << 10;
  machine.hugepages = {{2 << 20, 0}, {1 << 30, 0}};
  CapacityConfig config;
  config.max_pods = 500;
  config.eviction_hard = {{"memory.available", "100Mi"}, {"nodefs.available", "10%"}};
  facts.capacity = Capacity(machine, config);
  facts.allocatable = *Allocatable(facts.capacity, config);
  return facts;
}

inline v1::NodeRuntimeHandler Handler(const std::string& name) {
  v1::NodeRuntimeHandler handler;
  handler.set_name(name);
  handler.mutable_features()->set_recursivereadonlymounts(true);
  handler.mutable_features()->set_usernamespaces(false);
  return handler;
}

inline criv1::Image Image(const std::string& id, uint64_t size, std::vector<std::string> digests,
                          std::vector<std::string> tags) {
  criv1::Image image;
  image.set_id(id);
  image.set_size(size);
  image.mutable_repo_digests()->Assign(digests.begin(), digests.end());
  image.mutable_repo_tags()->Assign(tags.begin(), tags.end());
  return image;
}

// The same with its runtime, as it answered.
inline NodeFacts RecordedFacts() {
  NodeFacts facts = RecordedMachine();
  facts.runtime_name = "containerd";
  facts.runtime_version = "2.1.9+unknown";
  facts.handlers = {Handler("runc"), Handler("")};
  facts.supplemental_groups_policy = true;
  facts.declared_features = {"ExtendWebSocketsToKubelet", "InPlacePodLevelResourcesVerticalScaling",
                             "InPlacePodVerticalScalingInitContainers",
                             "RestartAllContainersOnContainerExits"};
  facts.now = TimeOf("2026-11-24T00:54:32Z");
  return facts;
}

}  // namespace cubelet::node
