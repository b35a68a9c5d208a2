// Files from outside: drop-ins, unknown fields, wrong types, hostile ones.
#include "config/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "config/config.h"
#include "config/test_files.h"

namespace cubelet::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Host kHost{.cgroup_v2 = true};

absl::StatusOr<Config> LoadFrom(const std::string& file, const std::string& directory = "") {
  std::vector<std::string> args = {"--config", file};
  if (!directory.empty()) args.insert(args.end(), {"--config-dir", directory});
  return Load(args, kHost);
}

std::string ErrorOf(const std::string& file, const std::string& directory = "") {
  return std::string(Message(LoadFrom(file, directory).status()));
}

TEST(ConfigFile, CanBeYamlOrJson) {
  TestFiles files;
  const auto yaml = LoadFrom(files.WriteConfig("a.yaml", "maxPods: 5\n"));
  ASSERT_TRUE(yaml.ok()) << yaml.status();
  EXPECT_EQ(yaml->kubelet.maxpods(), 5);
  const auto json = LoadFrom(files.Write(
      "a.json", R"({"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1",
                    "maxPods":6})"));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->kubelet.maxpods(), 6);
}

TEST(ConfigFile, UnknownFieldsArePassedOverWithAWarning) {
  TestFiles files;
  const std::string path =
      files.WriteConfig("a.yaml", "maxPods: 5\nmaxpods: 6\nauthentication: {x509: {ca: /a}}\n");
  const auto config = LoadFrom(path);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->kubelet.maxpods(), 5);
  EXPECT_THAT(config->warnings,
              ElementsAre(StrCat("kubelet config file \"", path,
                                 "\": unknown field \"maxpods\" is passed over"),
                          StrCat("kubelet config file \"", path,
                                 "\": unknown field \"authentication.x509.ca\" is passed over")));
}

TEST(ConfigFile, RelativePathsStartAtItsFolder) {
  TestFiles files;
  const auto config = LoadFrom(files.WriteConfig("etc/a.yaml", R"(
staticPodPath: manifests
tlsCertFile: ../pki/a.crt
authentication: {x509: {clientCAFile: /ca.crt}}
)"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->kubelet.staticpodpath(), files.Path("etc/manifests"));
  EXPECT_EQ(config->kubelet.tlscertfile(), files.Path("pki/a.crt"));
  EXPECT_EQ(config->kubelet.authentication().x509().clientcafile(), "/ca.crt");
  EXPECT_EQ(config->kubelet.tlsprivatekeyfile(), "");
}

TEST(ConfigFile, IsReadWithItsHeadersAndFlushFrequency) {
  TestFiles files;
  const auto config = LoadFrom(files.WriteConfig("a.yaml", R"(
staticPodURLHeader: {A: [u, v], B: []}
logging: {flushFrequency: 3000000000}
)"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->kubelet.staticpodurlheader().at("A").items(), ElementsAre("u", "v"));
  EXPECT_EQ(ToDuration(config->kubelet.logging().flushfrequency()), absl::Seconds(3));
}

// Every error names the file; those about a value the field and the value as well.
TEST(ConfigFile, ErrorsNameFileFieldAndValue) {
  const std::pair<const char*, const char*> kCases[] = {
      {"maxPods: many", "maxPods: want a whole number, got a string (\"many\")"},
      {"maxPods: 1.5", "maxPods: want a whole number from -2147483648 to 2147483647, got 1.5"},
      {"maxPods: 99999999999", "99999999999"},
      {"failSwapOn: 1", "failSwapOn: want a boolean, got a number (1)"},
      {"clusterDNS: 10.0.0.1", "clusterDNS: want a list, got a string (\"10.0.0.1\")"},
      {"clusterDNS: [1]", "clusterDNS[0]: want a string, got a number (1)"},
      {"evictionHard: {memory.available: 100}",
       "evictionHard[memory.available]: want a string, got a number (100)"},
      {"featureGates: {EventedPLEG: \"yes\"}",
       "featureGates[EventedPLEG]: want a boolean, got a string (\"yes\")"},
      {"authentication: none", "authentication: want an object, got a string (\"none\")"},
      {"syncFrequency: 60", "syncFrequency: want a duration"},
      {"syncFrequency: 60x", "syncFrequency: time: unknown unit \"x\" in duration \"60x\""},
      {"staticPodURLHeader: {A: x}", "staticPodURLHeader[A]: want a list, got \"x\""},
      {"staticPodURLHeader: {A: [1]}", "staticPodURLHeader[A][0]: want a string, got a number (1)"},
      {"reservedMemory: [{numaNode: 0, limits: {memory: much}}]",
       "reservedMemory[0].limits[memory]: "},
      {"maxPods: [", "yaml"},
  };
  for (const auto& [body, want] : kCases) {
    TestFiles files;
    const std::string path = files.WriteConfig("a.yaml", body);
    EXPECT_THAT(ErrorOf(path),
                AllOf(StartsWith(StrCat("failed to load kubelet config file, path: ", path,
                                        ", error: failed to load Kubelet config file ", path)),
                      HasSubstr(want)))
        << body;
  }
}

TEST(ConfigFile, MustBeOfTheKind) {
  TestFiles files;
  const std::pair<const char*, const char*> kCases[] = {
      {"maxPods: 1\n", "no apiVersion/kind"},
      {"kind: KubeletConfiguration\n", "no apiVersion/kind"},
      {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: Pod\n",
       "unknown apiVersion/kind: kubelet.config.k8s.io/v1beta1, Kind=Pod"},
      {"apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
       "unknown apiVersion/kind: kubelet.config.k8s.io/v1, Kind=KubeletConfiguration"},
      {"apiVersion: 1\nkind: KubeletConfiguration\n", "apiVersion"},
      {"- a\n", "want an object"},
      {"just text\n", "want an object"},
      {"", "was empty"},
      {"# nothing\n", "want an object"},
  };
  for (const auto& [text, want] : kCases)
    EXPECT_THAT(ErrorOf(files.Write("a.yaml", text)), HasSubstr(want)) << text;
}

TEST(ConfigFile, HostileOnesAreRefused) {
  TestFiles files;
  EXPECT_THAT(ErrorOf(files.Path("none.yaml")),
              AllOf(HasSubstr("failed to read kubelet config file"),
                    HasSubstr("No such file or directory")));
  EXPECT_NE(ErrorOf(files.root()), "");
  EXPECT_NE(ErrorOf("/dev/zero"), "");
  ASSERT_EQ(::mkfifo(files.Path("pipe").c_str(), 0600), 0);
  EXPECT_NE(ErrorOf(files.Path("pipe")), "");
  EXPECT_NE(ErrorOf(files.WriteConfig("huge.yaml", std::string(5 << 20, '#'))), "");
  EXPECT_NE(
      ErrorOf(files.WriteConfig("deep.yaml", StrCat("clusterDNS: ", std::string(10000, '[')))), "");
  EXPECT_NE(ErrorOf(files.WriteConfig("aliases.yaml", R"(
a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
)")),
            "");
  EXPECT_NE(ErrorOf(files.Write("binary.yaml", std::string("\x00\xff\xfe\x01", 4))), "");
  EXPECT_NE(ErrorOf(files.WriteConfig("gates.yaml", "featureGates: {Nope: true}\n")), "");
}

TEST(ConfigFile, LongValuesAreCutInMessages) {
  TestFiles files;
  const std::string error =
      ErrorOf(files.WriteConfig("a.yaml", StrCat("maxPods: \"", std::string(100000, 'x'), "\"\n")));
  EXPECT_LT(error.size(), 1000u);
  EXPECT_THAT(error, EndsWith("xxx...)"));
}

// ---- Drop-ins

TEST(DropIns, AreMergedInTheOrderOfNamesFoldersInTheirPlace) {
  TestFiles files;
  const std::string file = files.WriteConfig("a.yaml", "maxPods: 1\n");
  files.WriteConfig("d/10.conf", "maxPods: 10\nport: 10\nreadOnlyPort: 10\nhealthzPort: 10\n");
  files.WriteConfig("d/20/b.conf", "maxPods: 21\nport: 21\nreadOnlyPort: 21\n");
  files.WriteConfig("d/20/a.conf", "maxPods: 20\nport: 20\n");
  files.WriteConfig("d/30.conf", "maxPods: 30\n");
  files.Write("d/40.yaml", "this is no drop-in: {{{");
  files.Write("d/50.conf.bak", "neither is this: {{{");
  const auto config = LoadFrom(file, files.Path("d"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->kubelet.maxpods(), 30);
  EXPECT_EQ(config->kubelet.port(), 21);
  EXPECT_EQ(config->kubelet.readonlyport(), 21);
  EXPECT_EQ(config->kubelet.healthzport(), 10);
}

TEST(DropIns, ReplaceListsMergeMapsAndObjectsAndRemoveByNull) {
  TestFiles files;
  const std::string file = files.WriteConfig("a.yaml", R"(
clusterDNS: [1.1.1.1, 2.2.2.2]
systemReserved: {cpu: 1, memory: 1Gi}
authentication: {webhook: {enabled: false, cacheTTL: 1m}}
maxPods: 5
clusterDomain: x.y
registerWithTaints: [{key: a, effect: NoSchedule}]
)");
  EXPECT_THAT(ErrorOf(file), HasSubstr("systemReserved[cpu]: want a string, got a number (1)"));
  const std::string fixed = files.WriteConfig("b.yaml", R"(
clusterDNS: [1.1.1.1, 2.2.2.2]
systemReserved: {cpu: "1", memory: 1Gi}
authentication: {webhook: {enabled: false, cacheTTL: 1m}}
maxPods: 5
clusterDomain: x.y
registerWithTaints: [{key: a, effect: NoSchedule}]
)");
  files.WriteConfig("d/1.conf", R"(
clusterDNS: [3.3.3.3]
systemReserved: {memory: 2Gi, pid: "100"}
authentication: {webhook: {cacheTTL: 5m}}
maxPods: null
clusterDomain: null
registerWithTaints: []
)");
  const auto config = LoadFrom(fixed, files.Path("d"));
  ASSERT_TRUE(config.ok()) << config.status();
  const KubeletConfiguration& kubelet = config->kubelet;
  EXPECT_THAT(kubelet.clusterdns(), ElementsAre("3.3.3.3"));
  EXPECT_EQ(kubelet.systemreserved().size(), 3u);
  EXPECT_EQ(kubelet.systemreserved().at("cpu"), "1");
  EXPECT_EQ(kubelet.systemreserved().at("memory"), "2Gi");
  EXPECT_FALSE(kubelet.authentication().webhook().enabled());
  EXPECT_EQ(ToDuration(kubelet.authentication().webhook().cachettl()), absl::Minutes(5));
  EXPECT_EQ(kubelet.maxpods(), 110);
  EXPECT_EQ(kubelet.clusterdomain(), "");
  EXPECT_TRUE(kubelet.registerwithtaints().empty());
}

TEST(DropIns, MergeIntoTheThresholdsThatTheFileWasGiven) {
  TestFiles files;
  files.WriteConfig("d/1.conf", "evictionHard: {memory.available: 200Mi}\n");
  const auto config = LoadFrom(files.WriteConfig("a.yaml", ""), files.Path("d"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->kubelet.evictionhard().at("memory.available"), "200Mi");
  EXPECT_EQ(config->kubelet.evictionhard().at("nodefs.available"), "10%");
}

TEST(DropIns, AreStrict) {
  const std::pair<const char*, const char*> kCases[] = {
      {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxpods: 6\n",
       "error: unknown field \"maxpods\""},
      {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: x\n",
       "error: maxPods: want a whole number, got a string (\"x\")"},
      {"maxPods: 6\n", "error: no apiVersion/kind"},
      {"apiVersion: v1\nkind: Pod\n", "error: unknown apiVersion/kind: v1, Kind=Pod"},
      {"", "was empty"},
  };
  for (const auto& [text, want] : kCases) {
    TestFiles files;
    const std::string path = files.Write("d/1.conf", text);
    EXPECT_THAT(ErrorOf(files.WriteConfig("a.yaml", ""), files.Path("d")),
                AllOf(StartsWith(StrCat("failed to merge kubelet configs: failed to load kubelet "
                                        "dropin file, path: ",
                                        path, ", ")),
                      HasSubstr(want)))
        << text;
  }
}

TEST(DropIns, TheFolderMustBeThere) {
  TestFiles files;
  EXPECT_THAT(ErrorOf(files.WriteConfig("a.yaml", ""), files.Path("none")),
              AllOf(HasSubstr("failed to merge kubelet configs: "), HasSubstr(files.Path("none"))));
  std::filesystem::create_directories(files.Path("empty"));
  EXPECT_EQ(ErrorOf(files.Path("a.yaml"), files.Path("empty")), "");
}

TEST(MergePatch, FollowsItsStandard) {
  const struct {
    const char* target;
    const char* patch;
    const char* want;
  } kCases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":["c","d"]})", R"({"a":["c","d"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[1]})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
      {R"({})", R"({"a":{"b":{"c":null}}})", R"({"a":{"b":{}}})"},
  };
  for (const auto& test : kCases) {
    boost::json::value target = *api::ParseJson(test.target);
    MergePatch(target, *api::ParseJson(test.patch));
    EXPECT_EQ(target, *api::ParseJson(test.want)) << test.patch;
  }
}

}  // namespace
}  // namespace cubelet::config
