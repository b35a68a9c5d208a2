// Recorded truth: what we would ask of the runtime equals what the Go kubelet asked, for every pod
// of tests/golden.
// clang-format off
// First, as CRI's signals have the names of macros in <signal.h>.
#include "cri/types.h"
// clang-format on

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <map>
#include <memory>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "api/codec.h"
#include "api/pod.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "cgroups/names.h"
#include "containers/container_config.h"
#include "containers/environment.h"
#include "containers/golden.h"
#include "containers/labels.h"
#include "containers/sandbox_config.h"

namespace cubelet::containers {
namespace {

// What the API server held beside the pod.
struct Cluster {
  std::map<std::string, std::shared_ptr<const v1::ConfigMap>> config_maps;
  std::map<std::string, std::shared_ptr<const v1::Secret>> secrets;
  std::vector<std::shared_ptr<const v1::Service>> services;
};

Cluster ReadCluster(const std::string& path) {
  Cluster cluster;
  for (const absl::string_view document : absl::StrSplit(ReadFile(path), "---\n")) {
    const auto value = api::ParseYaml(ToStd(document));
    EXPECT_TRUE(value.ok()) << path << ": " << value.status();
    if (!value.ok()) continue;
    const std::string kind = api::PeekTypeMeta(*value)->kind;
    if (kind == "ConfigMap") {
      auto object = std::make_shared<v1::ConfigMap>(FromObject<v1::ConfigMap>(*value));
      cluster.config_maps[object->metadata().name()] = object;
    } else if (kind == "Secret") {
      auto object = std::make_shared<v1::Secret>(FromObject<v1::Secret>(*value));
      // The API server makes data of stringData.
      for (const auto& [key, text] : object->stringdata()) (*object->mutable_data())[key] = text;
      cluster.secrets[object->metadata().name()] = object;
    } else if (kind == "Service") {
      cluster.services.push_back(std::make_shared<v1::Service>(FromObject<v1::Service>(*value)));
    }
  }
  return cluster;
}

EnvSources SourcesOf(const Cluster& cluster) {
  EnvSources sources;
  sources.config_map =
      [&cluster](std::string_view,
                 std::string_view name) -> absl::StatusOr<std::shared_ptr<const v1::ConfigMap>> {
    const auto found = cluster.config_maps.find(std::string(name));
    if (found != cluster.config_maps.end()) return found->second;
    return absl::NotFoundError(StrCat("configmap ", GoQuote(name), " not found"));
  };
  sources.secret = [&cluster](
                       std::string_view,
                       std::string_view name) -> absl::StatusOr<std::shared_ptr<const v1::Secret>> {
    const auto found = cluster.secrets.find(std::string(name));
    if (found != cluster.secrets.end()) return found->second;
    return absl::NotFoundError(StrCat("secret ", GoQuote(name), " not found"));
  };
  sources.services = [&cluster](std::string_view name_space) {
    return name_space == "default" ? std::vector<std::shared_ptr<const v1::Service>>{ApiService()}
                                   : cluster.services;
  };
  return sources;
}

// Where each kind of volume is set up, and whether it is read-only by itself.
MountedVolumes VolumesOf(const v1::Pod& pod) {
  MountedVolumes volumes;
  for (const v1::Volume& volume : pod.spec().volumes()) {
    const v1::VolumeSource& source = volume.volumesource();
    const auto managed = [&](std::string_view plugin, bool read_only) {
      volumes[volume.name()] = {
          .host_path = DefaultPaths().PodVolume(pod.metadata().uid(), plugin, volume.name()),
          .read_only = read_only,
          .relabel = true};
    };
    if (source.has_hostpath())
      volumes[volume.name()] = {.host_path = source.hostpath().path()};
    else if (source.has_emptydir())
      managed("kubernetes.io/empty-dir", false);
    else if (source.has_configmap())
      managed("kubernetes.io/configmap", true);
    else if (source.has_secret())
      managed("kubernetes.io/secret", true);
    else if (source.has_downwardapi())
      managed("kubernetes.io/downward-api", true);
    else if (source.has_projected())
      managed("kubernetes.io/projected", true);
    else
      ADD_FAILURE() << "volume " << volume.name() << " of no known kind";
  }
  return volumes;
}

// One recorded pod: the object as the kubelet had it, and what it asked the runtime.
class Recording {
 public:
  explicit Recording(const std::string& folder)
      : pod_(FromObject<v1::Pod>(ReadJson(folder + "/pod.json"))),
        cluster_(ReadCluster(folder + "/pod.yaml")) {
    for (const v1::PodIP& ip : pod_.status().podips()) pod_ips_.push_back(ip.ip());
    pod_.clear_status();
    pod_.mutable_metadata()->clear_deletiontimestamp();
    pod_.mutable_metadata()->clear_deletiongraceperiodseconds();
    const boost::json::value calls = ReadJson(folder + "/cri.json");
    for (const auto& call : calls.as_array()) {
      const boost::json::string& method = call.at("method").as_string();
      if (method == "RunPodSandbox")
        sandboxes_.push_back(FromRecord<criv1::RunPodSandboxRequest>(call.at("request")));
      if (method == "CreateContainer")
        containers_.push_back(FromRecord<criv1::CreateContainerRequest>(call.at("request")));
    }
    // When the kubelet saw the pod, and from where, is its own note on it.
    if (sandboxes_.empty()) return;
    for (const char* name : {api::kConfigSeenAnnotation, api::kConfigSourceAnnotation})
      (*pod_.mutable_metadata()->mutable_annotations())[name] =
          sandboxes_.front().config().annotations().at(name);
  }

  const v1::Pod& pod() const { return pod_; }
  const std::vector<criv1::RunPodSandboxRequest>& sandboxes() const { return sandboxes_; }
  const std::vector<criv1::CreateContainerRequest>& containers() const { return containers_; }

  absl::StatusOr<criv1::PodSandboxConfig> Sandbox(const NodeContext& node, uint32_t attempt) const {
    std::vector<Warning> warnings;
    const SandboxInput input{
        .attempt = attempt,
        .cgroup_parent = cgroups::PodPathOf("/", pod_.metadata().uid(), api::GetQosClass(pod_))};
    auto config = MakeSandboxConfig(pod_, node, input, &warnings);
    EXPECT_TRUE(warnings.empty());
    return config;
  }

  // The container as we would make it, taking from the recorded one only what is random or the
  // runtime's: the termination log's name, the image's id, the number of the instance.
  absl::StatusOr<criv1::ContainerConfig> Container(const NodeContext& node,
                                                   const criv1::ContainerConfig& recorded) const {
    const v1::Container* container = api::FindContainer(pod_, recorded.metadata().name());
    if (container == nullptr) return absl::NotFoundError(recorded.metadata().name());
    ContainerInput input{.restart_count = static_cast<int>(recorded.metadata().attempt()),
                         .image_ref = recorded.image().image(),
                         .image_user = ImageUserOf(criv1::Image()),
                         .pod_ips = pod_ips_,
                         .volumes = VolumesOf(pod_)};
    auto environment = MakeEnvironment(pod_, *container, node,
                                       {.sources = SourcesOf(cluster_), .pod_ips = pod_ips_});
    if (!environment.ok()) return environment.status();
    input.environment = *std::move(environment);
    const auto sub_paths = SubPathsToPrepare(*container, input.environment, input.volumes);
    if (!sub_paths.ok()) return sub_paths.status();
    for (const SubPathMount& mount : *sub_paths)
      input.sub_paths[mount.mount_index] = DefaultPaths().PodSubPath(
          pod_.metadata().uid(), mount.volume, container->name(), mount.mount_index);
    input.termination_log =
        StrCat(DefaultPaths().PodContainer(pod_.metadata().uid(), container->name()), "/",
               TerminationLogName(recorded));
    return MakeContainerConfig(pod_, *container, node, input);
  }

 private:
  static std::string TerminationLogName(const criv1::ContainerConfig& recorded) {
    for (const criv1::Mount& mount : recorded.mounts())
      if (mount.container_path() == recorded.annotations().at(kMessagePathAnnotation))
        return mount.host_path().substr(mount.host_path().rfind('/') + 1);
    return "";
  }

  v1::Pod pod_;
  Cluster cluster_;
  std::vector<std::string> pod_ips_;
  std::vector<criv1::RunPodSandboxRequest> sandboxes_;
  std::vector<criv1::CreateContainerRequest> containers_;
};

class GoldenPod : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenPod, SandboxRequestsAreTheRecordedOnes) {
  const Recording recording(kGolden + GetParam());
  const NodeContext node = RecordedNode();
  ASSERT_FALSE(recording.sandboxes().empty());
  for (const criv1::RunPodSandboxRequest& request : recording.sandboxes()) {
    const auto config = recording.Sandbox(node, request.config().metadata().attempt());
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(Difference(request.config(), *config), "");
    EXPECT_EQ(request.runtime_handler(), "");
  }
}

TEST_P(GoldenPod, ContainerRequestsAreTheRecordedOnes) {
  const Recording recording(kGolden + GetParam());
  const NodeContext node = RecordedNode();
  for (const criv1::CreateContainerRequest& request : recording.containers()) {
    const auto config = recording.Container(node, request.config());
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(Difference(request.config(), *config), "");
    const auto sandbox = recording.Sandbox(node, request.sandbox_config().metadata().attempt());
    ASSERT_TRUE(sandbox.ok()) << sandbox.status();
    EXPECT_EQ(Difference(request.sandbox_config(), *sandbox), "");
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenPod, ::testing::ValuesIn(Folders()), [](const auto& param) {
  return absl::StrReplaceAll(param.param, {{"-", "_"}});
});

// Pods whose containers cannot be configured: the recorded event is "Error: <our message>".
TEST(Golden, ConfigurationErrorsAreTheRecordedOnes) {
  for (const char* folder : {"18-missing-config", "19-nonroot-violation"}) {
    const Recording recording(std::string(kGolden) + folder);
    ASSERT_TRUE(recording.containers().empty());
    criv1::ContainerConfig wanted;
    wanted.mutable_metadata()->set_name("main");
    (*wanted.mutable_annotations())[kMessagePathAnnotation] = "";
    const auto config = recording.Container(RecordedNode(), wanted);
    ASSERT_FALSE(config.ok()) << folder;
    std::vector<std::string> messages;
    const boost::json::value events = ReadJson(std::string(kGolden) + folder + "/events.json");
    for (const auto& event : events.as_array())
      messages.emplace_back(event.at("message").as_string());
    EXPECT_THAT(messages, ::testing::Contains(StrCat("Error: ", Message(config.status()))));
  }
}

TEST(Golden, AllPodsAreThere) { EXPECT_EQ(Folders().size(), 20u); }

}  // namespace
}  // namespace cubelet::containers
