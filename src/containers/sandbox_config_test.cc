#include "containers/sandbox_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

absl::StatusOr<criv1::PodSandboxConfig> Make(const v1::Pod& pod, const SandboxInput& input = {},
                                             const NodeContext& node = Node()) {
  std::vector<Warning> warnings;
  return MakeSandboxConfig(pod, node, input, &warnings);
}

TEST(SandboxConfig, IdentifiesThePod) {
  v1::Pod pod = PodOf("{}");
  (*pod.mutable_metadata()->mutable_labels())["app"] = "x";
  (*pod.mutable_metadata()->mutable_labels())["io.kubernetes.pod.name"] = "forged";
  (*pod.mutable_metadata()->mutable_annotations())["note"] = "y";
  const auto config = Make(pod, {.attempt = 3, .cgroup_parent = "/kubepods/podu1"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metadata().attempt(), 3u);
  EXPECT_EQ(config->linux().cgroup_parent(), "/kubepods/podu1");
  EXPECT_EQ(config->log_directory(), "/var/log/pods/ns_p_u1");
  EXPECT_THAT(config->labels(),
              UnorderedElementsAre(Pair("app", "x"), Pair("io.kubernetes.pod.name", "p"),
                                   Pair("io.kubernetes.pod.namespace", "ns"),
                                   Pair("io.kubernetes.pod.uid", "u1")));
  EXPECT_THAT(config->annotations(), UnorderedElementsAre(Pair("note", "y")));
}

TEST(SandboxConfig, HostNetworkPodsHaveNoHostname) {
  EXPECT_EQ(Make(PodOf("{}"))->hostname(), "p");
  EXPECT_EQ(Make(PodOf("{hostNetwork: true, hostname: Bad_}"))->hostname(), "");
  EXPECT_THAT(ErrorOf(Make(PodOf("hostname: Bad_"))), ::testing::StartsWith("pod Hostname"));
}

TEST(SandboxConfig, PortsOfRegularContainersAreMapped) {
  const auto config = Make(PodOf(R"(
initContainers: [{name: i, ports: [{containerPort: 1}]}]
containers:
- name: a
  ports:
  - {name: web, containerPort: 80}
  - {name: web, containerPort: 81}
  - {containerPort: 53, protocol: UDP, hostPort: 53, hostIP: "::1"}
  - {containerPort: 53, protocol: UDP, hostPort: 53, hostIP: "::1"}
  - {containerPort: 53, protocol: UDP, hostPort: 53, hostIP: 10.0.0.1}
  - {containerPort: 54, protocol: SCTP}
- name: b
  ports: [{name: web, containerPort: 82, protocol: Odd}])"));
  ASSERT_TRUE(config.ok()) << config.status();
  std::vector<std::string> mappings;
  for (const criv1::PortMapping& m : config->port_mappings())
    mappings.push_back(StrCat(criv1::Protocol_Name(m.protocol()), " ", m.container_port(), " ",
                              m.host_port(), " ", m.host_ip()));
  EXPECT_THAT(mappings, ElementsAre("TCP 80 0 ", "UDP 53 53 ::1", "UDP 53 53 10.0.0.1",
                                    "SCTP 54 0 ", "TCP 82 0 "));
}

TEST(SandboxConfig, SysctlsAreDotted) {
  const auto config = Make(PodOf(R"(
securityContext:
  sysctls:
  - {name: net.ipv4.ip_forward, value: "1"}
  - {name: net/ipv4/conf/eno2.100/rp_filter, value: "2"}
  - {name: net.ipv4.conf.eno2/100.rp_filter, value: "3"}
  - {name: plain, value: "4"})"));
  EXPECT_THAT(
      config->linux().sysctls(),
      UnorderedElementsAre(Pair("net.ipv4.ip_forward", "1"),
                           Pair("net.ipv4.conf.eno2/100.rp_filter", "3"), Pair("plain", "4")));
}

TEST(SandboxConfig, UserNamespaces) {
  const v1::Pod pod = PodOf("hostUsers: false");
  EXPECT_EQ(ErrorOf(Make(pod)),
            "can't set `spec.hostUsers: false`, runtime does not support user namespaces");
  NodeContext node = Node();
  node.handlers["h"].user_namespaces = true;
  EXPECT_FALSE(Make(pod, {.runtime_handler = "h"}, node).ok());
  const auto config = Make(
      pod,
      {.runtime_handler = "h", .user_namespace = UserNamespace{.host_id = 65536, .length = 65536}},
      node);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& users = config->linux().security_context().namespace_options().userns_options();
  EXPECT_EQ(users.mode(), criv1::POD);
  EXPECT_EQ(users.uids(0).host_id(), 65536u);
}

TEST(SandboxConfig, WarningsAreHandedOut) {
  NodeContext node = Node();
  node.cluster_dns = {};
  std::vector<Warning> warnings;
  ASSERT_TRUE(MakeSandboxConfig(PodOf("{}"), node, {}, &warnings).ok());
  EXPECT_EQ(warnings.size(), 2u);
}

}  // namespace
}  // namespace cubelet::containers
