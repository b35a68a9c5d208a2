// ValidatePod: metadata and the pod's own fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/pod_test_util.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

struct Case {
  std::string change;
  std::string fault;  // what the message begins with
};

void Check(std::string_view prefix, std::string_view suffix, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    // Changes of several members are written with their braces.
    const bool braces = prefix.ends_with('{') && c.change.starts_with('{');
    const std::string change = braces ? c.change.substr(1, c.change.size() - 2) : c.change;
    const std::string faults = FaultsWith(StrCat(prefix, change, suffix));
    if (c.fault.empty()) {
      EXPECT_EQ(faults, "") << c.change;
    } else {
      EXPECT_THAT(faults, StartsWith(c.fault)) << c.change;
    }
  }
}

TEST(ValidatePod, AGoodPodIsGood) { EXPECT_EQ(FaultsWith("{}"), ""); }

TEST(ValidatePod, FaultsAreToldAsGoAggregatesThem) {
  EXPECT_EQ(FaultsWith("metadata: {name: null}"),
            "metadata.name: Required value: name or generateName is required");
  EXPECT_EQ(FaultsWith("{metadata: {name: null}, spec: {containers: []}}"),
            "[metadata.name: Required value: name or generateName is required, spec.containers: "
            "Required value]");
  // Equal ones are told once, and a hundred are enough.
  std::string many = "spec: {containers: [";
  for (int i = 0; i < 500; ++i) many += StrCat("{name: C", i, ", image: i}, ");
  const std::string faults = FaultsWith(many + "]}");
  EXPECT_THAT(faults, HasSubstr("spec.containers[99].name"));
  EXPECT_THAT(faults, Not(HasSubstr("spec.containers[100].name")));
}

TEST(ValidatePod, Metadata) {
  Check(
      "metadata: ", "",
      {
          {"{name: Web}", "metadata.name: Invalid value: \"Web\": a lowercase RFC 1123 subdomain"},
          {"{name: a.b-c}", ""},
          {"{generateName: web-}", ""},
          {"{generateName: Web-}", "metadata.generateName: Invalid value: \"Web-\""},
          {"{namespace: null}", "metadata.namespace: Required value"},
          {"{namespace: a.b}", "metadata.namespace: Invalid value: \"a.b\": must not contain dots"},
          {"{labels: {a/b/c: x}}", "metadata.labels: Invalid value: \"a/b/c\": a valid label key"},
          {"{labels: {a: b c}}", "metadata.labels: Invalid value: \"b c\": a valid label must be"},
          {"{annotations: {Example.com/A: anything at all}}", ""},
          {"{annotations: {a b: x}}", "metadata.annotations: Invalid value: \"a b\": name part"},
          {"{generation: -1}",
           "metadata.generation: Invalid value: -1: must be greater than or equal to 0"},
          {"{ownerReferences: [{apiVersion: v1, kind: Node, name: x, uid: u}]}", ""},
          {"{ownerReferences: [{apiVersion: \"\", kind: Node, name: x, uid: u}]}",
           "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty"},
          {"{ownerReferences: [{apiVersion: v1, kind: Node, name: x, uid: \"\"}]}",
           "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"},
          {"{ownerReferences: [{apiVersion: v1, kind: A, name: x, uid: u, controller: true}, "
           "{apiVersion: v1, kind: B, name: m, uid: v, controller: true}]}",
           "metadata.ownerReferences: Invalid value: \"B/m\": Only one reference can have "
           "Controller set to true. Found \"true\" in references for A/x and B/m"},
          {"{finalizers: [example.com/a, orphan]}", ""},
          {"{finalizers: [mine]}",
           "metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard "
           "finalizer name nor is it fully qualified"},
          {"{finalizers: [orphan, foregroundDeletion]}", "metadata.finalizers: Invalid value"},
          {"{managedFields: [{operation: Guess}]}",
           "metadata.managedFields[0].operation: Invalid value: \"Guess\": must be `Apply` or "
           "`Update`"},
      });
  EXPECT_EQ(FaultsWith(StrCat("metadata: {annotations: {a: ", std::string(256 * 1024, 'x'), "}}")),
            "metadata.annotations: Too long: may not be more than 262144 bytes");
  EXPECT_EQ(
      FaultsWith(StrCat("metadata: {annotations: {a: ", std::string(256 * 1024 - 1, 'x'), "}}")),
      "");
}

TEST(ValidatePod, AnnotationsThatMeanSomething) {
  Check("metadata: {annotations: {", "}}",
        {
            {"kubernetes.io/config.mirror: x",
             "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set "
             "spec.nodeName if mirror pod annotation is set"},
            {"controller.kubernetes.io/pod-deletion-cost: '7'", ""},
            {"controller.kubernetes.io/pod-deletion-cost: 'x'",
             "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "
             "\"x\": must be a 32bit integer"},
            {"seccomp.security.alpha.kubernetes.io/pod: runtime/default", ""},
            {"seccomp.security.alpha.kubernetes.io/pod: localhost/a/b", ""},
            {"seccomp.security.alpha.kubernetes.io/pod: localhost/../b",
             "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "
             "\"../b\": must not contain '..'"},
            {"container.seccomp.security.alpha.kubernetes.io/main: wild",
             "metadata.annotations.container.seccomp.security.alpha.kubernetes.io/main: Invalid "
             "value: \"wild\": must be a valid seccomp profile"},
            {"container.apparmor.security.beta.kubernetes.io/main: unconfined", ""},
            {"container.apparmor.security.beta.kubernetes.io/other: unconfined",
             "metadata.annotations[container.apparmor.security.beta.kubernetes.io/other]: Invalid "
             "value: \"other\": container not found"},
            {"container.apparmor.security.beta.kubernetes.io/main: wild",
             "metadata.annotations[container.apparmor.security.beta.kubernetes.io/main]: Invalid "
             "value: \"wild\": invalid AppArmor profile name: \"wild\""},
        });
}

TEST(ValidatePod, ProfilesOfAnnotationsAndFieldsAgree) {
  const auto faults = [](std::string_view annotation, std::string_view field) {
    return FaultsWith(StrCat("{metadata: {annotations: {", annotation,
                             "}}, spec: {containers: "
                             "[{name: main, image: i, securityContext: {",
                             field, "}}]}}"));
  };
  constexpr char kSeccomp[] = "container.seccomp.security.alpha.kubernetes.io/main: ";
  constexpr char kAppArmor[] = "container.apparmor.security.beta.kubernetes.io/main: ";
  EXPECT_EQ(faults(StrCat(kSeccomp, "docker/default"), "seccompProfile: {type: RuntimeDefault}"),
            "");
  EXPECT_EQ(faults(StrCat(kSeccomp, "unconfined"), "seccompProfile: {type: RuntimeDefault}"),
            "spec.containers[0].securityContext.seccompProfile.type: Forbidden: seccomp type in "
            "annotation and field must match");
  EXPECT_EQ(
      faults(StrCat(kSeccomp, "localhost/a"),
             "seccompProfile: {type: Localhost, localhostProfile: b}"),
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Forbidden: seccomp "
      "profile in annotation and field must match");
  EXPECT_EQ(faults(StrCat(kAppArmor, "localhost/a"),
                   "appArmorProfile: {type: Localhost, localhostProfile: a}"),
            "");
  EXPECT_EQ(faults(StrCat(kAppArmor, "runtime/default"), "appArmorProfile: {type: Unconfined}"),
            "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in "
            "annotation and field must match");
}

TEST(ValidatePod, FieldsOfTheSpec) {
  Check("spec: {", "}",
        {
            {"restartPolicy: Sometimes",
             "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
             "\"OnFailure\", \"Never\""},
            {"dnsPolicy: Magic",
             "spec.dnsPolicy: Unsupported value: \"Magic\": supported values: "
             "\"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\""},
            {"activeDeadlineSeconds: 1", ""},
            {"activeDeadlineSeconds: 0",
             "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
             "inclusive"},
            {"activeDeadlineSeconds: 2147483648", "spec.activeDeadlineSeconds: Invalid value"},
            {"nodeSelector: {a: b}", ""},
            {"nodeSelector: {a: -}", "spec.nodeSelector: Invalid value: \"-\""},
            {"serviceAccountName: A", "spec.serviceAccountName: Invalid value: \"A\""},
            {"nodeName: a_b", "spec.nodeName: Invalid value: \"a_b\""},
            {"hostname: a.b", "spec.hostname: Invalid value: \"a.b\": must not contain dots"},
            {"subdomain: A", "spec.subdomain: Invalid value: \"A\""},
            {"hostnameOverride: a.example.com", ""},
            {"hostnameOverride: \"\"", "spec.hostnameOverride: Invalid value: \"\""},
            {"{hostnameOverride: a, hostNetwork: true}",
             "spec.hostnameOverride: Forbidden: may not be specified when `hostNetwork` is true"},
            {"{hostnameOverride: a, setHostnameAsFQDN: true}", "spec.hostnameOverride: Forbidden"},
            {StrCat("hostnameOverride: ", std::string(65, 'a')),
             "spec.hostnameOverride: Too long: may not be more than 64 bytes"},
            {"hostAliases: [{ip: 1.2.3.4, hostnames: [a, b.c]}]", ""},
            {"hostAliases: [{ip: x}]",
             "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. "
             "10.9.8.7 or 2001:db8::ffff)"},
            {"hostAliases: [{ip: \"::1\", hostnames: [a, B]}]",
             "spec.hostAliases[0].hostnames[1]: Invalid value: \"B\""},
            {"priorityClassName: A", "spec.priorityClassName: Invalid value: \"A\""},
            {"priority: -5", ""},
            {"preemptionPolicy: Never", ""},
            {"preemptionPolicy: Please", "spec.preemptionPolicy: Unsupported value: \"Please\""},
            {"runtimeClassName: kata", ""},
            {"runtimeClassName: \"\"", "spec.runtimeClassName: Invalid value: \"\""},
            {"os: {name: linux}", ""},
            {"os: {name: \"\"}", "spec.os.name: Required value: cannot be empty"},
            {"os: {name: plan9}",
             "spec.os: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""},
            {"readinessGates: [{conditionType: example.com/ready}]", ""},
            {"readinessGates: [{conditionType: a b}]",
             "spec.readinessGates[0].conditionType: Invalid value: \"a b\""},
            {"schedulingGates: [{name: a}, {name: a}]",
             "spec.schedulingGates[1]: Duplicate value: \"a\""},
            {"{schedulingGates: [{name: a}], nodeName: x}",
             "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"},
            {"ephemeralContainers: [{name: e, image: i}]",
             "spec.ephemeralContainers: Forbidden: cannot be set on create"},
        });
}

TEST(ValidatePod, Dns) {
  Check("spec: {", "}",
        {
            {"dnsPolicy: None",
             "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
            {"{dnsPolicy: None, dnsConfig: {searches: [a]}}",
             "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver "
             "when `dnsPolicy` is None"},
            {"{dnsPolicy: None, dnsConfig: {nameservers: [1.2.3.4]}}", ""},
            {"dnsConfig: {nameservers: [1.2.3.4, \"::1\", 9.9.9.9, 8.8.8.8]}",
             "spec.dnsConfig.nameservers: Invalid value: [1.2.3.4 ::1 9.9.9.9 8.8.8.8]: must not "
             "have more than 3 nameservers"},
            {"dnsConfig: {nameservers: [ns]}",
             "spec.dnsConfig.nameservers[0]: Invalid value: \"ns\""},
            {"dnsConfig: {searches: [., a.b., _x.c]}", ""},
            {"dnsConfig: {searches: [A]}", "spec.dnsConfig.searches[0]: Invalid value: \"A\""},
            {"dnsConfig: {options: [{name: ndots, value: \"5\"}, {name: edns0}]}", ""},
            {"dnsConfig: {options: [{value: \"5\"}]}",
             "spec.dnsConfig.options[0]: Required value: must not be empty"},
        });
  std::string searches;
  for (int i = 0; i < 33; ++i) searches += StrCat("s", i, ",");
  EXPECT_THAT(FaultsWith(StrCat("spec: {dnsConfig: {searches: [", searches, "]}}")),
              HasSubstr("must not have more than 32 search paths"));
  searches.clear();
  for (int i = 0; i < 30; ++i)
    searches += StrCat(std::string(60, 'a'), ".", std::string(20, 'b'), ",");
  EXPECT_THAT(FaultsWith(StrCat("spec: {dnsConfig: {searches: [", searches, "]}}")),
              HasSubstr("must not have more than 2048 characters (including spaces) in the search "
                        "list"));
}

TEST(ValidatePod, SecurityOfThePod) {
  Check(
      "spec: {", "}",
      {
          {"securityContext: {runAsUser: 0, runAsGroup: 4294967295, fsGroup: 1}", ""},
          {"securityContext: {runAsUser: -1}",
           "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, "
           "inclusive"},
          {"securityContext: {runAsGroup: 4294967296}", "spec.securityContext.runAsGroup: Invalid"},
          {"securityContext: {fsGroup: -1}", "spec.securityContext.fsGroup: Invalid value: -1"},
          {"securityContext: {supplementalGroups: [1, -2]}",
           "spec.securityContext.supplementalGroups[1]: Invalid value: -2"},
          {"securityContext: {supplementalGroupsPolicy: Loose}",
           "spec.securityContext.supplementalGroupsPolicy: Unsupported value: \"Loose\": supported "
           "values: \"Merge\", \"Strict\""},
          {"securityContext: {fsGroupChangePolicy: Never}",
           "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Never\": supported "
           "values: \"Always\", \"OnRootMismatch\""},
          {"securityContext: {seLinuxChangePolicy: Never}",
           "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"Never\""},
          {"securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: \"1\"}]}", ""},
          {"securityContext: {sysctls: [{name: \"\", value: a}]}",
           "spec.securityContext.sysctls[0].name: Required value"},
          {"securityContext: {sysctls: [{name: a..b, value: a}]}",
           "spec.securityContext.sysctls[0].name: Invalid value: \"a..b\": must have at most 253 "
           "characters and match regex "
           "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"},
          {"securityContext: {sysctls: [{name: a, value: a}, {name: a, value: b}]}",
           "spec.securityContext.sysctls[1].name: Duplicate value: \"a\""},
          {"{hostNetwork: true, securityContext: {sysctls: [{name: net.a, value: a}]}}",
           "spec.securityContext.sysctls[0].name: Invalid value: \"net.a\": may not be specified "
           "when 'hostNetwork' is true"},
          {"{hostIPC: true, securityContext: {sysctls: [{name: kernel/shmmax, value: a}]}}",
           "spec.securityContext.sysctls[0].name: Invalid value: \"kernel/shmmax\": may not be "
           "specified when 'hostIPC' is true"},
          {"securityContext: {seccompProfile: {}}",
           "spec.securityContext.seccompProfile.type: Required value: type is required when "
           "seccompProfile is set"},
          {"securityContext: {seccompProfile: {type: Mine}}",
           "spec.securityContext.seccompProfile.type: Unsupported value: \"Mine\": supported "
           "values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""},
          {"securityContext: {seccompProfile: {type: Localhost}}",
           "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when "
           "seccomp type is Localhost"},
          {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: /a}}",
           "spec.securityContext.seccompProfile.localhostProfile: Invalid value: \"/a\": must be a "
           "relative path"},
          {"securityContext: {seccompProfile: {type: Unconfined, localhostProfile: a}}",
           "spec.securityContext.seccompProfile.localhostProfile: Invalid value: \"a\": can only "
           "be "
           "set when seccomp type is Localhost"},
          {"securityContext: {appArmorProfile: {}}",
           "spec.securityContext.appArmorProfile.type: Required value: type is required when "
           "appArmorProfile is set"},
          {"securityContext: {appArmorProfile: {type: Localhost, localhostProfile: ' a'}}",
           "spec.securityContext.appArmorProfile.localhostProfile: Invalid value: \" a\": must not "
           "be padded with whitespace"},
          {"securityContext: {appArmorProfile: {type: Localhost}}",
           "spec.securityContext.appArmorProfile.localhostProfile: Required value"},
          {"{hostPID: true, shareProcessNamespace: true}",
           "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace "
           "and HostPID cannot both be enabled"},
          {"hostUsers: false", ""},
          {"{hostUsers: false, hostNetwork: true}",
           "spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false"},
          {"{hostUsers: false, hostPID: true}", "spec.HostPID: Forbidden"},
      });
}

TEST(ValidatePod, Affinity) {
  constexpr char kNode[] =
      "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
      "{nodeSelectorTerms: [";
  constexpr char kTerm[] =
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms";
  Check(StrCat("spec: {", kNode), "]}}}}",
        {
            {"", StrCat(kTerm, ": Required value: must have at least one node selector term")},
            {"{matchExpressions: [{key: a, operator: In, values: [b]}]}", ""},
            {"{matchExpressions: [{key: a, operator: In}]}",
             StrCat(kTerm,
                    "[0].matchExpressions[0].values: Required value: must be specified when "
                    "`operator` is 'In' or 'NotIn'")},
            {"{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
             StrCat(kTerm,
                    "[0].matchExpressions[0].values: Forbidden: may not be specified when "
                    "`operator` is 'Exists' or 'DoesNotExist'")},
            {"{matchExpressions: [{key: a, operator: Gt, values: ['1', '2']}]}",
             StrCat(kTerm,
                    "[0].matchExpressions[0].values: Required value: must be specified single "
                    "value when `operator` is 'Lt' or 'Gt'")},
            {"{matchExpressions: [{key: a, operator: Is, values: [b]}]}",
             StrCat(kTerm,
                    "[0].matchExpressions[0].operator: Invalid value: \"Is\": not a valid "
                    "selector operator")},
            {"{matchExpressions: [{key: \"\", operator: Exists}]}",
             StrCat("[", kTerm,
                    "[0].matchExpressions[0].key: Invalid value: \"\": name part must "
                    "be non-empty")},
            {"{matchFields: [{key: metadata.name, operator: In, values: [x]}]}", ""},
            {"{matchFields: [{key: metadata.uid, operator: In, values: [x]}]}",
             StrCat(kTerm,
                    "[0].matchFields[0].key: Invalid value: \"metadata.uid\": not a valid "
                    "field selector key")},
            {"{matchFields: [{key: metadata.name, operator: In, values: [a, b]}]}",
             StrCat(kTerm, "[0].matchFields[0].values: Required value: must be only one value")},
        });
  Check(
      "spec: {affinity: {", "}}",
      {
          {"nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, "
           "preference: {}}]}",
           "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
           "Invalid value: 0: must be in the range 1-100"},
          {"podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, "
           "namespaces: [x], labelSelector: {matchLabels: {a: b}}, matchLabelKeys: [c]}]}",
           ""},
          {"podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}",
           "[spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
           "topologyKey: Required value: can not be empty"},
          {"podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, "
           "podAffinityTerm: {topologyKey: a}}]}",
           "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
           "Invalid value: 101"},
          {"podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, "
           "matchLabelKeys: [c]}]}",
           "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
           "matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"},
          {"podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, "
           "labelSelector: {}, matchLabelKeys: [c], mismatchLabelKeys: [c]}]}",
           "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
           "matchLabelKeys[0]: Invalid value: \"c\": exists in both matchLabelKeys and "
           "mismatchLabelKeys"},
      });
}

TEST(ValidatePod, Tolerations) {
  Check(
      "spec: {tolerations: [{", "}]}",
      {
          {"operator: Exists, effect: NoExecute", ""},
          {"key: a, operator: Equal, value: b, effect: NoSchedule", ""},
          {"key: a, value: b", ""},
          {"operator: Equal",
           "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when "
           "`key` is empty, which means \"match all values and all keys\""},
          {"key: a b, operator: Exists", "spec.tolerations[0].key: Invalid value: \"a b\""},
          {"key: a, operator: Exists, value: b",
           "spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when "
           "`operator` is 'Exists'"},
          {"key: a, operator: Gt, value: '1'",
           "spec.tolerations[0].operator: Unsupported value: \"Gt\": supported values: \"Equal\", "
           "\"Exists\""},
          {"key: a, operator: Exists, effect: Soon",
           "spec.tolerations[0].effect: Unsupported value: \"Soon\": supported values: "
           "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\""},
          {"key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5",
           "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' "
           "when `tolerationSeconds` is set"},
          {"key: a, value: b c", "spec.tolerations[0].operator: Invalid value: \"b c\""},
      });
}

TEST(ValidatePod, TopologySpread) {
  Check(
      "spec: {topologySpreadConstraints: [{", "}]}",
      {
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: "
           "{matchLabels: {a: b}}, matchLabelKeys: [c], minDomains: 2, nodeTaintsPolicy: Honor",
           ""},
          {"maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule",
           "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than "
           "zero"},
          {"maxSkew: 1, whenUnsatisfiable: DoNotSchedule",
           "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty"},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: Wait",
           "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Wait\""},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, minDomains: 1",
           "spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use "
           "minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, "
           "nodeAffinityPolicy: Maybe",
           "spec.topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: \"Maybe\""},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, matchLabelKeys: [a]",
           "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden"},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: "
           "{matchLabels: {a: b}}, matchLabelKeys: [a]",
           "spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: \"a\": exists in "
           "both matchLabelKeys and labelSelector"},
          {"maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}, {maxSkew: 2, "
           "topologyKey: zone, whenUnsatisfiable: ScheduleAnyway",
           "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "
           "\"{zone, ScheduleAnyway}\""},
      });
}

TEST(ValidatePod, WindowsAndLinux) {
  Check("spec: {", "}",
        {
            {"{os: {name: linux}, securityContext: {windowsOptions: {}}}",
             "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a "
             "linux pod"},
            {"{os: {name: windows}, hostUsers: true}",
             "spec.hostUsers: Forbidden: cannot be set for a windows pod"},
            {"{os: {name: windows}, securityContext: {runAsUser: 1}}",
             "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod"},
            {"{os: {name: windows}, containers: [{name: c, image: i, securityContext: {privileged: "
             "false}}]}",
             "spec.containers[0].securityContext.privileged: Forbidden"},
            {"securityContext: {windowsOptions: {runAsUserName: 'DOMAIN\\user'}}", ""},
            {"securityContext: {windowsOptions: {runAsUserName: 'a\\b\\c'}}",
             "spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"a\\\\b\\\\c\": "
             "runAsUserName cannot contain more than one backslash"},
            {"securityContext: {windowsOptions: {runAsUserName: '..'}}",
             "spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"..\": "
             "runAsUserName's User cannot contain only periods or spaces"},
            {"securityContext: {windowsOptions: {hostProcess: true}}",
             "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any "
             "hostProcess containers"},
            {"{hostNetwork: true, securityContext: {windowsOptions: {hostProcess: true}}, "
             "containers: [{name: c, image: i, securityContext: {windowsOptions: {hostProcess: "
             "false}}}]}",
             "spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: "
             "pod hostProcess value must be identical if both are specified, was true"},
        });
}

TEST(ValidatePod, ResourcesOfThePod) {
  Check(
      "spec: {", "}",
      {
          {"resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}", ""},
          {"resources: {limits: {example.com/gpu: 1}}",
           "spec.resources.limits[example.com/gpu]: Unsupported value: \"example.com/gpu\": "
           "supported values: \"cpu\", \"hugepages-\", \"memory\""},
          {"{resources: {requests: {cpu: 1}, limits: {cpu: 1}}, containers: [{name: c, image: i, "
           "resources: {requests: {cpu: 2}}}]}",
           "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to "
           "aggregate container requests of 2"},
          {"{resources: {limits: {cpu: 1}}, containers: [{name: c, image: i, resources: {requests: "
           "{cpu: 500m}, limits: {cpu: 2}}}]}",
           "spec.resources.containers[0][cpu].limits: Invalid value: \"2\": must be less than or "
           "equal to pod limits of 1"},
          {"resources: {requests: {cpu: 2}, limits: {cpu: 1}}",
           "spec.resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit "
           "of 1"},
          {"resources: {claims: [{name: a}]}",
           "spec.resources.claims: Forbidden: claims cannot be set for Resources at pod-level"},
          {"overhead: {cpu: 1, memory: 1Mi}", ""},
          {"overhead: {cpu: -1}",
           "spec.overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
          {"resourceClaims: [{name: a, resourceClaimName: r}, {name: a, resourceClaimName: r}]",
           "spec.resourceClaims[1].name: Duplicate value: \"a\""},
          {"resourceClaims: [{name: a}]",
           "spec.resourceClaims[0]: Invalid value: \"a\": must specify one of: "
           "`resourceClaimName`, `resourceClaimTemplateName`"},
          {"resourceClaims: [{name: a, resourceClaimName: r, resourceClaimTemplateName: t}]",
           "spec.resourceClaims[0]: Invalid value: \"a\": at most one of"},
      });
}

}  // namespace
}  // namespace cubelet::api
