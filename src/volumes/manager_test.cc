#include "volumes/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/mounts.h"
#include "os/test_support.h"
#include "volumes/content.h"
#include "volumes/fake_mounter.h"
#include "volumes/plugin.h"
#include "volumes/sub_path.h"
#include "volumes/test_support.h"

namespace cubelet::volumes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kUid[] = "uid-1";

class ManagerTest : public testing::Test {
 protected:
  ManagerTest() : paths_(root_ / "kubelet", root_ / "logs", root_ / "containers") { Restart(); }
  ~ManagerTest() override { os::SetFaultHookForTest({}); }

  // A new manager on the same disk, as after a restart of the agent.
  void Restart() {
    manager_ =
        std::make_unique<Manager>(*loop_, *mounter_, paths_, recorder_,
                                  Options{.node_allocatable_memory_bytes = int64_t{64} << 20});
  }
  absl::Status Up(PodPtr pod) {
    api::DownwardContext context;
    context.node_allocatable["cpu"] = api::Quantity::FromInt(2);
    return Await(*loop_, manager_->SetUp(pod, context));
  }
  absl::Status Up(std::string_view spec) { return Up(MakePod(spec)); }
  absl::Status Down() { return Await(*loop_, manager_->TearDown(kUid)); }
  bool HasVolumes() { return Await(*loop_, manager_->HasVolumesOnDisk(kUid)); }
  absl::StatusOr<std::string> SubPath(const std::string& volume, const std::string& sub_path) {
    return Await(*loop_, manager_->PrepareSubPath(kUid, volume, "c", 3, sub_path));
  }
  std::string Volume(const std::string& plugin, const std::string& name) {
    return paths_.PodVolume(kUid, plugin, name);
  }

  os::TemporaryDirectory root_;
  paths::Paths paths_;
  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(absl::FromUnixSeconds(1795479201), 1);
  FakeMounter fake_;
  Mounter* mounter_ = &fake_;
  FakeRecorder recorder_;
  std::unique_ptr<Manager> manager_;
};

constexpr char kAllKinds[] = R"(
  containers:
  - name: c
    image: i
    resources: {limits: {cpu: 500m}}
    volumeMounts:
    - {name: tmp, mountPath: /tmp/e}
    - {name: mem, mountPath: /mem}
    - {name: down, mountPath: /down}
    - {name: proj, mountPath: /proj}
    - {name: host, mountPath: /host}
    - {name: img, mountPath: /img}
  volumes:
  - {name: tmp, emptyDir: {}}
  - {name: mem, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
  - name: down
    downwardAPI:
      items:
      - {path: labels, fieldRef: {fieldPath: metadata.labels}}
      - {path: cpu, mode: 0400, resourceFieldRef: {containerName: c, resource: limits.cpu, divisor: 1m}}
  - name: proj
    projected:
      defaultMode: 0440
      sources:
      - {downwardAPI: {items: [{path: who/name, fieldRef: {fieldPath: metadata.name}}]}}
      - {downwardAPI: {items: [{path: ns, fieldRef: {fieldPath: metadata.namespace}}]}}
  - {name: host, hostPath: {path: /var/log}}
  - {name: img, image: {reference: registry/data:1}}
  - {name: unused, secret: {secretName: s}}
)";

TEST_F(ManagerTest, SetsUpEveryKind) {
  const absl::Status status = Up(kAllKinds);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(recorder_.events, IsEmpty());

  const MountedVolume* tmp = manager_->Find(kUid, "tmp");
  ASSERT_NE(tmp, nullptr);
  EXPECT_EQ(tmp->host_path, Volume("kubernetes.io/empty-dir", "tmp"));
  EXPECT_FALSE(tmp->read_only);
  EXPECT_TRUE(tmp->relabel);

  const MountedVolume* down = manager_->Find(kUid, "down");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(down->host_path, Volume("kubernetes.io/downward-api", "down"));
  EXPECT_TRUE(down->read_only);
  EXPECT_EQ(*os::ReadFile(down->host_path + "/labels"), "app=\"web\"\ntier=\"front\"");
  EXPECT_EQ(*os::ReadFile(down->host_path + "/cpu"), "500");
  EXPECT_EQ(os::Stat(down->host_path + "/cpu")->st_mode & 07777, 0400u);
  EXPECT_EQ(os::Stat(down->host_path + "/labels")->st_mode & 07777, 0644u);

  const MountedVolume* proj = manager_->Find(kUid, "proj");
  ASSERT_NE(proj, nullptr);
  EXPECT_EQ(*os::ReadFile(proj->host_path + "/who/name"), "web");
  EXPECT_EQ(*os::ReadFile(proj->host_path + "/ns"), "shop");
  EXPECT_EQ(os::Stat(proj->host_path + "/ns")->st_mode & 07777, 0440u);

  EXPECT_EQ(manager_->Find(kUid, "host")->host_path, "/var/log");
  EXPECT_FALSE(manager_->Find(kUid, "host")->relabel);
  EXPECT_TRUE(manager_->Find(kUid, "img")->is_image);
  EXPECT_EQ(manager_->Find(kUid, "img")->host_path, "");
  EXPECT_EQ(manager_->Find(kUid, "unused"), nullptr);
  EXPECT_EQ(manager_->Find("other", "tmp"), nullptr);

  // Content volumes stand on a tmpfs bounded by the node, the emptyDir's by its own limit.
  EXPECT_EQ(fake_.mounts().size(), 3u);
  EXPECT_EQ(fake_.mounts().at(down->host_path).options, "size=67108864,noswap");
  EXPECT_EQ(fake_.mounts().at(Volume("kubernetes.io/empty-dir", "mem")).options,
            "size=8388608,noswap");
  EXPECT_TRUE(*os::Exists(paths_.PodPluginState(kUid, "kubernetes.io/empty-dir", "wrapped_down") +
                          "/ready"));
}

TEST_F(ManagerTest, SetUpAgainAppliesChangedLabelsOnly) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  const std::string labels = Volume("kubernetes.io/downward-api", "down") + "/labels";
  const std::string version = *os::ReadLink(os::DirectoryOf(labels) + "/..data");
  int operations = 0;
  os::SetFaultHookForTest([&](std::string_view, std::string_view) { return ++operations, 0; });
  ASSERT_TRUE(Up(kAllKinds).ok());
  EXPECT_EQ(operations, 0) << "an unchanged pod costs no look at the disk";
  os::SetFaultHookForTest({});

  auto changed = std::make_shared<v1::Pod>(*MakePod(kAllKinds));
  (*changed->mutable_metadata()->mutable_labels())["app"] = "new";
  ASSERT_TRUE(Up(changed).ok());
  EXPECT_EQ(*os::ReadFile(labels), "app=\"new\"\ntier=\"front\"");
  EXPECT_NE(*os::ReadLink(os::DirectoryOf(labels) + "/..data"), version);
}

TEST_F(ManagerTest, RestartFindsEverythingUp) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  ASSERT_TRUE(
      os::WriteFileAtomic(Volume("kubernetes.io/empty-dir", "tmp") + "/kept", "x", 0600).ok());
  const std::string down = Volume("kubernetes.io/downward-api", "down");
  const std::string version = *os::ReadLink(down + "/..data");
  Restart();
  EXPECT_EQ(manager_->Find(kUid, "tmp"), nullptr);
  fake_.SetFault([](const std::string& call, const std::string&) {
    return call == "mount" || call == "unmount" ? absl::InternalError("not needed")
                                                : absl::OkStatus();
  });
  ASSERT_TRUE(Up(kAllKinds).ok());
  EXPECT_EQ(*os::ReadFile(Volume("kubernetes.io/empty-dir", "tmp") + "/kept"), "x");
  EXPECT_EQ(*os::ReadLink(down + "/..data"), version);
  ASSERT_NE(manager_->Find(kUid, "down"), nullptr);
}

// Killed at any operation on the disk, a new agent brings the volumes up all the same.
TEST_F(ManagerTest, InterruptedAnywhereItIsCompletedLater) {
  int steps = 0;
  for (int failing = 1; failing <= steps + 1; ++failing) {
    int step = 0;
    os::SetFaultHookForTest(
        [&](std::string_view, std::string_view) { return ++step >= failing ? EIO : 0; });
    const absl::Status status = Up(kAllKinds);
    os::SetFaultHookForTest({});
    steps = std::max(steps, status.ok() ? 0 : failing);
    Restart();
    const absl::Status again = Up(kAllKinds);
    ASSERT_TRUE(again.ok()) << failing << ": " << again;
    EXPECT_EQ(*os::ReadFile(Volume("kubernetes.io/projected", "proj") + "/ns"), "shop");
    ASSERT_TRUE(Down().ok());
    ASSERT_FALSE(HasVolumes());
  }
  EXPECT_GT(steps, 40);
}

TEST_F(ManagerTest, FailedVolumeIsToldInEventAndError) {
  const absl::Status status = Up(R"(
  containers:
  - {name: c, volumeMounts: [{name: good, mountPath: /g}, {name: bad, mountPath: /b}]}
  volumes:
  - {name: bad, hostPath: {path: /dev/null, type: Directory}}
  - {name: good, emptyDir: {}}
)");
  const std::string cause = "hostPath type check failed: /dev/null is not a directory";
  EXPECT_EQ(Message(status),
            "unmounted volumes=[bad], unattached volumes=[], failed to process volumes=[]: "
            "volume \"bad\": " +
                cause);
  EXPECT_THAT(
      recorder_.events,
      ElementsAre("Warning FailedMount MountVolume.SetUp failed for volume \"bad\" : " + cause));
  EXPECT_NE(manager_->Find(kUid, "good"), nullptr);
  EXPECT_EQ(manager_->Find(kUid, "bad"), nullptr);
}

TEST_F(ManagerTest, OtherKindsAreRefusedByName) {
  const absl::Status status = Up(R"(
  containers:
  - name: c
    volumeMounts: [{name: z, mountPath: /z}, {name: a, mountPath: /a}]
  volumes:
  - {name: z, persistentVolumeClaim: {claimName: p}}
  - {name: a, nfs: {server: s, path: /p}}
)");
  EXPECT_EQ(Message(status),
            "unmounted volumes=[a z], unattached volumes=[], failed to process volumes=[a z]: "
            "[volume \"z\": persistentVolumeClaim volumes need persistent volumes, which this "
            "kubelet cannot use; prepare the directory on the node and use a hostPath volume, "
            "volume \"a\": nfs volumes need a storage client that this kubelet "
            "does not have; mount the storage on the node and use a hostPath volume]");
  EXPECT_THAT(recorder_.events, ElementsAre(StrCat("Warning FailedMount Unable to attach or mount "
                                                   "volumes: ",
                                                   Message(status))));
}

TEST_F(ManagerTest, EverySourceHasAPluginOrARefusal) {
  const google::protobuf::Descriptor* sources = v1::VolumeSource::descriptor();
  for (int i = 0; i < sources->field_count(); ++i) {
    v1::Volume volume;
    volume.set_name("x");
    v1::VolumeSource* source = volume.mutable_volumesource();
    source->GetReflection()->MutableMessage(source, sources->field(i));
    if (FindPlugin(*source) != nullptr) continue;
    EXPECT_THAT(Message(RefuseVolume(volume)),
                StartsWith(StrCat("volume \"x\": ", sources->field(i)->name(), " volumes need ")));
  }
  EXPECT_EQ(Message(RefuseVolume(v1::Volume())), "volume \"\" has no source");
}

TEST_F(ManagerTest, ProjectedSourcesOfTheApiAreRefused) {
  EXPECT_FALSE(Up(R"(
  containers: [{name: c, volumeMounts: [{name: p, mountPath: /p}]}]
  volumes:
  - {name: p, projected: {sources: [{configMap: {name: x}}]}}
)")
                   .ok());
  EXPECT_THAT(recorder_.events,
              ElementsAre("Warning FailedMount MountVolume.SetUp failed for volume \"p\" : cannot "
                          "setup projected volume p because kube client is not configured"));
  EXPECT_TRUE(fake_.mounts().empty());
}

TEST_F(ManagerTest, DownwardErrorsAreAggregated) {
  const absl::Status status = Up(R"(
  containers: [{name: c, volumeMounts: [{name: d, mountPath: /d}]}]
  volumes:
  - name: d
    downwardAPI:
      items:
      - {path: a, fieldRef: {fieldPath: metadata.wrong}}
      - {path: b, fieldRef: {fieldPath: metadata.name}}
      - {path: c}
)");
  EXPECT_THAT(Message(status),
              HasSubstr("[unsupported fieldPath: metadata.wrong, item \"c\" names neither a field "
                        "nor a resource]"));
}

TEST_F(ManagerTest, GitRepoIsDisabled) {
  EXPECT_FALSE(Up(R"(
  containers: [{name: c, volumeMounts: [{name: g, mountPath: /g}]}]
  volumes: [{name: g, gitRepo: {repository: r}}]
)")
                   .ok());
  EXPECT_THAT(recorder_.events.at(0), HasSubstr("git-repo volume plugin has been disabled"));
}

TEST_F(ManagerTest, FailedFirstSetUpOfContentIsTakenDown) {
  os::SetFaultHookForTest([](std::string_view operation, std::string_view) {
    return operation == "symlink" ? ENOSPC : 0;
  });
  EXPECT_FALSE(Up(kAllKinds).ok());
  os::SetFaultHookForTest({});
  EXPECT_FALSE(*os::Exists(Volume("kubernetes.io/downward-api", "down")));
  EXPECT_FALSE(fake_.mounts().contains(Volume("kubernetes.io/downward-api", "down")));
}

TEST_F(ManagerTest, FailedUpdateKeepsTheOldContentAndThePodGoing) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  auto changed = std::make_shared<v1::Pod>(*MakePod(kAllKinds));
  (*changed->mutable_metadata()->mutable_labels())["app"] = "new";
  os::SetFaultHookForTest([](std::string_view operation, std::string_view) {
    return operation == "symlink" ? ENOSPC : 0;
  });
  EXPECT_TRUE(Up(changed).ok());
  os::SetFaultHookForTest({});
  EXPECT_THAT(recorder_.events,
              ElementsAre(HasSubstr("MountVolume.SetUp failed for volume \"down\" : symlink")));
  const std::string labels = Volume("kubernetes.io/downward-api", "down") + "/labels";
  EXPECT_EQ(*os::ReadFile(labels), "app=\"web\"\ntier=\"front\"");
  EXPECT_TRUE(Up(changed).ok());
  EXPECT_EQ(*os::ReadFile(labels), "app=\"new\"\ntier=\"front\"");
}

TEST_F(ManagerTest, NestedMountPointsAreMade) {
  const PodPtr pod = MakePod(R"(
  containers:
  - name: c
    volumeMounts:
    - {name: d, mountPath: /d/}
    - {name: x, mountPath: /d/sub/deep}
    - {name: x, mountPath: /d/sub/deep/deeper}
    - {name: x, mountPath: /d/name}
    - {name: x, mountPath: /dx}
    - {name: x, mountPath: /d/../etc}
  volumes:
  - {name: d, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
  - {name: x, emptyDir: {}}
)");
  EXPECT_THAT(NestedMountPoints(*pod, "d"), ElementsAre("name", "sub/deep"));
  EXPECT_THAT(NestedMountPoints(*pod, "x"), ElementsAre("deeper"));
  ASSERT_TRUE(Up(pod).ok());
  const std::string volume = Volume("kubernetes.io/downward-api", "d");
  EXPECT_EQ(os::Lstat(volume + "/sub/deep")->st_mode & 07777, 0755u);
  EXPECT_EQ(*os::ReadFile(volume + "/name"), "web");
}

TEST_F(ManagerTest, TearDownLeavesTheHostsPathsAlone) {
  ASSERT_TRUE(os::MakeDirectories(root_ / "srv", 0755).ok());
  ASSERT_TRUE(os::WriteFileAtomic(root_ / "srv/data", "kept", 0644).ok());
  ASSERT_TRUE(Up(StrCat(R"(
  containers: [{name: c, volumeMounts: [{name: h, mountPath: /h}, {name: e, mountPath: /e}]}]
  volumes: [{name: e, emptyDir: {}}, {name: h, hostPath: {path: )",
                        root_ / "srv", "}}]\n"))
                  .ok());
  const std::string volume = Volume("kubernetes.io/empty-dir", "e");
  ASSERT_TRUE(os::Symlink(root_ / "srv", volume + "/link").ok());
  ASSERT_TRUE(SubPath("h", "new").ok());
  EXPECT_TRUE(HasVolumes());
  EXPECT_TRUE(Down().ok());
  EXPECT_FALSE(HasVolumes());
  EXPECT_TRUE(fake_.mounts().empty());
  EXPECT_FALSE(*os::Exists(volume));
  EXPECT_EQ(manager_->Find(kUid, "e"), nullptr);
  EXPECT_EQ(*os::ReadFile(root_ / "srv/data"), "kept");
  EXPECT_TRUE(*os::Exists(root_ / "srv/new"));
  EXPECT_TRUE(Down().ok());
}

TEST_F(ManagerTest, TearDownWorksFromTheDirectoriesAlone) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  Restart();
  ASSERT_TRUE(Down().ok());
  EXPECT_FALSE(HasVolumes());
  EXPECT_TRUE(fake_.mounts().empty());
}

TEST_F(ManagerTest, TearDownStopsAtWhatItCannotUnmount) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  const std::string mem = Volume("kubernetes.io/empty-dir", "mem");
  ASSERT_TRUE(os::WriteFileAtomic(mem + "/kept", "x", 0600).ok());
  fake_.SetFault([&](const std::string& call, const std::string& path) {
    return call == "unmount" && path == mem ? absl::UnavailableError("unmount: busy")
                                            : absl::OkStatus();
  });
  const absl::Status status = Down();
  EXPECT_EQ(Message(status), "tear down volume \"mem\": unmount: busy");
  EXPECT_TRUE(*os::Exists(mem + "/kept"));
  EXPECT_FALSE(*os::Exists(Volume("kubernetes.io/projected", "proj")));
  EXPECT_TRUE(HasVolumes());
  EXPECT_FALSE(Await(*loop_, manager_->RemovePodDirectory(kUid)).ok());
  EXPECT_TRUE(*os::Exists(mem + "/kept"));
  fake_.SetFault({});
  EXPECT_TRUE(Down().ok());
}

TEST_F(ManagerTest, VolumesOfUnknownKindsAreNotDestroyed) {
  const std::string csi = Volume("kubernetes.io/csi", "pv");
  ASSERT_TRUE(os::MakeDirectories(csi + "/mount", 0755).ok());
  ASSERT_TRUE(fake_.Mount("dev", csi + "/mount", "ext4", "").ok());
  EXPECT_EQ(Message(Down()),
            StrCat("tear down volume \"pv\": ", csi,
                   "/mount is mounted by kubernetes.io~csi, which this kubelet cannot take down"));
  ASSERT_TRUE(fake_.Unmount(csi + "/mount").ok());
  ASSERT_TRUE(os::WriteFileAtomic(csi + "/mount/data", "x", 0600).ok());
  EXPECT_FALSE(Down().ok());
  EXPECT_TRUE(*os::Exists(csi + "/mount/data"));
  ASSERT_TRUE(os::RemoveFile(csi + "/mount/data").ok());
  EXPECT_TRUE(Down().ok());
  EXPECT_FALSE(*os::Exists(csi));
}

TEST_F(ManagerTest, WhatCannotBeToldCountsAsVolumes) {
  EXPECT_FALSE(HasVolumes());
  fake_.SetFault([](const std::string& call, const std::string&) {
    return call == "list" ? absl::UnavailableError("no table") : absl::OkStatus();
  });
  EXPECT_TRUE(HasVolumes());
}

TEST_F(ManagerTest, RemovesAPodsDirectory) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  ASSERT_TRUE(os::MakeDirectories(paths_.PodContainer(kUid, "c"), 0750).ok());
  ASSERT_TRUE(os::WriteFileAtomic(paths_.PodEtcHosts(kUid), "x", 0644).ok());
  EXPECT_THAT(*Await(*loop_, manager_->PodsOnDisk()), ElementsAre(kUid));
  EXPECT_TRUE(Await(*loop_, manager_->RemovePodDirectory(kUid)).ok());
  EXPECT_FALSE(*os::Exists(paths_.Pod(kUid)));
  EXPECT_THAT(*Await(*loop_, manager_->PodsOnDisk()), IsEmpty());
  EXPECT_TRUE(Await(*loop_, manager_->RemovePodDirectory(kUid)).ok());
}

TEST_F(ManagerTest, PodsOnDiskAreDirectories) {
  EXPECT_THAT(*Await(*loop_, manager_->PodsOnDisk()), IsEmpty());
  ASSERT_TRUE(os::MakeDirectories(paths_.Pod("b"), 0750).ok());
  ASSERT_TRUE(os::MakeDirectories(paths_.Pod("a"), 0750).ok());
  ASSERT_TRUE(os::CreateFile(paths_.Pods() + "/file", 0640).ok());
  EXPECT_THAT(*Await(*loop_, manager_->PodsOnDisk()), ElementsAre("a", "b"));
}

TEST_F(ManagerTest, SubPathsAreBoundAndCleaned) {
  ASSERT_TRUE(Up(kAllKinds).ok());
  const absl::StatusOr<std::string> path = SubPath("tmp", "web/d");
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, paths_.PodSubPath(kUid, "tmp", "c", 3));
  EXPECT_TRUE(*os::Exists(Volume("kubernetes.io/empty-dir", "tmp") + "/web/d"));
  EXPECT_EQ(fake_.mounts().at(*path).type, "bind");
  // Through the link to the version that is current now.
  EXPECT_TRUE(SubPath("down", "labels").ok());
  EXPECT_EQ(fake_.mounts().size(), 5u);

  EXPECT_TRUE(Await(*loop_, manager_->CleanSubPaths(kUid, "other")).ok());
  EXPECT_EQ(fake_.mounts().size(), 5u);
  EXPECT_TRUE(Await(*loop_, manager_->CleanSubPaths(kUid, "c")).ok());
  EXPECT_EQ(fake_.mounts().size(), 3u);
  EXPECT_THAT(*os::ListDirectory(paths_.PodSubPaths(kUid)), IsEmpty());
  EXPECT_TRUE(*os::Exists(Volume("kubernetes.io/empty-dir", "tmp") + "/web/d"));
}

TEST_F(ManagerTest, SubPathErrors) {
  EXPECT_EQ(Message(SubPath("tmp", "a").status()),
            "cannot find volume \"tmp\" to mount into container \"c\"");
  ASSERT_TRUE(Up(kAllKinds).ok());
  EXPECT_EQ(Message(SubPath("tmp", "a/../b").status()),
            "unable to provision SubPath `a/../b`: must not contain '..'");
  EXPECT_EQ(Message(SubPath("tmp", "/a").status()),
            "error SubPath `/a` must not be an absolute path");
  EXPECT_FALSE(SubPath("img", "a").ok());
}

async::Task<void> SetUpThenNote(Manager* manager, PodPtr pod, std::vector<std::string>* order) {
  order->push_back((co_await manager->SetUp(pod, {})).ok() ? "up" : "failed");
}
async::Task<void> TearDownThenNote(Manager* manager, std::vector<std::string>* order) {
  order->push_back((co_await manager->TearDown(kUid)).ok() ? "down" : "failed");
}

TEST_F(ManagerTest, CallsForOnePodRunOneAfterAnother) {
  std::vector<std::string> order;
  async::TaskScope scope(*loop_, "test");
  const PodPtr pod = MakePod(kAllKinds);
  scope.Spawn("up", SetUpThenNote(manager_.get(), pod, &order));
  scope.Spawn("down", TearDownThenNote(manager_.get(), &order));
  scope.Spawn("up again", SetUpThenNote(manager_.get(), pod, &order));
  loop_->Run();
  EXPECT_THAT(order, ElementsAre("up", "down", "up"));
  EXPECT_NE(manager_->Find(kUid, "tmp"), nullptr);
  EXPECT_TRUE(HasVolumes());
}

async::Task<void> SetUpAndTearDown(async::Loop* loop, Manager* manager, PodPtr pod,
                                   std::vector<std::string>* order) {
  co_await SetUpThenNote(manager, pod, order);
  co_await TearDownThenNote(manager, order);
  loop->Stop();
}

TEST_F(ManagerTest, WorksThroughTheThreadsOfARealLoop) {
  manager_.reset();
  loop_ = async::Loop::Real();
  Restart();
  std::vector<std::string> order;
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("up and down",
              SetUpAndTearDown(loop_.get(), manager_.get(), MakePod(kAllKinds), &order));
  loop_->Run();
  EXPECT_THAT(order, ElementsAre("up", "down"));
  EXPECT_TRUE(fake_.mounts().empty());
}

TEST(FsUser, IsWhatAllContainersRunAs) {
  EXPECT_EQ(FsUserOf(*MakePod("  securityContext: {runAsUser: 7}\n  containers: [{name: a}]\n")),
            7u);
  EXPECT_EQ(FsUserOf(*MakePod("  containers: [{name: a, securityContext: {runAsUser: 7}}]\n"
                              "  initContainers: [{name: i, securityContext: {runAsUser: 8}}]\n")),
            std::nullopt);
  EXPECT_EQ(FsUserOf(*MakePod("  containers: [{name: a, securityContext: {runAsUser: 7}}, "
                              "{name: b}]\n")),
            std::nullopt);
}

TEST_F(ManagerTest, ROOT_RealMountsOfAWholePod) {
  const bool ran = os::RunWithPrivateMounts([&] {
    const std::unique_ptr<Mounter> real = CreateMounter();
    mounter_ = real.get();
    Restart();
    auto pod = std::make_shared<v1::Pod>(*MakePod(kAllKinds));
    pod->mutable_spec()->mutable_securitycontext()->set_fsgroup(2000);
    const absl::Status status = Up(pod);
    ASSERT_TRUE(status.ok()) << status;
    const std::string down = Volume("kubernetes.io/downward-api", "down");
    EXPECT_EQ(os::FindMount(*os::ReadMountTable(), down)->type, "tmpfs");
    EXPECT_EQ(os::Stat(down + "/cpu")->st_gid, 2000u);
    EXPECT_EQ(os::Stat(down + "/cpu")->st_mode & 07777, 0440u);
    EXPECT_EQ(os::Stat(down)->st_mode & 07777, 03777u);
    const absl::StatusOr<std::string> sub_path = SubPath("mem", "d");
    ASSERT_TRUE(sub_path.ok()) << sub_path.status();
    ASSERT_TRUE(os::WriteFileAtomic(*sub_path + "/f", "x", 0600).ok());
    EXPECT_EQ(*os::ReadFile(Volume("kubernetes.io/empty-dir", "mem") + "/d/f"), "x");
    // A mount that a container has made inside its volume.
    const std::string nested = Volume("kubernetes.io/empty-dir", "tmp") + "/nested";
    ASSERT_TRUE(os::MakeDirectories(nested, 0755).ok());
    ASSERT_TRUE(real->Mount("tmpfs", nested, "tmpfs", "").ok());
    EXPECT_EQ(real->MountPointsUnder(paths_.Pod(kUid))->size(), 5u);

    Restart();
    ASSERT_TRUE(Up(pod).ok());
    EXPECT_EQ(real->MountPointsUnder(paths_.Pod(kUid))->size(), 5u);
    EXPECT_TRUE(HasVolumes());
    const absl::Status removed = Await(*loop_, manager_->RemovePodDirectory(kUid));
    EXPECT_TRUE(removed.ok()) << removed;
    EXPECT_TRUE(real->MountPointsUnder(root_.path())->empty());
    EXPECT_FALSE(*os::Exists(paths_.Pod(kUid)));
    manager_.reset();
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

}  // namespace
}  // namespace cubelet::volumes
