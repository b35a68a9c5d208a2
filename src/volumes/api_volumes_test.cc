// configMap, secret and projected volumes, with what an API server would hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/test_support.h"
#include "volumes/fake_mounter.h"
#include "volumes/manager.h"
#include "volumes/test_support.h"

namespace cubelet::volumes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kUid[] = "uid-1";

class FakeObjects final : public ObjectSource {
 public:
  async::Task<absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>> GetConfigMap(
      std::string name_space, std::string name) override {
    const auto it = config_maps.find(StrCat(name_space, "/", name));
    if (it != config_maps.end()) co_return std::make_shared<v1::ConfigMap>(it->second);
    co_return absl::NotFoundError(StrCat("configmap ", GoQuote(name), " not found"));
  }
  async::Task<absl::StatusOr<std::shared_ptr<const v1::Secret>>> GetSecret(
      std::string name_space, std::string name) override {
    const auto it = secrets.find(StrCat(name_space, "/", name));
    if (it != secrets.end()) co_return std::make_shared<v1::Secret>(it->second);
    co_return absl::NotFoundError(StrCat("secret ", GoQuote(name), " not found"));
  }
  async::Task<absl::StatusOr<std::string>> GetToken(
      PodPtr pod, v1::ServiceAccountTokenProjection projection) override {
    if (!token_error.ok()) co_return token_error;
    co_return StrCat(pod->metadata().name(), " for ", projection.audience());
  }

  std::map<std::string, v1::ConfigMap> config_maps;
  std::map<std::string, v1::Secret> secrets;
  absl::Status token_error;
};

class ApiVolumesTest : public testing::Test {
 protected:
  ApiVolumesTest() : paths_(root_ / "kubelet", root_ / "logs", root_ / "containers") {
    v1::ConfigMap& config = objects_.config_maps["shop/cm"];
    (*config.mutable_data())["a.txt"] = "A";
    (*config.mutable_binarydata())["bin"] = std::string("\0\1\2", 3);
    (*objects_.secrets["shop/s"].mutable_data())["token"] = "t0ken";
  }

  // A pod whose container mounts the one volume "v" of that source.
  absl::Status Up(const std::string& source, const std::string& more = "") {
    const PodPtr pod = MakePod(
        StrCat(more, "  containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}]}]\n",
               "  volumes: [{name: v, ", source, "}]\n"));
    return Await(*loop_, manager_.SetUp(pod, {}));
  }
  std::string File(const std::string& name) {
    const absl::StatusOr<std::string> text = os::ReadFile(StrCat(Directory(), "/", name));
    return text.ok() ? *text : "-";
  }
  std::string Directory() { return manager_.Find(kUid, "v")->host_path; }
  mode_t Mode(const std::string& name) {
    return os::Stat(StrCat(Directory(), "/", name))->st_mode & 07777;
  }

  os::TemporaryDirectory root_;
  paths::Paths paths_;
  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(absl::FromUnixSeconds(1795479201), 1);
  FakeMounter mounter_;
  FakeRecorder recorder_;
  FakeObjects objects_;
  Manager manager_{*loop_, mounter_, paths_, recorder_, Options{.objects = &objects_}};
};

TEST_F(ApiVolumesTest, AConfigMapGivesAllItsKeys) {
  ASSERT_TRUE(Up("configMap: {name: cm, defaultMode: 0440}").ok());
  EXPECT_EQ(Directory(), paths_.PodVolume(kUid, "kubernetes.io/configmap", "v"));
  EXPECT_TRUE(manager_.Find(kUid, "v")->read_only);
  EXPECT_EQ(File("a.txt"), "A");
  EXPECT_EQ(File("bin"), std::string("\0\1\2", 3));
  EXPECT_EQ(Mode("a.txt"), 0440u);
  EXPECT_TRUE(mounter_.mounts().empty()) << "it stands on disk";
}

TEST_F(ApiVolumesTest, ItemsChooseKeysPathsAndModes) {
  ASSERT_TRUE(Up("configMap: {name: cm, items: [{key: bin, path: sub/b, mode: 0400}]}").ok());
  EXPECT_EQ(File("sub/b"), std::string("\0\1\2", 3));
  EXPECT_EQ(Mode("sub/b"), 0400u);
  EXPECT_EQ(File("a.txt"), "-");
}

TEST_F(ApiVolumesTest, ASecretStandsInMemory) {
  ASSERT_TRUE(Up("secret: {secretName: s}").ok());
  EXPECT_EQ(File("token"), "t0ken");
  EXPECT_EQ(Mode("token"), 0644u);
  EXPECT_EQ(mounter_.mounts().at(Directory()).type, "tmpfs");
}

TEST_F(ApiVolumesTest, WhatIsMissingIsSaid) {
  const struct {
    const char* source;
    const char* message;
  } kCases[] = {
      {"configMap: {name: x}", R"(configmap "x" not found)"},
      {"configMap: {name: cm, items: [{key: k, path: p}]}",
       "configmap references non-existent config key: k"},
      {"secret: {secretName: x}", R"(secret "x" not found)"},
      {"secret: {secretName: s, items: [{key: k, path: p}]}",
       "references non-existent secret key: k"},
      {"projected: {sources: [{configMap: {name: x}}, {secret: {name: z}}]}",
       R"([configmap "x" not found, secret "z" not found])"},
      {"projected: {sources: [{clusterTrustBundle: {name: b, path: p}}]}",
       "ClusterTrustBundle projection is not supported by this kubelet"},
      {"projected: {sources: [{podCertificate: {signerName: s, keyType: ED25519}}]}",
       "PodCertificate projection is not supported by this kubelet"},
  };
  for (const auto& one : kCases) {
    recorder_.events.clear();
    EXPECT_THAT(Message(Up(one.source)), HasSubstr(one.message)) << one.source;
    EXPECT_THAT(recorder_.events,
                ElementsAre(StrCat("Warning FailedMount MountVolume.SetUp failed for volume "
                                   "\"v\" : ",
                                   one.message)));
  }
  EXPECT_TRUE(mounter_.mounts().empty());
}

TEST_F(ApiVolumesTest, OptionalSourcesAreEmptyUntilTheyAreThere) {
  for (const char* source :
       {"configMap: {name: late, optional: true}", "secret: {secretName: late, optional: true}",
        "projected: {sources: [{configMap: {name: late, optional: true}}]}"}) {
    objects_.config_maps.erase("shop/late");
    objects_.secrets.erase("shop/late");
    ASSERT_TRUE(Up(source).ok()) << source;
    EXPECT_EQ(File("k"), "-");
    (*objects_.config_maps["shop/late"].mutable_data())["k"] = "v";
    (*objects_.secrets["shop/late"].mutable_data())["k"] = "v";
    ASSERT_TRUE(Up(source).ok());
    EXPECT_EQ(File("k"), "v") << source;
    ASSERT_TRUE(Await(*loop_, manager_.TearDown(kUid)).ok());
  }
  EXPECT_TRUE(Up("configMap: {name: cm, optional: true, items: [{key: k, path: p}]}").ok());
  EXPECT_THAT(recorder_.events, IsEmpty());
}

TEST_F(ApiVolumesTest, ChangedValuesReachTheFiles) {
  const std::string source = "configMap: {name: cm}";
  ASSERT_TRUE(Up(source).ok());
  (*objects_.config_maps["shop/cm"].mutable_data())["a.txt"] = "B";
  objects_.config_maps["shop/cm"].clear_binarydata();
  ASSERT_TRUE(Up(source).ok());
  EXPECT_EQ(File("a.txt"), "B");
  EXPECT_EQ(File("bin"), "-");
  // An object that goes leaves the files of pods that run.
  objects_.config_maps.clear();
  EXPECT_TRUE(Up(source).ok());
  EXPECT_EQ(File("a.txt"), "B");
  EXPECT_THAT(recorder_.events, ElementsAre(HasSubstr("configmap \"cm\" not found")));
}

constexpr char kProjected[] =
    "projected: {defaultMode: 0444, sources: [{configMap: {name: cm, items: [{key: a.txt, path: "
    "cfg/a}]}}, {secret: {name: s}}, {serviceAccountToken: {path: tok, audience: vault}}, "
    "{downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]}";

TEST_F(ApiVolumesTest, ProjectedTakesAllSources) {
  const absl::Status status = Up(kProjected);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(File("cfg/a"), "A");
  EXPECT_EQ(File("token"), "t0ken");
  EXPECT_EQ(File("tok"), "web for vault");
  EXPECT_EQ(File("name"), "web");
  EXPECT_EQ(Mode("tok"), 0444u);
}

TEST_F(ApiVolumesTest, ATokenIsForThePodsUserOnly) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root to give a file to another user";
  ASSERT_TRUE(Up(kProjected, "  securityContext: {runAsUser: 1000}\n").ok());
  EXPECT_EQ(Mode("tok"), 0600u);
  EXPECT_EQ(os::Stat(StrCat(Directory(), "/tok"))->st_uid, 1000u);
  EXPECT_EQ(Mode("token"), 0444u);
}

TEST_F(ApiVolumesTest, ATokenThatCannotBeHadFailsTheVolume) {
  objects_.token_error = absl::UnavailableError("failed to fetch token: away");
  EXPECT_THAT(Message(Up(kProjected)), HasSubstr("failed to fetch token: away"));
}

TEST(WithoutApiServer, ApiVolumesSayWhatTheyMiss) {
  os::TemporaryDirectory root;
  paths::Paths paths(root / "kubelet", root / "logs", root / "containers");
  auto loop = async::Loop::Virtual(absl::UnixEpoch(), 1);
  FakeMounter mounter;
  FakeRecorder recorder;
  Manager manager(*loop, mounter, paths, recorder, {});
  const PodPtr pod = MakePod(
      "  containers: [{name: c, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: "
      "/b}]}]\n  volumes: [{name: a, configMap: {name: x}}, {name: b, secret: {secretName: z}}]\n");
  const std::string message(Message(Await(*loop, manager.SetUp(pod, {}))));
  EXPECT_THAT(message,
              HasSubstr("cannot setup configMap volume a because kube client is not configured"));
  EXPECT_THAT(message,
              HasSubstr("cannot setup secret volume b because kube client is not configured"));
}

}  // namespace
}  // namespace cubelet::volumes
