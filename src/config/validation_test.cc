#include "config/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "config/test_files.h"

namespace cubelet::config {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* body;  // of a KubeletConfiguration file
  const char* want;  // behind "invalid configuration: "; "" when it is fine
};

std::string ErrorOf(const char* body, const Host& host) {
  TestFiles files;
  const auto config = Load({"--config", files.WriteConfig("a.yaml", body)}, host);
  return std::string(Message(config.status()));
}

void Check(const std::vector<Case>& cases, const Host& host = {.cgroup_v2 = true}) {
  for (const Case& test : cases) {
    const std::string want = *test.want == '\0'
                                 ? ""
                                 : StrCat(
                                       "failed to validate kubelet configuration, error: invalid "
                                       "configuration: ",
                                       test.want);
    EXPECT_EQ(ErrorOf(test.body, host), want) << test.body;
  }
}

TEST(Validation, AllFaultsAreTold) {
  EXPECT_EQ(ErrorOf("maxPods: -1\neventBurst: -2\n", {}),
            "failed to validate kubelet configuration, error: [invalid configuration: eventBurst "
            "(--event-burst) -2 must not be a negative number, invalid configuration: maxPods "
            "(--max-pods) -1 must not be a negative number]");
}

TEST(Validation, OfAFlagsValueAtZero) {
  const auto config = Load({"--port=0"}, {});
  EXPECT_EQ(Message(config.status()),
            "failed to validate kubelet configuration, error: invalid configuration: port (--port) "
            "0 must be between 1 and 65535, inclusive");
}

TEST(Validation, Numbers) {
  Check({
      {"syncFrequency: -1s", "syncFrequency (--sync-frequency) -1s must be greater than 0"},
      {"port: -1", "port (--port) -1 must be between 1 and 65535, inclusive"},
      {"port: 65536", "port (--port) 65536 must be between 1 and 65535, inclusive"},
      {"readOnlyPort: 70000",
       "readOnlyPort (--read-only-port) 70000 must be between 0 and 65535, inclusive"},
      {"healthzPort: -1", "healthzPort (--healthz-port) -1 must be between 0 and 65535, inclusive"},
      {"healthzPort: 0", ""},
      {"registryPullQPS: -1", "registryPullQPS (--registry-qps) -1 must not be a negative number"},
      {"registryBurst: -1", "registryBurst (--registry-burst) -1 must not be a negative number"},
      {"eventRecordQPS: -1", "eventRecordQPS (--event-qps) -1 must not be a negative number"},
      {"kubeAPIQPS: -1", "kubeAPIQPS (--kube-api-qps) -1 must not be a negative number"},
      {"kubeAPIBurst: -1", "kubeAPIBurst (--kube-api-burst) -1 must not be a negative number"},
      {"podsPerCore: -1", "podsPerCore (--pods-per-core) -1 must not be a negative number"},
      {"maxOpenFiles: -1", "maxOpenFiles (--max-open-files) -1 must not be a negative number"},
      {"oomScoreAdj: -1001",
       "oomScoreAdj (--oom-score-adj) -1001 must be between -1000 and 1000, inclusive"},
      {"nodeLeaseDurationSeconds: -1", "nodeLeaseDurationSeconds -1 must be greater than 0"},
      {"nodeStatusMaxImages: -2",
       "nodeStatusMaxImages (--node-status-max-images) -2 must be -1 or greater"},
      {"iptablesMasqueradeBit: 32", "iptablesMasqueradeBit 32 must be between 0 and 31, inclusive"},
      {"iptablesDropBit: -1", "iptablesDropBit -1 must be between 0 and 31, inclusive"},
      {"cpuManagerReconcilePeriod: -1s",
       "cpuManagerReconcilePeriod (--cpu-manager-reconcile-period) -1s must be greater than 0"},
      {"containerLogMaxFiles: 1",
       "containerLogMaxFiles (--container-log-max-files) 1 must be 2 or greater"},
      {"containerLogMaxWorkers: 0", "containerLogMaxWorkers 0 must be 1 or greater"},
      {"tracing: {samplingRatePerMillion: 1000001}",
       "tracing.samplingRatePerMillion 1000001 must be between 0 and 1000000, inclusive"},
  });
}

TEST(Validation, Choices) {
  Check({
      {"authorization: {mode: RBAC}",
       "authorization.mode (--authorization-mode) \"RBAC\" must be one of: [\"AlwaysAllow\" "
       "\"Webhook\"]"},
      {"cgroupDriver: docker",
       "cgroupDriver (--cgroup-driver) \"docker\" must be one of: [\"cgroupfs\" \"systemd\"]"},
      {"hairpinMode: x",
       "hairpinMode (--hairpin-mode) \"x\" must be one of: [\"promiscuous-bridge\" "
       "\"hairpin-veth\" \"none\"]"},
      {"topologyManagerPolicy: x",
       "topologyManagerPolicy (--topology-manager-policy) \"x\" must be one of: [\"none\" "
       "\"best-effort\" \"restricted\" \"single-numa-node\"]"},
      {"topologyManagerScope: x",
       "topologyManagerScope (--topology-manager-scope) \"x\" must be one of: [\"container\" "
       "\"pod\"]"},
      {"cpuManagerPolicy: x",
       "cpuManagerPolicy (--cpu-manager-policy) \"x\" must be one of: [\"none\" \"static\"]"},
      {"memoryManagerPolicy: static",
       "memoryManagerPolicy (--memory-manager-policy) \"static\" must be one of: [\"None\" "
       "\"Static\"]"},
      {"configMapAndSecretChangeDetectionStrategy: x",
       "configMapAndSecretChangeDetectionStrategy \"x\" must be one of: [\"Get\" \"Cache\" "
       "\"Watch\"]"},
      {"memorySwap: {swapBehavior: UnlimitedSwap}",
       "memorySwap.swapBehavior \"UnlimitedSwap\" must be one of: [\"\" \"NoSwap\" "
       "\"LimitedSwap\"]"},
      {"memoryReservationPolicy: x",
       "memoryReservationPolicy \"x\" must be one of: [\"None\" \"TieredReservation\"]"},
      {"tlsMinVersion: TLS12",
       "tlsMinVersion (--tls-min-version) \"TLS12\" must be one of: [\"\" \"VersionTLS10\" "
       "\"VersionTLS11\" \"VersionTLS12\" \"VersionTLS13\"]"},
      {"imagePullCredentialsVerificationPolicy: x",
       "imagePullCredentialsVerificationPolicy \"x\" must be one of: [\"\" \"NeverVerify\" "
       "\"NeverVerifyPreloadedImages\" \"NeverVerifyAllowlistedImages\" \"AlwaysVerify\"]"},
  });
}

TEST(Validation, Serving) {
  Check({
      {"address: localhost", "address (--address) \"localhost\" must be an IP address"},
      {"healthzBindAddress: x",
       "healthzBindAddress (--healthz-bind-address) \"x\" must be an IP address"},
      {"serverTLSBootstrap: true", ""},
      {"serverTLSBootstrap: true\nfeatureGates: {RotateKubeletServerCertificate: false}",
       "serverTLSBootstrap (--rotate-server-certificates) true requires feature gate "
       "RotateKubeletServerCertificate"},
      {"tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_NONE]",
       "tlsCipherSuites (--tls-cipher-suites): Cipher suite TLS_NONE not supported or doesn't "
       "exist"},
      {"tlsCurvePreferences: [29, 4588]", ""},
      {"tlsCurvePreferences: [1]", "tlsCurvePreferences: curve 1 is not supported"},
      {"enableSystemLogQuery: true", ""},
      {"enableSystemLogQuery: true\nenableSystemLogHandler: false",
       "enableSystemLogHandler is required for enableSystemLogQuery"},
      {"showHiddenMetricsForVersion: \"1.35\"", ""},
      {"showHiddenMetricsForVersion: \"1.34\"",
       "showHiddenMetricsForVersion \"1.34\" must be omitted or have the value '1.35': only the "
       "previous minor version is allowed"},
      {"tracing: {endpoint: \"localhost:4317\"}", ""},
      {"tracing: {endpoint: \"unix:///run/x\"}", ""},
      {"tracing: {endpoint: \"http://x\"}",
       "tracing.endpoint \"http://x\" must have one of the schemes none, dns, unix and "
       "unix-abstract"},
  });
}

TEST(Validation, Images) {
  Check({
      {"imageMinimumGCAge: -1s",
       "imageMinimumGCAge (--minimum-image-ttl-duration) -1s must not be a negative number"},
      {"imageMaximumGCAge: 1m",
       "imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge "
       "(--minimum-image-ttl-duration) 2m0s"},
      {"imageMaximumGCAge: 3m", ""},
      {"imageGCHighThresholdPercent: 101",
       "imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, "
       "inclusive"},
      {"imageGCHighThresholdPercent: 80",
       "imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than "
       "imageGCHighThresholdPercent (--image-gc-high-threshold) 80"},
      {"imageGCHighThresholdPercent: 100", ""},
      {"maxParallelImagePulls: 0", "maxParallelImagePulls 0 must be 1 or greater"},
      {"maxParallelImagePulls: 2\nserializeImagePulls: true",
       "maxParallelImagePulls 2 must not be larger than 1 unless serializeImagePulls "
       "(--serialize-image-pulls) is set to false"},
      {"imagePullCredentialsVerificationPolicy: AlwaysVerify\n"
       "featureGates: {KubeletEnsureSecretPulledImages: false}",
       "imagePullCredentialsVerificationPolicy \"AlwaysVerify\" requires feature gate "
       "KubeletEnsureSecretPulledImages"},
      {"featureGates: {KubeletEnsureSecretPulledImages: false}", ""},
      {"preloadedImagesVerificationAllowlist: [a]",
       "preloadedImagesVerificationAllowlist can only be set when "
       "imagePullCredentialsVerificationPolicy is \"NeverVerifyAllowlistedImages\""},
      {"imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\n"
       "preloadedImagesVerificationAllowlist: [\"r.io:5000/a/*\", r.io/b]",
       ""},
  });
  for (const char* pattern : {"a:latest", "a@sha256:0", "a*", "/a", "*", "a/*/b", "", "a//b"}) {
    const std::string body = StrCat(
        "imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\n"
        "preloadedImagesVerificationAllowlist: [\"",
        pattern, "\"]\n");
    EXPECT_THAT(ErrorOf(body.c_str(), {}), HasSubstr("must be an image without tag and digest"))
        << pattern;
  }
}

TEST(Validation, EnforcementOfNodeAllocatable) {
  Check({
      {"enforceNodeAllocatable: [none]", ""},
      {"enforceNodeAllocatable: [pods, kube-reserved]\nkubeReservedCgroup: /a", ""},
      {"enforceNodeAllocatable: [x]",
       "option \"x\" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid "
       "options are \"pods\", \"system-reserved\", \"system-reserved-compressible\", "
       "\"kube-reserved\", \"kube-reserved-compressible\" and \"none\""},
      {"enforceNodeAllocatable: [pods, pods]",
       "duplicated enforcement \"pods\" specified in enforceNodeAllocatable "
       "(--enforce-node-allocatable)"},
      {"enforceNodeAllocatable: [pods, none]",
       "enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional "
       "enforcements "
       "when \"none\" is specified"},
      {"cgroupsPerQOS: false",
       "enforceNodeAllocatable (--enforce-node-allocatable) is not supported unless cgroupsPerQOS "
       "(--cgroups-per-qos) is set to true"},
      {"cgroupsPerQOS: false\nenforceNodeAllocatable: [none]", ""},
      {"enforceNodeAllocatable: [system-reserved]",
       "systemReservedCgroup (--system-reserved-cgroup) must be specified when \"system-reserved\" "
       "contained in enforceNodeAllocatable (--enforce-node-allocatable)"},
      {"enforceNodeAllocatable: [kube-reserved-compressible]",
       "kubeReservedCgroup (--kube-reserved-cgroup) must be specified when "
       "\"kube-reserved-compressible\" contained in enforceNodeAllocatable "
       "(--enforce-node-allocatable)"},
      {"enforceNodeAllocatable: [kube-reserved, kube-reserved-compressible]\n"
       "kubeReservedCgroup: /a",
       "enforceNodeAllocatable (--enforce-node-allocatable) must not hold both \"kube-reserved\" "
       "and \"kube-reserved-compressible\""},
  });
}

TEST(Validation, CgroupsAndReservations) {
  Check({
      {"systemCgroups: /system",
       "systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not "
       "specified"},
      {"systemCgroups: /\ncgroupRoot: /",
       "systemCgroups (--system-cgroups) cannot be root (\"/\")"},
      {"systemReserved: {disk: 1Gi}", "systemReserved: cannot reserve \"disk\" resource"},
      {"kubeReserved: {memory: -1Gi}",
       "kubeReserved: resource quantity for \"memory\" cannot be negative: -1Gi"},
      {"reservedSystemCPUs: 0-3,8", ""},
      {"reservedSystemCPUs: 3-0",
       "reservedSystemCPUs: \"3-0\" is neither a CPU nor a range of CPUs"},
      {"reservedSystemCPUs: 0,,1", "reservedSystemCPUs: \"\" is neither a CPU nor a range of CPUs"},
      {"reservedSystemCPUs: 0-99999999999",
       "reservedSystemCPUs: \"0-99999999999\" is neither a CPU nor a range of CPUs"},
      {"reservedSystemCPUs: \"0\"\nsystemReservedCgroup: /a",
       "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup "
       "(--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"},
  });
  EXPECT_THAT(ErrorOf("kubeReserved: {memory: much}", {}),
              HasSubstr("kubeReserved: failed to parse quantity \"much\" for \"memory\" resource"));
}

TEST(Validation, QuotaMemoryAndIds) {
  Check({
      {"cpuCFSQuotaPeriod: 10ms", ""},
      {"cpuCFSQuotaPeriod: 10ms\nfeatureGates: {CustomCPUCFSQuotaPeriod: false}",
       "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 10ms requires feature gate "
       "CustomCPUCFSQuotaPeriod"},
      {"cpuCFSQuotaPeriod: 2s",
       "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 2s must be between 1ms and 1sec, inclusive"},
      {"cpuCFSQuotaPeriod: 0s",
       "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 0s must be between 1ms and 1sec, inclusive"},
      {"memoryThrottlingFactor: 0",
       "memoryThrottlingFactor 0 must be greater than 0 and less than or equal to 1.0"},
      {"memoryThrottlingFactor: 1.5",
       "memoryThrottlingFactor 1.5 must be greater than 0 and less than or equal to 1.0"},
      {"memoryThrottlingFactor: 1", ""},
      {"memoryReservationPolicy: TieredReservation",
       "memoryReservationPolicy \"TieredReservation\" requires feature gate MemoryQoS"},
      {"memoryReservationPolicy: TieredReservation\nfeatureGates: {MemoryQoS: true}", ""},
      {"qosReserved: {memory: 50%}",
       "qosReserved (--qos-reserved) requires feature gate QOSReserved"},
      {"qosReserved: {memory: 101%}\nfeatureGates: {QOSReserved: true}",
       "qosReserved (--qos-reserved) \"memory=101%\" must be memory=N% with N from 0 to 100"},
      {"qosReserved: {cpu: 50%}\nfeatureGates: {QOSReserved: true}",
       "qosReserved (--qos-reserved) \"cpu=50%\" must be memory=N% with N from 0 to 100"},
      {"qosReserved: {memory: 50%}\nfeatureGates: {QOSReserved: true}", ""},
      {"userNamespaces: {idsPerPod: 131072}", ""},
      {"userNamespaces: {idsPerPod: 1000}",
       "userNamespaces.idsPerPod 1000 must be a multiple of 65536 and less than 4294967296"},
      {"userNamespaces: {idsPerPod: 4294967296}",
       "userNamespaces.idsPerPod 4294967296 must be a multiple of 65536 and less than 4294967296"},
      {"memorySwap: {swapBehavior: LimitedSwap}", ""},
      {"singleProcessOOMKill: false", ""},
  });
  Check(
      {
          {"memorySwap: {swapBehavior: LimitedSwap}",
           "memorySwap.swapBehavior \"LimitedSwap\" requires cgroup v2"},
          {"singleProcessOOMKill: false",
           "singleProcessOOMKill must not be false when cgroup v1 is used"},
          {"singleProcessOOMKill: true", ""},
      },
      {.cgroup_v2 = false});
}

TEST(Validation, PodLogsDir) {
  for (const char* path : {"logs", "/a/../b", "/a/", "/a//b", "/", "/a/./b", "/\xC3\xA4"}) {
    const std::string body = StrCat("podLogsDir: \"", path, "\"\n");
    EXPECT_THAT(ErrorOf(body.c_str(), {}), HasSubstr("podLogsDir")) << path;
  }
  Check({{"podLogsDir: /mnt/logs", ""}});
}

TEST(Validation, EvictionSettings) {
  Check({
      {"evictionHard: {disk.available: 1Gi}",
       "evictionHard: unsupported eviction signal disk.available"},
      {"evictionHard: {memory.available: 101%}",
       "evictionHard: eviction percentage threshold memory.available must be <= 100%: 101%"},
      {"evictionHard: {memory.available: -1%}",
       "evictionHard: eviction percentage threshold memory.available must be >= 0%: -1%"},
      {"evictionHard: {memory.available: x%}",
       "evictionHard: invalid percentage for memory.available: \"x%\""},
      {"evictionHard: {memory.available: \"0\"}",
       "evictionHard: eviction threshold memory.available must be positive: 0"},
      {"evictionHard: {memory.available: 0%}", ""},
      {"evictionSoft: {memory.available: 1Gi}",
       "grace period must be specified for the soft eviction threshold memory.available"},
      {"evictionSoft: {memory.available: 1Gi}\n"
       "evictionSoftGracePeriod: {memory.available: -1m}",
       "evictionSoftGracePeriod: invalid eviction grace period specified: memory.available=-1m, "
       "must be a positive value"},
      {"evictionSoft: {memory.available: 1Gi}\nevictionSoftGracePeriod: {memory.available: x}",
       "evictionSoftGracePeriod: memory.available: time: invalid duration \"x\""},
      {"evictionMinimumReclaim: {memory.available: \"-1\"}",
       "evictionMinimumReclaim: negative eviction minimum reclaim specified for memory.available: "
       "-1"},
      {"evictionMinimumReclaim: {memory.available: 0%}",
       "evictionMinimumReclaim: eviction percentage minimum reclaim memory.available must be "
       "positive: 0%"},
  });
}

TEST(Validation, OptionsOfTheManagers) {
  Check({
      {"cpuManagerPolicyOptions: {full-pcpus-only: \"true\"}",
       "cpuManagerPolicyOptions (--cpu-manager-policy-options) requires cpuManagerPolicy "
       "(--cpu-manager-policy) static"},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {full-pcpus-only: \"true\"}", ""},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {x: \"true\"}",
       "unknown CPU Manager Policy option: \"x\""},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {align-by-socket: \"true\"}",
       "CPU Manager Policy Alpha-level Options not enabled, but option \"align-by-socket\" "
       "provided"},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {full-pcpus-only: \"x\"}",
       "bad value for option \"full-pcpus-only\": strconv.ParseBool: parsing \"x\": invalid "
       "syntax"},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {prefer-align-cpus-by-uncorecache: "
       "\"true\", distribute-cpus-across-numa: \"true\"}",
       "static policy options prefer-align-cpus-by-uncorecache and distribute-cpus-across-numa can "
       "not be used at the same time"},
      {"cpuManagerPolicy: static\ncpuManagerPolicyOptions: {align-by-socket: \"true\"}\n"
       "featureGates: {CPUManagerPolicyAlphaOptions: true}\n"
       "topologyManagerPolicy: single-numa-node",
       "static policy option align-by-socket can not be used with topologyManagerPolicy "
       "(--topology-manager-policy) single-numa-node"},
      {"topologyManagerPolicyOptions: {x: z}", "unknown Topology Manager Policy option: \"x\""},
      {"topologyManagerPolicyOptions: {max-allowable-numa-nodes: \"7\"}",
       "the minimum value of \"max-allowable-numa-nodes\" should not be less than 8"},
      {"topologyManagerPolicyOptions: {max-allowable-numa-nodes: x}",
       "unable to convert policy option to integer \"max-allowable-numa-nodes\": \"x\""},
      {"topologyManagerPolicyOptions: {prefer-closest-numa-nodes: x}",
       "bad value for option \"prefer-closest-numa-nodes\": strconv.ParseBool: parsing \"x\": "
       "invalid syntax"},
      {"reservedMemory: [{numaNode: 0, limits: {memory: 1Gi}}, {numaNode: 0, limits: {memory: "
       "1Gi}}]",
       "reservedMemory (--reserved-memory) of NUMA node 0: memory is given twice"},
      {"reservedMemory: [{numaNode: 0, limits: {cpu: \"1\"}}]",
       "reservedMemory (--reserved-memory) of NUMA node 0: \"cpu\" is neither memory nor a size of "
       "hugepages"},
      {"reservedMemory: [{numaNode: 0, limits: {memory: \"0\"}}]",
       "reservedMemory (--reserved-memory) of NUMA node 0: memory 0 must be greater than 0"},
      {"reservedMemory: [{numaNode: -1, limits: {memory: 1Gi}}]",
       "reservedMemory (--reserved-memory) of NUMA node -1: there is no such node"},
  });
}

TEST(Validation, PodsAndShutdown) {
  Check({
      {"runOnce: true", "runOnce (--runonce) true: this mode was removed and must not be set"},
      {"shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s", ""},
      {"shutdownGracePeriod: 500ms",
       "shutdownGracePeriod 500ms must be either zero or otherwise >= 1 sec"},
      {"shutdownGracePeriod: 5s\nshutdownGracePeriodCriticalPods: 10s",
       "shutdownGracePeriod 5s must be >= shutdownGracePeriodCriticalPods 10s"},
      {"shutdownGracePeriod: 5s\nfeatureGates: {GracefulNodeShutdown: false, "
       "GracefulNodeShutdownBasedOnPodPriority: false, "
       "WindowsGracefulNodeShutdown: false}",
       "shutdownGracePeriod 5s requires feature gate GracefulNodeShutdown"},
      {"shutdownGracePeriod: 5s\n"
       "shutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 1}]",
       "cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod or "
       "shutdownGracePeriodCriticalPods"},
      {"shutdownGracePeriodByPodPriority: [{priority: 7, shutdownGracePeriodSeconds: -1}]",
       "shutdownGracePeriodByPodPriority of priority 7: -1 seconds must not be negative"},
      {"crashLoopBackOff: {maxContainerRestartPeriod: 10m}",
       "crashLoopBackOff.maxContainerRestartPeriod 10m0s must be between 1 and 300 seconds, "
       "inclusive"},
      {"crashLoopBackOff: {maxContainerRestartPeriod: 10s}\n"
       "featureGates: {KubeletCrashLoopBackOffMax: false}",
       "crashLoopBackOff.maxContainerRestartPeriod requires feature gate "
       "KubeletCrashLoopBackOffMax"},
      {"containerLogMonitorInterval: 1s",
       "containerLogMonitorInterval 1s must be greater than or equal to 3s"},
      {"registerWithTaints: [{key: a, effect: NoSchedule}]", ""},
      {"registerWithTaints: [{key: a, effect: Never}]",
       "registerWithTaints (--register-with-taints) \"a=:Never\": the effect must be NoSchedule, "
       "PreferNoSchedule or NoExecute"},
      {"registerWithTaints: [{key: \"a b\", effect: NoSchedule}]",
       "registerWithTaints (--register-with-taints) \"a b=:NoSchedule\": the key is not a name"},
      {"registerWithTaints: [{key: a, value: \"-\", effect: NoSchedule}]",
       "registerWithTaints (--register-with-taints) \"a=-:NoSchedule\": the value is not a label "
       "value"},
      {"registerWithTaints: [{key: a, effect: NoExecute, timeAdded: \"2026-01-01T00:00:00Z\"}]",
       "registerWithTaints (--register-with-taints) \"a=:NoExecute\": taint.TimeAdded is not nil"},
  });
  EXPECT_THAT(ErrorOf("containerLogMaxSize: big", {}),
              HasSubstr("containerLogMaxSize (--container-log-max-size) \"big\": "));
}

TEST(Validation, Logging) {
  Check({
      {"logging: {format: json}", ""},
      {"logging: {format: xml}", "logging.format: Invalid value: \"xml\": Unsupported log format"},
      {"logging: {format: json}\nfeatureGates: {LoggingBetaOptions: false}",
       "logging.format: Forbidden: Log format json is disabled, see LoggingBetaOptions feature"},
      {"logging: {flushFrequency: -1s}",
       "logging.flushFrequency: Invalid value: -1000000000: Must be greater than zero"},
      {"logging: {verbosity: 3000000000}",
       "logging.verbosity: Invalid value: 3000000000: Must be <= 2147483647"},
      {"logging: {format: json, vmodule: [{filePattern: a, verbosity: 1}]}",
       "logging.vmodule: Forbidden: Only supported for text log format"},
      {"logging: {vmodule: [{filePattern: \"\", verbosity: 1}]}",
       "logging.vmodule[0]: Required value: File pattern must not be empty"},
      {"logging: {vmodule: [{filePattern: \"a=b\", verbosity: 1}]}",
       "logging.vmodule[0].filePattern: Invalid value: \"a=b\": File pattern must not contain "
       "equal sign or comma"},
      {"logging: {options: {text: {splitStream: true}}}",
       "logging.options.text.splitStream: Forbidden: Feature LoggingAlphaOptions is disabled"},
      {"logging: {options: {json: {infoBufferSize: 1Mi}}}\n"
       "featureGates: {LoggingAlphaOptions: true}",
       "logging.options.json.infoBufferSize: Forbidden: This kubelet does not have it"},
  });
}

TEST(Validation, OfTheRuntimesEndpoint) {
  const auto config = Load({"--container-runtime-endpoint="}, {});
  EXPECT_EQ(Message(config.status()),
            "failed to validate kubelet configuration, error: invalid configuration: "
            "containerRuntimeEndpoint (--container-runtime-endpoint) must not be empty");
}

}  // namespace
}  // namespace cubelet::config
