// Loading as a whole: precedence, the two sets of defaults, /configz against the recorded one.
#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "config/test_files.h"

namespace cubelet::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Args = std::vector<std::string>;

constexpr Host kHost{.cgroup_v2 = true};

Config Loaded(const Args& args) {
  absl::StatusOr<Config> config = Load(args, kHost);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *std::move(config) : Config();
}

std::string ErrorOf(const Args& args) { return std::string(Message(Load(args, kHost).status())); }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// ---- /configz

TEST(Configz, EqualsTheRecordedOneForTheSameSettings) {
  TestFiles files;
  const std::string path = files.WriteConfig("config.yaml", R"(
tlsCertFile: /var/lib/kubelet/pki/kubelet.crt
tlsPrivateKeyFile: /var/lib/kubelet/pki/kubelet.key
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
clusterDomain: cluster.local
clusterDNS: [10.96.0.10]
maxPods: 500
resolvConf: ""
serializeImagePulls: false
failSwapOn: false
failCgroupV1: false
)");
  const auto recorded =
      api::ParseJson(ReadAll(CUBELET_SOURCE_DIR "/tests/golden/node/configz.json"));
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(ConfigzJson(Loaded({"--config", path, "--v=2"})), api::Serialize(*recorded));
}

TEST(Configz, CanBeWrittenBackAsAFile) {
  TestFiles files;
  const std::string path = files.WriteConfig("config.yaml", R"(
featureGates: {EventedPLEG: true}
registerWithTaints: [{key: a, value: b, effect: NoSchedule}]
reservedMemory: [{numaNode: 0, limits: {memory: 1Gi}}]
shutdownGracePeriodByPodPriority: [{priority: 5, shutdownGracePeriodSeconds: 10}]
logging: {flushFrequency: 2000000000, vmodule: [{filePattern: "pod*", verbosity: 3}]}
userNamespaces: {idsPerPod: 131072}
tracing: {samplingRatePerMillion: 0}
)");
  const std::string first = ConfigzJson(Loaded({"--config", path}));
  EXPECT_THAT(first, HasSubstr(R"("flushFrequency":"2s")"));
  EXPECT_THAT(first, HasSubstr(R"("samplingRatePerMillion":0)"));
  auto object = api::ParseJson(first);
  ASSERT_TRUE(object.ok());
  const std::string back =
      files.Write("back.json", api::Serialize(object->get_object().at("kubeletconfig")));
  EXPECT_EQ(ConfigzJson(Loaded({"--config", back})), first);
}

TEST(Configz, MasksHeaders) {
  TestFiles files;
  const std::string path =
      files.WriteConfig("config.yaml", "staticPodURLHeader: {Authorization: [secret, other]}\n");
  const Config config = Loaded({"--config", path});
  EXPECT_EQ(config.kubelet.staticpodurlheader().at("Authorization").items(0), "secret");
  EXPECT_THAT(ConfigzJson(config),
              HasSubstr(R"("staticPodURLHeader":{"Authorization":["\u003cmasked\u003e"]})"));
}

// ---- Defaults

TEST(Defaults, WithoutAFileAreLessSafeAndHaveNoThresholds) {
  const KubeletConfiguration kubelet = Loaded({}).kubelet;
  EXPECT_TRUE(kubelet.authentication().anonymous().enabled());
  EXPECT_FALSE(kubelet.authentication().webhook().enabled());
  EXPECT_EQ(kubelet.authorization().mode(), "AlwaysAllow");
  EXPECT_EQ(kubelet.readonlyport(), 10255);
  EXPECT_TRUE(kubelet.evictionhard().empty());
  EXPECT_EQ(kubelet.port(), 10250);
  EXPECT_TRUE(kubelet.failswapon());
}

TEST(Defaults, WithAFileAreTheSafeOnes) {
  TestFiles files;
  const KubeletConfiguration kubelet =
      Loaded({"--config", files.WriteConfig("config.yaml", "")}).kubelet;
  EXPECT_FALSE(kubelet.authentication().anonymous().enabled());
  EXPECT_TRUE(kubelet.authentication().webhook().enabled());
  EXPECT_EQ(kubelet.authorization().mode(), "Webhook");
  EXPECT_EQ(kubelet.readonlyport(), 0);
  EXPECT_EQ(kubelet.evictionhard().at("memory.available"), "100Mi");
  EXPECT_EQ(kubelet.evictionhard().size(), 5u);
  EXPECT_TRUE(kubelet.failcgroupv1());
  EXPECT_EQ(kubelet.resolvconf(), "/etc/resolv.conf");
  EXPECT_TRUE(kubelet.serializeimagepulls());
}

// Defaults that depend on something else: what the file says, and a path of the result.
TEST(Defaults, DependentOnes) {
  const struct {
    const char* name;
    const char* file;
    const char* want;
  } kCases[] = {
      {"report frequency follows the update frequency", "nodeStatusUpdateFrequency: 20s",
       R"("nodeStatusReportFrequency":"20s")"},
      {"report frequency alone", "nodeStatusReportFrequency: 1m",
       R"("nodeStatusReportFrequency":"1m0s")"},
      {"parallel pulls", "maxParallelImagePulls: 3", R"("serializeImagePulls":false)"},
      {"one pull", "maxParallelImagePulls: 1", R"("serializeImagePulls":true)"},
      {"any negative limit of pids", "podPidsLimit: -17", R"("podPidsLimit":-1)"},
      {"zero is unset where nothing tells them apart", "evictionPressureTransitionPeriod: 0s",
       R"("evictionPressureTransitionPeriod":"5m0s")"},
      {"zero is a value where something does", "registryPullQPS: 0", R"("registryPullQPS":0)"},
      {"restart period follows its gate", "featureGates: {KubeletCrashLoopBackOffMax: false}",
       R"("crashLoopBackOff":{})"},
      {"an empty list of enforcements stays empty",
       "cgroupsPerQOS: false\nenforceNodeAllocatable: []", R"("volumePluginDir")"},
      {"own thresholds replace all", "evictionHard: {memory.available: 1Gi}",
       R"("evictionHard":{"memory.available":"1Gi"})"},
      {"own thresholds join the others",
       "evictionHard: {memory.available: 1Gi}\nmergeDefaultEvictionSettings: true",
       R"("evictionHard":{"imagefs.available":"15%","imagefs.inodesFree":"5%","memory.available":"1Gi",)"},
  };
  for (const auto& test : kCases) {
    TestFiles files;
    const std::string path = files.WriteConfig("config.yaml", test.file);
    EXPECT_THAT(ConfigzJson(Loaded({"--config", path})), HasSubstr(test.want)) << test.name;
  }
}

TEST(Defaults, EmptyThresholdsStayEmpty) {
  TestFiles files;
  const std::string path = files.WriteConfig(
      "config.yaml", "evictionHard: {}\ncgroupsPerQOS: false\nenforceNodeAllocatable: []\n");
  files.WriteConfig("d/1.conf", "maxPods: 7\n");
  for (const Args& args :
       {Args{"--config", path}, Args{"--config", path, "--config-dir", files.Path("d")}}) {
    const KubeletConfiguration kubelet = Loaded(args).kubelet;
    EXPECT_TRUE(kubelet.evictionhard().empty());
    EXPECT_TRUE(kubelet.enforcenodeallocatable().empty());
  }
}

// ---- Precedence

TEST(Precedence, FlagOverDropInOverFileOverDefault) {
  TestFiles files;
  const std::string file = files.WriteConfig("config.yaml", "maxPods: 1\nport: 1001\n");
  files.WriteConfig("d/10.conf", "maxPods: 2\n");
  files.WriteConfig("d/20.conf", "maxPods: 3\n");
  const std::string directory = files.Path("d");
  EXPECT_EQ(Loaded({}).kubelet.maxpods(), 110);
  EXPECT_EQ(Loaded({"--config", file}).kubelet.maxpods(), 1);
  EXPECT_EQ(Loaded({"--config", file, "--config-dir", directory}).kubelet.maxpods(), 3);
  const Config config =
      Loaded({"--max-pods=4", "--config", file, "--config-dir", directory, "--max-pods=5"});
  EXPECT_EQ(config.kubelet.maxpods(), 5);
  EXPECT_EQ(config.kubelet.port(), 1001);
  EXPECT_EQ(Loaded({"--max-pods=4"}).kubelet.maxpods(), 4);
}

TEST(Precedence, AFlagAtItsDefaultStillWins) {
  TestFiles files;
  const std::string file = files.WriteConfig("config.yaml", "maxPods: 1\n");
  EXPECT_EQ(Loaded({"--config", file, "--max-pods=110"}).kubelet.maxpods(), 110);
}

TEST(Precedence, ListsAndMapsOfFlagsReplaceThoseOfFiles) {
  TestFiles files;
  const std::string file = files.WriteConfig(
      "config.yaml", "clusterDNS: [10.0.0.1]\nkubeReserved: {cpu: 100m, memory: 1Gi}\n");
  const KubeletConfiguration kubelet =
      Loaded({"--config", file, "--cluster-dns=10.0.0.2", "--cluster-dns=10.0.0.3,10.0.0.4",
              "--kube-reserved=cpu=200m", "--kube-reserved=pid=100"})
          .kubelet;
  EXPECT_THAT(kubelet.clusterdns(), ElementsAre("10.0.0.2", "10.0.0.3", "10.0.0.4"));
  EXPECT_EQ(kubelet.kubereserved().size(), 2u);
  EXPECT_EQ(kubelet.kubereserved().at("cpu"), "200m");
  EXPECT_EQ(kubelet.kubereserved().at("pid"), "100");
}

TEST(Precedence, GatesAreMergedOneByOne) {
  TestFiles files;
  const std::string file = files.WriteConfig(
      "config.yaml", "featureGates: {EventedPLEG: true, ContainerStopSignals: true}\n");
  files.WriteConfig("d/1.conf", "featureGates: {CRIListStreaming: true}\n");
  const Config config = Loaded({"--config", file, "--config-dir", files.Path("d"),
                                "--feature-gates=EventedPLEG=false,PodsAPI=true"});
  EXPECT_FALSE(config.gates.Enabled("EventedPLEG"));
  EXPECT_TRUE(config.gates.Enabled("ContainerStopSignals"));
  EXPECT_TRUE(config.gates.Enabled("CRIListStreaming"));
  EXPECT_TRUE(config.gates.Enabled("PodsAPI"));
  EXPECT_EQ(config.kubelet.featuregates().size(), 4u);
}

TEST(Precedence, DropInsAloneKeepTheLegacyDefaults) {
  TestFiles files;
  files.WriteConfig("d/1.conf", "maxPods: 7\nauthorization: {mode: Webhook}\n");
  const KubeletConfiguration kubelet = Loaded({"--config-dir", files.Path("d")}).kubelet;
  EXPECT_EQ(kubelet.maxpods(), 7);
  EXPECT_EQ(kubelet.authorization().mode(), "Webhook");
  EXPECT_EQ(kubelet.readonlyport(), 10255);
  EXPECT_TRUE(kubelet.authentication().anonymous().enabled());
  EXPECT_TRUE(kubelet.evictionhard().empty());
}

// ---- Flags

TEST(Flags, OfEveryKind) {
  const Config config = Loaded({"--node-labels=a=b",
                                "--node-labels",
                                "node.kubernetes.io/x=y",
                                "--root_dir=/srv/kubelet/",
                                "--hostname-override=n1",
                                "--node-ip=10.0.0.1,fd00::1",
                                "--housekeeping-interval=1m",
                                "--maximum-dead-containers=5",
                                "--eviction-hard=memory.available<1Gi,nodefs.available<5%",
                                "--manifest-url-header=A:x,A:y",
                                "--manifest-url-header=B:z",
                                "--register-with-taints=a=b:NoSchedule",
                                "--reserved-memory=0:memory=1Gi",
                                "--reserved-memory=1:memory=2Gi",
                                "--vmodule=pod*=4",
                                "-v",
                                "3",
                                "--fail-swap-on=false",
                                "--sync-frequency=30s",
                                "--pod-max-pids=0x40",
                                "--seccomp-default",
                                "--resolv-conf=",
                                "--containerd=/run/containerd/containerd.sock"});
  EXPECT_EQ(config.flags.root_dir, "/srv/kubelet");
  EXPECT_EQ(config.flags.cert_dir, "/var/lib/kubelet/pki");
  EXPECT_EQ(config.flags.hostname_override, "n1");
  EXPECT_THAT(config.flags.node_labels,
              ElementsAre(Pair("a", "b"), Pair("node.kubernetes.io/x", "y")));
  EXPECT_EQ(config.flags.housekeeping_interval, absl::Minutes(1));
  EXPECT_EQ(config.flags.maximum_dead_containers, 5);
  EXPECT_EQ(config.kubelet.evictionhard().at("nodefs.available"), "5%");
  EXPECT_THAT(config.kubelet.staticpodurlheader().at("A").items(), ElementsAre("x", "y"));
  EXPECT_THAT(config.kubelet.staticpodurlheader().at("B").items(), ElementsAre("z"));
  EXPECT_EQ(config.kubelet.registerwithtaints(0).key(), "a");
  EXPECT_EQ(config.kubelet.reservedmemory_size(), 2);
  EXPECT_EQ(config.kubelet.logging().verbosity(), 3u);
  EXPECT_FALSE(config.kubelet.failswapon());
  EXPECT_EQ(ToDuration(config.kubelet.syncfrequency()), absl::Seconds(30));
  EXPECT_EQ(config.kubelet.podpidslimit(), 64);
  EXPECT_TRUE(config.kubelet.seccompdefault());
  EXPECT_EQ(config.kubelet.resolvconf(), "");
  EXPECT_THAT(config.ignored_flags,
              ElementsAre(Pair("containerd", "/run/containerd/containerd.sock")));
  const LogOptions log = LogOptionsOf(config.kubelet);
  EXPECT_EQ(log.verbosity, 3);
  EXPECT_EQ(log.vmodule, "pod*=4");
}

TEST(Flags, ValuesInForceForTheLogAndFlagz) {
  TestFiles files;
  const std::string file = files.WriteConfig("config.yaml", "maxPods: 1\nclusterDNS: [1.2.3.4]\n");
  const auto values = FlagValues(
      Loaded({"--config", file, "--containerd=x", "--v=2", "--eviction-soft=memory.available<1Gi",
              "--eviction-soft-grace-period=memory.available=1m"}));
  EXPECT_EQ(values.size(), 150u);
  for (const auto& want :
       std::vector<std::pair<std::string, std::string>>{{"max-pods", "1"},
                                                        {"cluster-dns", "[1.2.3.4]"},
                                                        {"config", file},
                                                        {"containerd", "x"},
                                                        {"containerd-namespace", "k8s.io"},
                                                        {"v", "2"},
                                                        {"eviction-soft", "memory.available<1Gi"},
                                                        {"runtime-request-timeout", "2m0s"},
                                                        {"anonymous-auth", "false"},
                                                        {"log-json-info-buffer-size", "0"}})
    EXPECT_THAT(values, Contains(want));
}

TEST(Flags, ErrorsNameTheFlagAndTheValue) {
  const std::pair<Args, const char*> kCases[] = {
      {{"--no-such-flag"}, "failed to parse kubelet flag: unknown flag: --no-such-flag"},
      {{"start"}, "unknown command start"},
      {{"--max-pods=many"},
       "failed to parse kubelet flag: invalid argument \"many\" for \"--max-pods\" flag: "
       "strconv.ParseInt: parsing \"many\": invalid syntax"},
      {{"--max-pods=9999999999"},
       "failed to parse kubelet flag: invalid argument \"9999999999\" for \"--max-pods\" flag: "
       "strconv.ParseInt: parsing \"9999999999\": value out of range"},
      {{"-v", "x"},
       "failed to parse kubelet flag: invalid argument \"x\" for \"-v, --v\" flag: "
       "strconv.ParseInt: parsing \"x\": invalid syntax"},
      {{"--fail-swap-on=maybe"},
       "failed to parse kubelet flag: invalid argument \"maybe\" for \"--fail-swap-on\" flag: "
       "strconv.ParseBool: parsing \"maybe\": invalid syntax"},
      {{"--sync-frequency=60"},
       "failed to parse kubelet flag: invalid argument \"60\" for \"--sync-frequency\" flag: "
       "time: missing unit in duration \"60\""},
      {{"--address=localhost"},
       "failed to parse kubelet flag: invalid argument \"localhost\" for \"--address\" flag: "
       "invalid IP address: \"localhost\""},
      {{"--feature-gates=EventedPLEG"},
       "failed to parse kubelet flag: invalid argument \"EventedPLEG\" for \"--feature-gates\" "
       "flag: malformed pair, expect string=bool"},
      {{"--feature-gates=EventedPLEG=2"},
       "failed to parse kubelet flag: invalid argument \"EventedPLEG=2\" for \"--feature-gates\" "
       "flag: invalid value of EventedPLEG: 2, err: strconv.ParseBool: parsing \"2\": invalid "
       "syntax"},
      {{"--feature-gates=Nope=true"},
       "failed to set feature gates from initial flags-based config: unrecognized feature gate: "
       "Nope"},
      {{"--global-housekeeping-interval=x"},
       "failed to parse kubelet flag: invalid argument \"x\" for "
       "\"--global-housekeeping-interval\" flag: time: invalid duration \"x\""},
      {{"--node-labels=kubernetes.io/mine=1"},
       "failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels specified "
       "with --node-labels: [kubernetes.io/mine]\n--node-labels in the 'kubernetes.io' namespace "
       "must begin with an allowed prefix (kubelet.kubernetes.io, node.kubernetes.io) or be in the "
       "specifically allowed set (beta.kubernetes.io/arch, beta.kubernetes.io/instance-type, "
       "beta.kubernetes.io/os, failure-domain.beta.kubernetes.io/region, "
       "failure-domain.beta.kubernetes.io/zone, kubernetes.io/arch, kubernetes.io/hostname, "
       "kubernetes.io/os, node.kubernetes.io/instance-type, topology.kubernetes.io/region, "
       "topology.kubernetes.io/zone)"},
      {{"--node-labels=a b=1"},
       "failed to validate kubelet flags: invalid node labels: \"a b=1\" is not a valid label"},
      {{"--node-ip=10.0.0.1,10.0.0.2"},
       "failed to validate kubelet flags: bad --node-ip \"10.0.0.1,10.0.0.2\": want an IP address, "
       "or one of each family separated by a comma"},
      {{"--exit-on-lock-contention"},
       "failed to validate kubelet flags: cannot exit on lock file contention: no lock file "
       "specified"},
      {{"--cloud-provider=aws"},
       "failed to validate kubelet flags: --cloud-provider \"aws\" is not supported: want \"\" or "
       "\"external\""},
      {{"--image-credential-provider-bin-dir=/x"},
       "failed to validate kubelet flags: --image-credential-provider-config and "
       "--image-credential-provider-bin-dir must be given together"},
      {{"--root-dir=/"}, "--root-dir \"/\" must name a directory other than /"},
      {{"--version=v1.30.0"},
       "failed to validate kubelet flags: invalid value \"v1.30.0\" for --version: want true, "
       "false, raw, or a version that begins with v1.36.2"},
  };
  for (const auto& [args, want] : kCases) EXPECT_EQ(ErrorOf(args), want);
}

TEST(Flags, LabelsOfKubernetesDomainsThatANodeMaySet) {
  for (const char* label :
       {"kubernetes.io/arch=amd64", "node.kubernetes.io/pool=a", "x.node.kubernetes.io/a=b",
        "kubelet.kubernetes.io/a=b", "topology.kubernetes.io/zone=z", "example.com/a=b", "a="})
    EXPECT_EQ(ErrorOf({StrCat("--node-labels=", label)}), "") << label;
  for (const char* label : {"k8s.io/a=b", "sub.k8s.io/a=b", "node-role.kubernetes.io/worker="})
    EXPECT_THAT(ErrorOf({StrCat("--node-labels=", label)}), HasSubstr("unknown 'kubernetes.io'"))
        << label;
}

TEST(Flags, DeprecatedOnesWarnOnce) {
  EXPECT_THAT(Loaded({"--root-dir=/a", "-v=1"}).warnings, IsEmpty());
  EXPECT_THAT(Loaded({"--max-pods=1", "--max_pods=2", "--containerd=x"}).warnings,
              ElementsAre("Flag --max-pods has been deprecated, set it in the --config file",
                          "Flag --containerd has been deprecated, it has no effect"));
}

// ---- What is printed instead of running

TEST(Information, VersionAndHelp) {
  EXPECT_EQ(**InformationAsked({"--version"}), "Kubernetes v1.36.2\n");
  EXPECT_EQ(**InformationAsked({"--version=true", "--config=/none"}), "Kubernetes v1.36.2\n");
  EXPECT_EQ(**InformationAsked({"--version=raw"}), "Cubelet 0.1.0 (Kubernetes v1.36.2)\n");
  EXPECT_THAT(**InformationAsked({"-h", "--version"}), HasSubstr("Usage:\n"));
  EXPECT_EQ(*InformationAsked({"--version=false", "--v=2"}), std::nullopt);
  EXPECT_EQ(*InformationAsked({"--version=v1.36.2+mine"}), std::nullopt);
  EXPECT_FALSE(InformationAsked({"--version", "--no-such-flag"}).ok());
}

}  // namespace
}  // namespace cubelet::config
