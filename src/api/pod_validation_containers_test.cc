// ValidatePod: containers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/pod_test_util.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Case {
  std::string change;
  std::string fault;  // what the message begins with, after the container's path
};

constexpr char kVolumes[] =
    "volumes: [{name: data, emptyDir: {}}, {name: host, hostPath: {path: /x}}, {name: claim, "
    "persistentVolumeClaim: {claimName: c}}]";

std::string Spec(std::string_view containers) {
  return StrCat("spec: {", kVolumes, ", ", containers, "}");
}

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string faults =
        FaultsWith(Spec(StrCat("containers: [{name: main, image: i, ", c.change, "}]")));
    if (c.fault.empty()) {
      EXPECT_EQ(faults, "") << c.change;
    } else {
      EXPECT_THAT(faults, StartsWith(StrCat("spec.containers[0].", c.fault))) << c.change;
    }
  }
}

std::string Containers(std::string_view containers) {
  return FaultsWith(Spec(StrCat("containers: [", containers, "]")));
}

TEST(ValidateContainers, NamesAndImages) {
  EXPECT_EQ(Containers(""), "spec.containers: Required value");
  EXPECT_EQ(Containers("{image: i}"), "spec.containers[0].name: Required value");
  EXPECT_THAT(
      Containers("{name: A, image: i}"),
      StartsWith("spec.containers[0].name: Invalid value: \"A\": a lowercase RFC 1123 label"));
  EXPECT_EQ(Containers("{name: a}"), "spec.containers[0].image: Required value");
  EXPECT_EQ(Containers("{name: a, image: ' i'}"),
            "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
            "whitespace");
  EXPECT_EQ(Containers("{name: a, image: i}, {name: a, image: i}"),
            "spec.containers[1].name: Duplicate value: \"a\"");
  EXPECT_EQ(FaultsWith(Spec("containers: [{name: a, image: i}], initContainers: [{name: a, image: "
                            "i}]")),
            "spec.initContainers[0].name: Duplicate value: \"a\"");
  Check({
      {"imagePullPolicy: Often",
       "imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", "
       "\"IfNotPresent\", \"Never\""},
      {"terminationMessagePolicy: Guess",
       "terminationMessagePolicy: Unsupported value: \"Guess\": supported values: \"File\", "
       "\"FallbackToLogsOnError\""},
  });
}

TEST(ValidateContainers, Ports) {
  Check({
      {"ports: [{containerPort: 80, name: web}, {containerPort: 80, protocol: UDP}]", ""},
      {"ports: [{name: web}]", "ports[0].containerPort: Required value"},
      {"ports: [{containerPort: 65536}]",
       "ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive"},
      {"ports: [{containerPort: 1, hostPort: -1}]", "ports[0].hostPort: Invalid value: -1"},
      {"ports: [{containerPort: 1, protocol: ICMP}]",
       "ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", "
       "\"UDP\""},
      {"ports: [{containerPort: 1, name: Web}]", "ports[0].name: Invalid value: \"Web\""},
      {"ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]",
       "ports[1].name: Duplicate value: \"a\""},
  });
}

TEST(ValidateContainers, HostPortsAreHadOnce) {
  EXPECT_EQ(Containers("{name: a, image: i, ports: [{containerPort: 1, hostPort: 80}]}, {name: b, "
                       "image: i, ports: [{containerPort: 2, hostPort: 80}]}"),
            "spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//80\"");
  EXPECT_EQ(Containers("{name: a, image: i, ports: [{containerPort: 1, hostPort: 80}, "
                       "{containerPort: 1, hostPort: 80, protocol: UDP}, {containerPort: 1, "
                       "hostPort: 80, hostIP: 1.2.3.4}]}"),
            "");
  EXPECT_EQ(FaultsWith(Spec("containers: [{name: m, image: i, ports: [{containerPort: 1, hostPort: "
                            "80}]}], initContainers: [{name: a, image: i, ports: [{containerPort: "
                            "1, hostPort: 80}]}, {name: b, image: i, ports: [{containerPort: 1, "
                            "hostPort: 80}]}]")),
            "");
  EXPECT_EQ(FaultsWith("spec: {hostNetwork: true, containers: [{name: a, image: i, ports: "
                       "[{containerPort: 80, hostPort: 81}]}]}"),
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
            "when `hostNetwork` is true");
}

TEST(ValidateContainers, Environment) {
  Check({
      {"env: [{name: A, value: b}, {name: a.b-c, value: $(A)}, {name: A}]", ""},
      {"env: [{value: b}]", "env[0].name: Required value"},
      {"env: [{name: a=b}]", "env[0].name: Invalid value: \"a=b\": a valid environment variable"},
      {"env: [{name: A, valueFrom: {}}]",
       "env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, "
       "`resourceFieldRef`, "
       "`configMapKeyRef` or `secretKeyRef`"},
      {"env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
       "env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"},
      {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: s, "
       "key: k}}}]",
       "env[0].valueFrom: Invalid value: \"\": may not have more than one field specified at a "
       "time"},
      {"env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}]", ""},
      {"env: [{name: A, valueFrom: {configMapKeyRef: {name: c}}}]",
       "env[0].valueFrom.configMapKeyRef.key: Required value"},
      {"env: [{name: A, valueFrom: {secretKeyRef: {name: S, key: k}}}]",
       "env[0].valueFrom.secretKeyRef.name: Invalid value: \"S\""},
      {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k/l}}}]",
       "env[0].valueFrom.secretKeyRef.key: Invalid value: \"k/l\""},
      {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: data, path: a/b, key: k}}}]", ""},
      {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: none, path: a, key: k}}}]",
       "env[0].valueFrom.fileKeyRef.volumeName: Not found: \"none\""},
      {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: host, path: a, key: k}}}]",
       "env[0].valueFrom.fileKeyRef.volumeName: Invalid value: \"host\""},
      {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: data, path: ../a, key: k}}}]",
       "env[0].valueFrom.fileKeyRef.path: Invalid value: \"../a\": must not contain '..'"},
      {"envFrom: [{configMapRef: {name: c}}, {prefix: P_, secretRef: {name: s}}]", ""},
      {"envFrom: [{}]",
       "envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
      {"envFrom: [{configMapRef: {name: c}, secretRef: {name: s}}]",
       "envFrom: Invalid value: \"\": may not have more than one field specified at a time"},
      {"envFrom: [{configMapRef: {}}]", "envFrom[0].configMapRef.name: Required value"},
      {"envFrom: [{prefix: a=, secretRef: {name: s}}]", "envFrom[0].prefix: Invalid value: \"a=\""},
  });
}

TEST(ValidateContainers, FieldsAndResourcesInTheEnvironment) {
  const auto field = [](std::string_view path) {
    return StrCat("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"", path, "\"}}}]");
  };
  const auto resource = [](std::string_view selector) {
    return StrCat("env: [{name: A, valueFrom: {resourceFieldRef: {", selector, "}}}]");
  };
  constexpr char kField[] = "env[0].valueFrom.fieldRef";
  constexpr char kResource[] = "env[0].valueFrom.resourceFieldRef";
  Check({
      {field("status.podIPs"), ""},
      {field("spec.host"), ""},
      {field("metadata.labels['a/b']"), ""},
      {field("metadata.annotations['Example.com/B']"), ""},
      {field(""), StrCat(kField, ".fieldPath: Required value")},
      {"env: [{name: A, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}]",
       StrCat(kField,
              ".fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: "
              "unsupported pod version: v2")},
      {field("metadata.labels"),
       StrCat(kField,
              ".fieldPath: Unsupported value: \"metadata.labels\": supported values: "
              "\"metadata.name\", \"metadata.namespace\", \"metadata.uid\", "
              "\"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
              "\"status.hostIPs\", \"status.podIP\", \"status.podIPs\"")},
      {field("status.phase"), StrCat(kField, ".fieldPath: Unsupported value: \"status.phase\"")},
      {field("spec.secret"),
       StrCat(kField,
              ".fieldPath: Invalid value: \"spec.secret\": error converting fieldPath: "
              "field label not supported: spec.secret")},
      {field("metadata.name['a']"),
       StrCat(kField,
              ".fieldPath: Invalid value: \"metadata.name['a']\": error converting "
              "fieldPath: field label does not support subscript: metadata.name['a']")},
      {field("metadata.labels['a b']"), StrCat(kField, ": Invalid value: \"a b\"")},
      {resource("resource: limits.cpu, divisor: 1m"), ""},
      {resource("resource: requests.hugepages-2Mi, divisor: 1Mi"), ""},
      {resource(""), StrCat(kResource, ".resource: Required value")},
      {resource("resource: limits.gpu"),
       StrCat(kResource,
              ".resource: Unsupported value: \"limits.gpu\": supported values: "
              "\"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", "
              "\"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"")},
      {resource("resource: limits.cpu, divisor: 1Mi"),
       StrCat(kResource,
              ".divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 "
              "are supported with the cpu resource")},
      {resource("resource: limits.memory, divisor: 2Mi"),
       StrCat(kResource,
              ".divisor: Invalid value: \"limits.memory\": only divisor's values 1, 1k,")},
      {resource("resource: limits.ephemeral-storage, divisor: 1m"),
       StrCat(kResource, ".divisor: Invalid value")},
  });
}

TEST(ValidateContainers, Mounts) {
  Check({
      {"volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /b, subPath: x}]", ""},
  });
  EXPECT_EQ(Containers("{name: c, image: i, volumeMounts: [{mountPath: /a}]}"),
            "[spec.containers[0].volumeMounts[0].name: Required value, "
            "spec.containers[0].volumeMounts[0].name: Not found: \"\"]");
}

TEST(ValidateContainers, MountOptions) {
  Check({
      {"volumeMounts: [{name: none, mountPath: /a}]", "volumeMounts[0].name: Not found: \"none\""},
      {"volumeMounts: [{name: data}]", "volumeMounts[0].mountPath: Required value"},
      {"volumeMounts: [{name: data, mountPath: /a}, {name: host, mountPath: /a}]",
       "volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"},
      {"volumeMounts: [{name: data, mountPath: /a, subPath: /b}]",
       "volumeMounts.subPath: Invalid value: \"/b\": must be a relative path"},
      {"volumeMounts: [{name: data, mountPath: /a, subPath: a/../b}]",
       "volumeMounts.subPath: Invalid value: \"a/../b\": must not contain '..'"},
      {"volumeMounts: [{name: data, mountPath: /a, subPath: a, subPathExpr: b}]",
       "volumeMounts[0].subPathExpr: Invalid value: \"b\": subPathExpr and subPath are mutually "
       "exclusive"},
      {"volumeMounts: [{name: data, mountPath: /a, mountPropagation: Sideways}]",
       "volumeMounts.mountPropagation: Unsupported value: \"Sideways\": supported values: "
       "\"Bidirectional\", \"HostToContainer\", \"None\""},
      {"volumeMounts: [{name: data, mountPath: /a, mountPropagation: Bidirectional}]",
       "volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available "
       "only "
       "to privileged containers"},
      {"securityContext: {privileged: true}, volumeMounts: [{name: data, mountPath: /a, "
       "mountPropagation: Bidirectional}]",
       ""},
      {"volumeMounts: [{name: data, mountPath: /a, readOnly: true, recursiveReadOnly: Enabled}]",
       ""},
      {"volumeMounts: [{name: data, mountPath: /a, recursiveReadOnly: Enabled}]",
       "volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"},
      {"volumeMounts: [{name: data, mountPath: /a, readOnly: true, recursiveReadOnly: IfPossible, "
       "mountPropagation: HostToContainer}]",
       "volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is "
       "None or not specified"},
      {"volumeMounts: [{name: data, mountPath: /a, recursiveReadOnly: Perhaps}]",
       "volumeMounts.recursiveReadOnly: Unsupported value: \"Perhaps\": supported values: "
       "\"Disabled\", \"Enabled\", \"IfPossible\""},
  });
}

TEST(ValidateContainers, Devices) {
  Check({
      {"volumeDevices: [{name: claim, devicePath: /dev/x}]", ""},
      {"volumeDevices: [{name: data, devicePath: /dev/x}]",
       "volumeDevices[0].name: Invalid value: \"data\": can only use volume source type of "
       "PersistentVolumeClaim or Ephemeral for block mode"},
      {"volumeDevices: [{name: none, devicePath: /dev/x}]",
       "volumeDevices[0].name: Not found: \"none\""},
      {"volumeDevices: [{name: claim}]", "volumeDevices[0].devicePath: Required value"},
      {"volumeDevices: [{name: claim, devicePath: /dev/../x}]",
       "volumeDevices[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps "
       "('..')"},
      {"volumeDevices: [{name: claim, devicePath: /a}, {name: claim, devicePath: /b}]",
       "volumeDevices[1].name: Invalid value: \"claim\": must be unique"},
  });
  const std::string both = Containers(
      "{name: c, image: i, volumeDevices: [{name: claim, devicePath: /a}], volumeMounts: [{name: "
      "claim, mountPath: /a}]}");
  EXPECT_THAT(both, HasSubstr("volumeMounts[0].name: Invalid value: \"claim\": must not already "
                              "exist in volumeDevices"));
  EXPECT_THAT(both,
              HasSubstr("volumeDevices[0].devicePath: Invalid value: \"/a\": must not already "
                        "exist as a path in volumeMounts"));
}

TEST(ValidateContainers, Resources) {
  Check({
      {"resources: {limits: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi, example.com/gpu: 2}}",
       ""},
      {"resources: {requests: {cpu: 2}, limits: {cpu: 1}}",
       "resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
      {"resources: {requests: {example.com/gpu: 1}, limits: {example.com/gpu: 2}}",
       "resources.requests: Invalid value: \"1\": must be equal to example.com/gpu limit of 2"},
      {"resources: {requests: {example.com/gpu: 1}}",
       "resources.limits: Required value: Limit must be set for non overcommitable resources"},
      {"resources: {requests: {cpu: -1}}",
       "resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
      {"resources: {requests: {a b: 1}}",
       "resources.requests[a b]: Invalid value: \"a b\": name part"},
  });
}

TEST(ValidateContainers, ResourceNames) {
  const auto faults = [](std::string_view resources) {
    return Containers(StrCat("{name: c, image: i, resources: {", resources, "}}"));
  };
  EXPECT_EQ(faults("requests: {foo: 1}"),
            "[spec.containers[0].resources.requests[foo]: Invalid value: \"foo\": must be a "
            "standard resource type or fully qualified, "
            "spec.containers[0].resources.requests[foo]: Invalid value: \"foo\": must be a "
            "standard resource for containers]");
  EXPECT_EQ(faults("requests: {pods: 1}"),
            "spec.containers[0].resources.requests[pods]: Invalid value: \"pods\": must be a "
            "standard resource for containers");
  EXPECT_EQ(
      faults("limits: {requests.example.com/gpu: 1}, requests: {requests.example.com/gpu: 1}"),
      "[spec.containers[0].resources.limits[requests.example.com/gpu]: Invalid value: "
      "\"requests.example.com/gpu\": doesn't follow extended resource name standard, "
      "spec.containers[0].resources.requests[requests.example.com/gpu]: Invalid value: "
      "\"requests.example.com/gpu\": doesn't follow extended resource name standard]");
  EXPECT_EQ(faults("limits: {example.com/gpu: 1500m}"),
            "[spec.containers[0].resources.limits[example.com/gpu]: Invalid value: 1500m: must be "
            "an integer, spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "
            "1500m: must be an integer]");
  EXPECT_EQ(faults("requests: {kubernetes.io/batch: 1}"), "");
}

TEST(ValidateContainers, HugePages) {
  Check({
      {"resources: {limits: {hugepages-2Mi: 4Mi, memory: 1Gi}}", ""},
      {"resources: {limits: {hugepages-2Mi: 4Mi}}",
       "resources: Forbidden: HugePages require cpu or memory"},
  });
  EXPECT_THAT(Containers("{name: c, image: i, resources: {limits: {hugepages-2Mi: 3Mi, cpu: 1}}}"),
              StartsWith("[spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "
                         "\"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"));
  EXPECT_THAT(Containers("{name: c, image: i, resources: {limits: {hugepages-: 3Mi, cpu: 1}}}"),
              HasSubstr("hugepages-"));
  EXPECT_THAT(Containers("{name: c, image: i, resources: {limits: {hugepages-0: 1, cpu: 1}}}"),
              HasSubstr("1 is not positive integer multiple of hugepages-0"));
  EXPECT_EQ(Containers("{name: c, image: i, resources: {limits: {hugepages-2Mi: 4Mi, cpu: 1}, "
                       "requests: {hugepages-2Mi: 2Mi}}}"),
            "spec.containers[0].resources.requests: Invalid value: \"2Mi\": must be equal to "
            "hugepages-2Mi limit of 4Mi");
}

TEST(ValidateContainers, ResourceClaims) {
  const auto faults = [](std::string_view claims) {
    return FaultsWith(
        StrCat("spec: {resourceClaims: [{name: gpu, resourceClaimName: r}], "
               "containers: [{name: c, image: i, resources: {claims: [",
               claims, "]}}]}"));
  };
  EXPECT_EQ(faults("{name: gpu}"), "");
  EXPECT_EQ(faults("{name: gpu, request: a}, {name: gpu, request: b}"), "");
  EXPECT_EQ(faults("{name: gpu}, {name: gpu}"),
            "spec.containers[0].resources.claims[1]: Duplicate value: \"gpu\"");
  EXPECT_EQ(faults("{name: gpu, request: a}, {name: gpu}"),
            "spec.containers[0].resources.claims[1]: Duplicate value: \"gpu\"");
  EXPECT_EQ(faults("{name: gpu, request: a}, {name: gpu, request: a}"),
            "spec.containers[0].resources.claims[1]: Duplicate value: \"gpu/a\"");
  EXPECT_EQ(
      faults("{name: other}"),
      "spec.containers[0].resources.claims[0]: Not found: \"other\": must be one of the names "
      "in pod.spec.resourceClaims: gpu");
  EXPECT_EQ(Containers("{name: c, image: i, resources: {claims: [{name: a}]}}"),
            "spec.containers[0].resources.claims[0]: Not found: \"a\": must be one of the names in "
            "pod.spec.resourceClaims which is empty");
}

TEST(ValidateContainers, Probes) {
  Check({
      {"livenessProbe: {exec: {command: [a]}}, readinessProbe: {httpGet: {port: 80}}, "
       "startupProbe: "
       "{tcpSocket: {port: web}}",
       ""},
      {"livenessProbe: {grpc: {port: 50051}}", ""},
      {"livenessProbe: {}", "livenessProbe: Required value: must specify a handler type"},
      {"livenessProbe: {exec: {command: [a]}, grpc: {port: 1}}",
       "livenessProbe.grpc: Forbidden: may not specify more than 1 handler type"},
      {"livenessProbe: {exec: {}}", "livenessProbe.exec.command: Required value"},
      {"livenessProbe: {httpGet: {port: 0}}",
       "livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"},
      {"livenessProbe: {httpGet: {port: \"80\"}}",
       "livenessProbe.httpGet.port: Invalid value: \"80\": must contain at least one letter (a-z)"},
      {"livenessProbe: {httpGet: {port: 1, scheme: FTP}}",
       "livenessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", "
       "\"HTTPS\""},
      {"livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: a b, value: c}]}}",
       "livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must"},
      {"livenessProbe: {tcpSocket: {port: 70000}}",
       "livenessProbe.tcpSocket.port: Invalid value: 70000"},
      {"livenessProbe: {grpc: {port: 0}}", "livenessProbe.grpc.port: Invalid value: 0"},
      {"livenessProbe: {exec: {command: [a]}, timeoutSeconds: -1}",
       "livenessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0"},
      {"livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
       "livenessProbe.successThreshold: Invalid value: 2: must be 1"},
      {"readinessProbe: {exec: {command: [a]}, successThreshold: 2}", ""},
      {"readinessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 5}",
       "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for "
       "readinessProbes"},
      {"startupProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 0}",
       "startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"},
  });
}

TEST(ValidateContainers, Hooks) {
  Check({
      {"lifecycle: {postStart: {exec: {command: [a]}}, preStop: {sleep: {seconds: 0}}}", ""},
      {"lifecycle: {preStop: {sleep: {seconds: 30}}}", ""},
      {"lifecycle: {preStop: {sleep: {seconds: 31}}}",
       "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
       "terminationGracePeriodSeconds (30)"},
      {"lifecycle: {postStart: {}}",
       "lifecycle.postStart: Required value: must specify a handler type"},
      {"lifecycle: {postStart: {httpGet: {port: 1}, tcpSocket: {port: 1}}}",
       "lifecycle.postStart.tcpSocket: Forbidden: may not specify more than 1 handler type"},
  });
}

TEST(ValidateContainers, Security) {
  Check({
      {"securityContext: {privileged: true, runAsUser: 0, procMount: Default}", ""},
      {"securityContext: {runAsUser: -1}", "securityContext.runAsUser: Invalid value: -1"},
      {"securityContext: {procMount: Open}",
       "securityContext.procMount: Unsupported value: \"Open\": supported values: \"Default\", "
       "\"Unmasked\""},
      {"securityContext: {procMount: Unmasked}",
       "securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use "
       "`Unmasked`"},
      {"securityContext: {privileged: true, allowPrivilegeEscalation: false}",
       "securityContext: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and "
       "`privileged` to true"},
      {"securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}",
       "securityContext: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and "
       "`capabilities.Add` CAP_SYS_ADMIN"},
      {"securityContext: {seccompProfile: {type: X}}",
       "securityContext.seccompProfile.type: Unsupported value: \"X\""},
  });
  EXPECT_EQ(FaultsWith("spec: {hostUsers: false, containers: [{name: c, image: i, securityContext: "
                       "{procMount: Unmasked}}]}"),
            "");
}

TEST(ValidateContainers, RestartPolicyAndRules) {
  Check({
      {"restartPolicy: Never", ""},
      {"restartPolicy: Always", ""},
      {"restartPolicy: Daily",
       "restartPolicy: Unsupported value: \"Daily\": supported values: \"Always\", \"Never\", "
       "\"OnFailure\""},
      {"restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, "
       "values: []}}]",
       ""},
      {"restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
       "restartPolicy: Required value: must specify restartPolicy when restart rules are used"},
      {"restartPolicy: Never, restartPolicyRules: [{action: Restart}]",
       "restartPolicyRules[0].exitCodes: Required value: must be specified"},
      {"restartPolicy: Never, restartPolicyRules: [{action: DoNotRestart, exitCodes: {operator: "
       "In, "
       "values: [3]}}]",
       "restartPolicyRules[0].action: Unsupported value: \"DoNotRestart\": supported values: "
       "\"Restart\", \"RestartAllContainers\""},
      {"restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: Equals, "
       "values: [3]}}]",
       "restartPolicyRules[0].exitCodes.operator: Unsupported value: \"Equals\": supported values: "
       "\"In\", \"NotIn\""},
  });
  std::string rules, codes;
  for (int i = 0; i < 21; ++i)
    rules += "{action: Restart, exitCodes: {operator: In, values: [1]}},";
  for (int i = 0; i < 256; ++i) codes += StrCat(i, ",");
  EXPECT_EQ(Containers(StrCat("{name: c, image: i, restartPolicy: Never, restartPolicyRules: [",
                              rules, "]}")),
            "spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items");
  EXPECT_EQ(
      Containers(StrCat("{name: c, image: i, restartPolicy: Never, restartPolicyRules: "
                        "[{action: Restart, exitCodes: {operator: In, values: [",
                        codes, "]}}]}")),
      "spec.containers[0].restartPolicyRules[0].exitCodes.values: Too many: 256: must have at "
      "most 255 items");
}

TEST(ValidateContainers, ResizePolicy) {
  Check({
      {"resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: memory, "
       "restartPolicy: RestartContainer}]",
       ""},
      {"resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: cpu, "
       "restartPolicy: NotRequired}]",
       "resizePolicy[1]: Duplicate value: \"cpu\""},
      {"resizePolicy: [{resourceName: disk, restartPolicy: NotRequired}]",
       "resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\""},
      {"resizePolicy: [{resourceName: cpu, restartPolicy: Later}]",
       "resizePolicy: Unsupported value: \"Later\": supported values: \"NotRequired\", "
       "\"RestartContainer\""},
      {"resizePolicy: [{restartPolicy: NotRequired}]", "resizePolicy: Required value"},
  });
  EXPECT_EQ(
      FaultsWith("spec: {restartPolicy: Never, containers: [{name: c, image: i, resizePolicy: "
                 "[{resourceName: cpu, restartPolicy: RestartContainer}]}]}"),
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be "
      "'NotRequired' when `restartPolicy` is 'Never'");
}

TEST(ValidateContainers, InitContainers) {
  const auto faults = [](std::string_view container) {
    return FaultsWith(StrCat("spec: {initContainers: [{name: init, image: i, ", container, "}]}"));
  };
  EXPECT_EQ(faults("stdin: true"), "");
  EXPECT_EQ(faults("restartPolicy: Always, livenessProbe: {exec: {command: [a]}}, lifecycle: "
                   "{preStop: {exec: {command: [a]}}}"),
            "");
  EXPECT_EQ(faults("livenessProbe: {exec: {command: [a]}}"),
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers "
            "without restartPolicy=Always");
  EXPECT_EQ(faults("restartPolicy: Never, lifecycle: {preStop: {exec: {command: [a]}}}"),
            "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers "
            "without restartPolicy=Always");
  EXPECT_EQ(
      faults("restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]"),
      "spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when "
      "restart rules are used");
  EXPECT_EQ(faults("restartPolicy: Always, startupProbe: {}"),
            "spec.initContainers[0].startupProbe: Required value: must specify a handler type");
}

}  // namespace
}  // namespace cubelet::api
