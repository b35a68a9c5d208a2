#include "node/admission.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::node {
namespace {

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

v1::Pod PodOf(std::string_view spec, std::string_view metadata = "{name: p, namespace: ns}") {
  v1::Pod pod;
  *pod.mutable_spec() = FromYaml<v1::PodSpec>(spec);
  *pod.mutable_metadata() = FromYaml<metav1::ObjectMeta>(metadata);
  pod.mutable_status()->set_phase("Pending");
  return pod;
}

PodPtr Share(const v1::Pod& pod) { return std::make_shared<v1::Pod>(pod); }

constexpr char kPlain[] = "{containers: [{name: c}]}";
constexpr char kStatic[] =
    "{name: p, namespace: ns, annotations: {kubernetes.io/config.source: file}}";

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    node_.name = "lab";
    node_.labels = {{"zone", "a"}, {"cores", "8"}};
    node_.allocatable["cpu"] = api::Quantity::ParseOrZero("2");
    node_.allocatable["memory"] = api::Quantity::ParseOrZero("1Gi");
    node_.allocatable["ephemeral-storage"] = api::Quantity::ParseOrZero("10Gi");
    node_.allocatable["pods"] = api::Quantity::ParseOrZero("3");
    node_.allocatable["example.com/gpu"] = api::Quantity::ParseOrZero("1");
    auto sysctls = SysctlAllowlist::Make("6.1.0", {"net.core.*", "kernel.sem"});
    EXPECT_TRUE(sysctls.ok()) << sysctls.status();
    sysctls_ = *sysctls;
  }

  AdmissionResult Ask(const v1::Pod& pod) {
    AdmissionInput input;
    input.pod = Share(pod);
    input.other_pods = others_;
    input.node = &node_;
    input.sysctls = &sysctls_;
    input.pod_level_resources = pod_level_resources_;
    return Admit(input);
  }

  // "" when admitted, otherwise "<reason>: <message>".
  std::string Why(const v1::Pod& pod) {
    const AdmissionResult result = Ask(pod);
    return result.admitted ? "" : StrCat(result.reason, ": ", result.message);
  }

  NodeView node_;
  SysctlAllowlist sysctls_;
  std::vector<PodPtr> others_;
  bool pod_level_resources_ = true;
};

// 4.4
TEST_F(AdmissionTest, Pressure) {
  const v1::Pod plain = PodOf(kPlain);
  const v1::Pod burstable = PodOf("{containers: [{name: c, resources: {requests: {cpu: 1m}}}]}");
  const v1::Pod tolerant = PodOf(
      "{tolerations: [{key: node.kubernetes.io/memory-pressure, operator: Exists, effect: "
      "NoSchedule}], containers: [{name: c}]}");
  EXPECT_EQ(Why(plain), "");
  node_.pressure_conditions = {"MemoryPressure"};
  EXPECT_EQ(Why(plain), "Evicted: The node had condition: [MemoryPressure]. ");
  EXPECT_EQ(Why(burstable), "");
  EXPECT_EQ(Why(tolerant), "");
  node_.pressure_conditions = {"DiskPressure"};
  EXPECT_EQ(Why(burstable), "Evicted: The node had condition: [DiskPressure]. ");
  node_.pressure_conditions = {"MemoryPressure", "DiskPressure"};
  EXPECT_EQ(Why(burstable), "Evicted: The node had condition: [MemoryPressure DiskPressure]. ");
  EXPECT_EQ(Why(PodOf(kPlain, kStatic)), "") << "critical";
}

// 4.5
TEST_F(AdmissionTest, Sysctls) {
  struct Case {
    std::string spec, want;
  };
  const auto spec = [](const std::string& name, const std::string& more = "") {
    return "{" + more + "securityContext: {sysctls: [{name: " + name +
           ", value: '1'}]}, containers: [{name: c}]}";
  };
  const Case cases[] = {
      {spec("kernel.shm_rmid_forced"), ""},
      {spec("net/ipv4/tcp_syncookies"), ""},
      {spec("net.ipv4.tcp_rmem"), ""},
      {spec("net.core.somaxconn"), ""},
      {spec("kernel.sem"), ""},
      {spec("kernel.msgmax"),
       "SysctlForbidden: forbidden sysctl: \"kernel.msgmax\" not allowlisted"},
      {spec("vm.swappiness"),
       "SysctlForbidden: forbidden sysctl: \"vm.swappiness\" not allowlisted"},
      {spec("net.core.somaxconn", "hostNetwork: true, "),
       "SysctlForbidden: forbidden sysctl: \"net.core.somaxconn\" not allowed with host Net "
       "enabled"},
      {spec("kernel.sem", "hostIPC: true, "),
       "SysctlForbidden: forbidden sysctl: \"kernel.sem\" not allowed with host IPC enabled"},
      {spec("kernel.sem", "hostNetwork: true, "), ""},
  };
  for (const Case& c : cases) EXPECT_EQ(Why(PodOf(c.spec)), c.want) << c.spec;
}

// 4.5.2
TEST(SysctlAllowlistTest, KernelAndPatterns) {
  const auto old = SysctlAllowlist::Make("4.4.0", {});
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->WhyForbidden("net.ipv4.ip_local_reserved_ports", false, false), "");
  EXPECT_NE(old->WhyForbidden("net.ipv4.tcp_keepalive_time", false, false), "");
  for (const char* pattern : {"kernel.*", "vm.swappiness", "*", "ker*", "kernel.sem*"})
    EXPECT_FALSE(SysctlAllowlist::Make("6.1", {pattern}).ok()) << pattern;
  for (const char* pattern : {"kernel.shm*", "kernel.msgmax", "fs.mqueue.*", "net.*", "net/core/*"})
    EXPECT_TRUE(SysctlAllowlist::Make("6.1", {pattern}).ok()) << pattern;
  EXPECT_EQ(NormalizeSysctl("net/ipv4/conf/eth0.1/rp_filter"), "net.ipv4.conf.eth0/1.rp_filter");
  EXPECT_EQ(NormalizeSysctl("net.ipv4.conf.eth0/1.rp_filter"), "net.ipv4.conf.eth0/1.rp_filter");
}

// 4.7.2 to 4.7.4
TEST_F(AdmissionTest, Platform) {
  EXPECT_EQ(Why(PodOf(kPlain, "{name: p, namespace: ns, labels: {kubernetes.io/os: windows}}")),
            "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` "
            "label doesn't match node label");
  EXPECT_EQ(Why(PodOf(kPlain, "{name: p, namespace: ns, labels: {kubernetes.io/os: linux}}")), "");
  EXPECT_EQ(Why(PodOf("{os: {name: windows}, containers: [{name: c}]}")),
            "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS");
  EXPECT_EQ(Why(PodOf("{os: {name: linux}, containers: [{name: c}]}")), "");
  const v1::Pod strict =
      PodOf("{securityContext: {supplementalGroupsPolicy: Strict}, containers: [{name: c}]}");
  EXPECT_EQ(Why(strict),
            "SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not "
            "supported in this node");
  node_.supplemental_groups_policy = true;
  EXPECT_EQ(Why(strict), "");
}

// 4.7.6, 4.7.7, 4.7.10
TEST_F(AdmissionTest, Resources) {
  others_ = {
      Share(PodOf("{containers: [{name: c, resources: {requests: {cpu: 1500m, memory: "
                  "512Mi}}}]}"))};
  struct Case {
    std::string requests, want;
  };
  const Case cases[] = {
      {"cpu: 500m, memory: 512Mi", ""},
      {"cpu: 501m",
       "OutOfcpu: Node didn't have enough resource: cpu, requested: 501, used: 1500, "
       "capacity: 2000"},
      {"memory: 513Mi",
       "OutOfmemory: Node didn't have enough resource: memory, requested: "
       "537919488, used: 536870912, capacity: 1073741824"},
      {"cpu: '9', memory: 9Gi",
       "OutOfcpu: Node didn't have enough resource: cpu, requested: 9000, "
       "used: 1500, capacity: 2000"},
      {"ephemeral-storage: 11Gi",
       "OutOfephemeral-storage: Node didn't have enough resource: ephemeral-storage, requested: "
       "11811160064, used: 0, capacity: 10737418240"},
      {"example.com/gpu: '2'",
       "OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: 2, "
       "used: 0, capacity: 1"},
      {"example.com/elsewhere: '2'", ""},
      {"hugepages-2Mi: 4Mi",
       "OutOfhugepages-2Mi: Node didn't have enough resource: hugepages-2Mi, requested: 4194304, "
       "used: 0, capacity: 0"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Why(PodOf("{containers: [{name: c, resources: {requests: {" + c.requests + "}}}]}")),
              c.want)
        << c.requests;
  }
  // The larger of the init sequence and the rest; overhead on top.
  EXPECT_EQ(Why(PodOf("{initContainers: [{name: i, resources: {requests: {cpu: 600m}}}], "
                      "containers: [{name: c, resources: {requests: {cpu: 100m}}}]}")),
            "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 1500, "
            "capacity: 2000");
  EXPECT_EQ(Ask(PodOf("{overhead: {cpu: 450m}, containers: [{name: c, resources: {requests: {cpu: "
                      "100m}}}]}"))
                .reason,
            "OutOfcpu");
  others_.push_back(Share(PodOf(kPlain)));
  EXPECT_EQ(Why(PodOf(kPlain)), "");
  others_.push_back(Share(PodOf(kPlain)));
  EXPECT_EQ(
      Why(PodOf(kPlain)),
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3");
}

// 4.7.7
TEST_F(AdmissionTest, NodeSelectorAndAffinity) {
  constexpr char kRefused[] =
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node "
      "affinity/selector";
  const auto terms = [](const std::string& terms) {
    return "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
           "{nodeSelectorTerms: [" +
           terms + "]}}}, containers: [{name: c}]}";
  };
  struct Case {
    std::string spec;
    bool admitted;
  };
  const Case cases[] = {
      {"{nodeSelector: {zone: a}, containers: [{name: c}]}", true},
      {"{nodeSelector: {zone: b}, containers: [{name: c}]}", false},
      {"{nodeSelector: {kubernetes.io/os: linux}, containers: [{name: c}]}", true},
      {terms("{matchExpressions: [{key: zone, operator: In, values: [a, b]}]}"), true},
      {terms("{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}"), false},
      {terms("{matchExpressions: [{key: cores, operator: Gt, values: ['7']}]}"), true},
      {terms("{matchExpressions: [{key: cores, operator: Lt, values: ['8']}]}"), false},
      {terms("{matchFields: [{key: metadata.name, operator: In, values: [lab]}]}"), true},
      {terms("{matchFields: [{key: metadata.name, operator: In, values: [other]}]}"), false},
      {terms("{matchExpressions: [{key: gone, operator: Exists}]}, {matchExpressions: [{key: zone, "
             "operator: Exists}]}"),
       true},
      {terms("{}"), false},
  };
  for (const Case& c : cases) EXPECT_EQ(Why(PodOf(c.spec)), c.admitted ? "" : kRefused) << c.spec;
}

TEST_F(AdmissionTest, NodeName) {
  EXPECT_EQ(Why(PodOf("{nodeName: lab, containers: [{name: c}]}")), "");
  EXPECT_EQ(Why(PodOf("{nodeName: other, containers: [{name: c}]}")),
            "NodeName: Predicate NodeName failed: node(s) didn't match the requested node name");
}

TEST_F(AdmissionTest, HostPorts) {
  const auto pod = [](const std::string& port) {
    return PodOf("{containers: [{name: c, ports: [{containerPort: 80, " + port + "}]}]}");
  };
  struct Case {
    std::string taken, wanted;
    bool admitted;
  };
  const Case cases[] = {
      {"hostPort: 80", "hostPort: 80", false},
      {"hostPort: 80", "hostPort: 81", true},
      {"hostPort: 80", "hostPort: 80, protocol: UDP", true},
      {"hostPort: 80, protocol: TCP", "hostPort: 80", false},
      {"hostPort: 80, hostIP: 10.0.0.1", "hostPort: 80, hostIP: 10.0.0.2", true},
      {"hostPort: 80, hostIP: 10.0.0.1", "hostPort: 80, hostIP: 10.0.0.1", false},
      {"hostPort: 80, hostIP: 10.0.0.1", "hostPort: 80", false},
      {"hostPort: 80, hostIP: 0.0.0.0", "hostPort: 80, hostIP: 10.0.0.1", false},
      {"name: web", "name: web", true},
  };
  for (const Case& c : cases) {
    others_ = {Share(pod(c.taken))};
    EXPECT_EQ(Why(pod(c.wanted)),
              c.admitted ? ""
                         : "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports "
                           "for the requested pod ports")
        << c.taken << " / " << c.wanted;
  }
  others_ = {
      Share(PodOf("{initContainers: [{name: s, restartPolicy: Always, ports: [{containerPort: "
                  "1, hostPort: 80}]}], containers: [{name: c}]}"))};
  EXPECT_EQ(Ask(pod("hostPort: 80")).reason, "NodePorts") << "a sidecar holds it";
}

TEST_F(AdmissionTest, Taints) {
  node_.taints = {FromYaml<v1::Taint>("{key: k, value: v, effect: NoExecute}"),
                  FromYaml<v1::Taint>("{key: other, effect: NoSchedule}")};
  struct Case {
    std::string tolerations;
    bool admitted;
  };
  const Case cases[] = {
      {"", false},
      {"{operator: Exists}", true},
      {"{key: k, operator: Exists, effect: NoExecute}", true},
      {"{key: k, operator: Exists, effect: NoSchedule}", false},
      {"{key: k, value: v}", true},
      {"{key: k, operator: Equal, value: w}", false},
      {"{key: x, operator: Exists}", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Why(PodOf("{tolerations: [" + c.tolerations + "], containers: [{name: c}]}")),
              c.admitted ? ""
                         : "TaintToleration: Predicate TaintToleration failed: node(s) had taints "
                           "that the pod didn't tolerate")
        << c.tolerations;
  }
  EXPECT_EQ(Why(PodOf(kPlain, kStatic)), "");
}

// 4.8.1
TEST_F(AdmissionTest, AppArmor) {
  constexpr char kOff[] = "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host";
  const v1::Pod by_pod = PodOf(
      "{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: c}]}");
  const v1::Pod unconfined =
      PodOf("{securityContext: {appArmorProfile: {type: Unconfined}}, containers: [{name: c}]}");
  const v1::Pod blank = PodOf(
      "{containers: [{name: c, securityContext: {appArmorProfile: {type: Localhost, "
      "localhostProfile: ' '}}}]}");
  const v1::Pod annotated =
      PodOf(kPlain,
            "{name: p, namespace: ns, annotations: "
            "{container.apparmor.security.beta.kubernetes.io/c: localhost/x}}");
  EXPECT_EQ(Why(by_pod), kOff);
  EXPECT_EQ(Why(unconfined), "");
  EXPECT_EQ(Why(annotated), kOff);
  v1::Pod running = by_pod;
  running.mutable_status()->set_phase("Running");
  EXPECT_EQ(Why(running), "");
  node_.apparmor_enabled = true;
  EXPECT_EQ(Why(by_pod), "");
  EXPECT_EQ(Why(annotated), "");
  EXPECT_EQ(Why(blank),
            "AppArmor: Cannot enforce AppArmor: invalid empty AppArmor profile name: \" \"");
}

// 4.8.2, 4.8.4
TEST_F(AdmissionTest, PodLevelResourcesAndShutdown) {
  const v1::Pod pod_level = PodOf("{resources: {requests: {cpu: 1m}}, containers: [{name: c}]}");
  EXPECT_EQ(Why(pod_level), "");
  pod_level_resources_ = false;
  EXPECT_EQ(Why(pod_level),
            "PodLevelResourcesNotSupported: PodLevelResources feature gate is disabled");
  node_.shutting_down = true;
  EXPECT_EQ(Why(PodOf(kPlain)), "NodeShutdown: Pod was rejected as the node is shutting down.");
}

// 4.3: the first refusal wins.
TEST_F(AdmissionTest, Order) {
  node_.shutting_down = true;
  node_.pressure_conditions = {"DiskPressure"};
  const v1::Pod all = PodOf(
      "{securityContext: {sysctls: [{name: vm.x, value: '1'}], appArmorProfile: {type: "
      "RuntimeDefault}}, nodeName: other, nodeSelector: {zone: b}, containers: [{name: c, "
      "resources: {requests: {cpu: '9'}}}]}");
  EXPECT_EQ(Ask(all).reason, "Evicted");
  node_.pressure_conditions.clear();
  EXPECT_EQ(Ask(all).reason, "SysctlForbidden");
  v1::Pod next = all;
  next.mutable_spec()->mutable_securitycontext()->clear_sysctls();
  EXPECT_EQ(Ask(next).reason, "OutOfcpu");
  next.mutable_spec()->mutable_containers(0)->clear_resources();
  EXPECT_EQ(Ask(next).reason, "NodeAffinity");
  next.mutable_spec()->clear_nodeselector();
  EXPECT_EQ(Ask(next).reason, "NodeName");
  next.mutable_spec()->clear_nodename();
  EXPECT_EQ(Ask(next).reason, "AppArmor");
  next.mutable_spec()->clear_securitycontext();
  EXPECT_EQ(Ask(next).reason, "NodeShutdown");
}

// 4.2.1
TEST(RejectionMetricReasonTest, Table) {
  EXPECT_EQ(RejectionMetricReason("OutOfcpu"), "OutOfcpu");
  EXPECT_EQ(RejectionMetricReason("OutOfexample.com/gpu"), "OutOfExtendedResources");
  EXPECT_EQ(RejectionMetricReason("SysctlForbidden"), "SysctlForbidden");
  EXPECT_EQ(RejectionMetricReason("whatever"), "Other");
}

}  // namespace
}  // namespace cubelet::node
