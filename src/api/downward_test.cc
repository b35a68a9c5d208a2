#include "api/downward.h"

#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

v1::Pod ThePod() {
  constexpr char kYaml[] = R"(
metadata:
  name: web
  namespace: prod
  uid: u-1
  labels: {zone: eu, app: "a\"b"}
  annotations: {"example.com/k": "v w", empty: "", lines: "1\n2"}
spec:
  nodeName: lab
  serviceAccountName: robot
  initContainers:
  - {name: init, resources: {limits: {memory: 64Mi}}}
  containers:
  - name: main
    resources:
      requests: {cpu: 1500m, memory: 100Mi, hugepages-2Mi: 4Mi}
      limits: {cpu: 2100m, hugepages-2Mi: 4Mi}
  - {name: bare, resources: {limits: {cpu: 0}}}
)";
  v1::Pod pod;
  EXPECT_TRUE(FromJson(*ParseYaml(kYaml), pod, {.strict = true}).ok());
  return pod;
}

DownwardContext TheContext() {
  return {.host_ips = {"10.0.0.1", "fd00::1"},
          .pod_ips = {"10.1.0.5", "fd01::5"},
          .node_allocatable = {{"cpu", Quantity::FromMilli(3900)},
                               {"memory", Quantity::ParseOrZero("8Gi")},
                               {"ephemeral-storage", Quantity::ParseOrZero("50Gi")},
                               {"hugepages-2Mi", Quantity::ParseOrZero("1Gi")}}};
}

std::string Field(std::string_view path) {
  const absl::StatusOr<std::string> value = FieldValue(ThePod(), path, TheContext());
  return value.ok() ? *value : StrCat("error: ", Message(value.status()));
}

TEST(Downward, Fields) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"metadata.name", "web"},
      {"metadata.namespace", "prod"},
      {"metadata.uid", "u-1"},
      {"metadata.labels", "app=\"a\\\"b\"\nzone=\"eu\""},
      {"metadata.annotations", "empty=\"\"\nexample.com/k=\"v w\"\nlines=\"1\\n2\""},
      {"metadata.labels['zone']", "eu"},
      {"metadata.labels['none']", ""},
      {"metadata.annotations['example.com/k']", "v w"},
      {"metadata.annotations['']", ""},
      {"spec.nodeName", "lab"},
      {"spec.serviceAccountName", "robot"},
      {"status.hostIP", "10.0.0.1"},
      {"status.hostIPs", "10.0.0.1,fd00::1"},
      {"status.podIP", "10.1.0.5"},
      {"status.podIPs", "10.1.0.5,fd01::5"},
  };
  for (const auto& [path, want] : cases) EXPECT_EQ(Field(path), want) << path;
  for (const std::string_view bad :
       {"", "metadata", "metadata.labels[zone]", "metadata.labels['zone", "metadata.name['x']",
        "['zone']", "metadata.labels[']", "status.phase", "spec.hostname"})
    EXPECT_EQ(Field(bad), StrCat("error: unsupported fieldPath: ", bad));
}

TEST(Downward, AddressesMayBeUnknown) {
  EXPECT_EQ(*FieldValue(ThePod(), "status.podIP", {}), "");
  EXPECT_EQ(*FieldValue(ThePod(), "status.hostIPs", {}), "");
}

std::string Resource(std::string_view resource, std::string_view container = "main",
                     std::string_view divisor = "", v1::Pod pod = ThePod()) {
  v1::ResourceFieldSelector selector;
  selector.set_resource(std::string(resource));
  selector.set_containername(std::string(container));
  if (!divisor.empty()) selector.mutable_divisor()->set_string(std::string(divisor));
  const absl::StatusOr<std::string> value = ResourceValue(pod, selector, "bare", TheContext());
  return value.ok() ? *value : StrCat("error: ", Message(value.status()));
}

TEST(Downward, ResourcesAreDividedAndRoundedUp) {
  EXPECT_EQ(Resource("requests.cpu"), "2");
  EXPECT_EQ(Resource("requests.cpu", "main", "1m"), "1500");
  EXPECT_EQ(Resource("limits.cpu"), "3");
  EXPECT_EQ(Resource("requests.memory"), "104857600");
  EXPECT_EQ(Resource("requests.memory", "main", "1Gi"), "1");
  EXPECT_EQ(Resource("requests.memory", "main", "1M"), "105");
  EXPECT_EQ(Resource("limits.hugepages-2Mi", "main", "1Mi"), "4");
  EXPECT_EQ(Resource("limits.memory", "init", "1Mi"), "64");
  EXPECT_EQ(Resource("requests.cpu", "main", "0"), "2");
}

TEST(Downward, LimitsThatAreNotSetAreTheNodes) {
  EXPECT_EQ(Resource("limits.memory", "main", "1Gi"), "8");
  EXPECT_EQ(Resource("limits.cpu", "bare", "1m"), "3900");
  EXPECT_EQ(Resource("limits.ephemeral-storage", "main", "1Gi"), "50");
  EXPECT_EQ(Resource("limits.cpu", "", "1m"), "3900") << "the default container";
  EXPECT_EQ(Resource("limits.hugepages-2Mi", "bare"), "0");
  EXPECT_EQ(Resource("requests.memory", "bare"), "0");
  v1::Pod pod = ThePod();
  (*pod.mutable_spec()->mutable_resources()->mutable_limits())["memory"].set_string("1Gi");
  EXPECT_EQ(Resource("limits.memory", "main", "1Mi", pod), "1024");
}

TEST(Downward, WhatCannotBeAskedFor) {
  EXPECT_EQ(Resource("limits.gpu"), "error: unsupported container resource : limits.gpu");
  EXPECT_EQ(Resource("cpu"), "error: unsupported container resource : cpu");
  EXPECT_EQ(Resource("requests.cpu", "nobody"), "error: container nobody not found");
}

}  // namespace
}  // namespace cubelet::api
