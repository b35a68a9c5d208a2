#include "volumes/empty_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/files.h"
#include "os/mounts.h"
#include "os/test_support.h"
#include "volumes/fake_mounter.h"
#include "volumes/fs_group.h"
#include "volumes/test_support.h"

namespace cubelet::volumes {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

TEST(TmpfsSize, IsTheLeastOfWhatIsSet) {
  const PodPtr unlimited = MakePod("  containers: [{name: a}]\n");
  const PodPtr limited = MakePod(
      "  containers:\n"
      "  - {name: a, resources: {limits: {memory: 10Mi}}}\n"
      "  - {name: b, resources: {limits: {memory: 6Mi}}}\n");
  const PodPtr half =
      MakePod("  containers: [{name: a, resources: {limits: {memory: 1Mi}}}, {name: b}]\n");
  const PodPtr as_a_whole =
      MakePod("  resources: {limits: {memory: 12Mi}}\n  containers: [{name: a}]\n");
  EXPECT_EQ(TmpfsSize(*unlimited, 100 * kMiB, 0), 100 * kMiB);
  EXPECT_EQ(TmpfsSize(*unlimited, 100 * kMiB, 8 * kMiB), 8 * kMiB);
  EXPECT_EQ(TmpfsSize(*unlimited, 100 * kMiB, 200 * kMiB), 100 * kMiB);
  EXPECT_EQ(TmpfsSize(*unlimited, 0, 0), 0);
  EXPECT_EQ(TmpfsSize(*unlimited, 0, 8 * kMiB), 8 * kMiB);
  EXPECT_EQ(TmpfsSize(*limited, 100 * kMiB, 0), 16 * kMiB);
  EXPECT_EQ(TmpfsSize(*limited, 10 * kMiB, 0), 10 * kMiB);
  EXPECT_EQ(TmpfsSize(*limited, 100 * kMiB, 4 * kMiB), 4 * kMiB);
  EXPECT_EQ(TmpfsSize(*half, 100 * kMiB, 0), 100 * kMiB);
  EXPECT_EQ(TmpfsSize(*as_a_whole, 100 * kMiB, 0), 12 * kMiB);
}

TEST(TmpfsOptions, HasSizeAndNoswap) {
  EXPECT_EQ(TmpfsOptions(1024, true), "size=1024,noswap");
  EXPECT_EQ(TmpfsOptions(1024, false), "size=1024");
  EXPECT_EQ(TmpfsOptions(0, true), "noswap");
  EXPECT_EQ(TmpfsOptions(0, false), "");
}

TEST(HugePageSize, ComesFromRequests) {
  const PodPtr one =
      MakePod("  containers: [{name: a, resources: {requests: {hugepages-2Mi: 4Mi, cpu: 1}}}]\n");
  const PodPtr two = MakePod(
      "  initContainers: [{name: i, resources: {requests: {hugepages-1Gi: 1Gi}}}]\n"
      "  containers: [{name: a, resources: {requests: {hugepages-2Mi: 4Mi}}}]\n");
  const PodPtr none = MakePod("  containers: [{name: a}]\n");
  EXPECT_EQ(HugePageSize(*one, "HugePages")->ToString(), "2Mi");
  EXPECT_EQ(HugePageSize(*two, "HugePages-1Gi")->ToString(), "1Gi");
  EXPECT_EQ(Message(HugePageSize(*two, "HugePages").status()),
            "medium: HugePages can't be used if container requests multiple huge page sizes");
  EXPECT_EQ(Message(HugePageSize(*none, "HugePages").status()),
            "medium HugePages: hugePages storage requested, but there is no resource request for "
            "huge pages");
  EXPECT_EQ(Message(HugePageSize(*one, "HugePages-1Gi").status()),
            "medium HugePages-1Gi: hugePages storage requested, but there is no resource request "
            "for huge pages");
  EXPECT_FALSE(HugePageSize(*one, "HugePages-big").ok());
}

class EmptyDirTest : public testing::Test {
 protected:
  VolumeRequest Request(PodPtr pod) {
    return {.pod = pod,
            .volume = &pod->spec().volumes(0),
            .pod_volumes = dir_ / "volumes",
            .directory = dir_ / "volumes/kubernetes.io~empty-dir/v",
            .state_directory = dir_ / "plugins/kubernetes.io~empty-dir/v",
            .node_allocatable_memory_bytes = 64 * kMiB,
            .now = absl::UnixEpoch()};
  }
  VolumeRequest WithSource(const std::string& source, const std::string& more = "") {
    return Request(MakePod(StrCat("  volumes: [{name: v, emptyDir: ", source, "}]\n", more)));
  }
  static absl::Status Down(const VolumeRequest& request, Mounter& mounter) {
    return TearDownEmptyDir(request.directory, request.state_directory,
                            *mounter.MountPointsUnder(request.directory), mounter);
  }
  mode_t ModeOf(const std::string& path) { return os::Lstat(path)->st_mode & 07777; }
  os::TemporaryDirectory dir_;
  FakeMounter mounter_;
};

TEST_F(EmptyDirTest, OnDiskIsADirectoryForAll) {
  const VolumeRequest request = WithSource("{}");
  const mode_t before = ::umask(027);
  const absl::Status status = SetUpEmptyDirVolume(request, mounter_);
  ::umask(before);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(ModeOf(request.directory), 0777u);
  EXPECT_EQ(ModeOf(request.pod_volumes), 0750u);
  EXPECT_EQ(ModeOf(request.state_directory), 0750u);
  EXPECT_EQ(ModeOf(request.state_directory + "/ready"), 0644u);
  EXPECT_TRUE(mounter_.mounts().empty());
}

TEST_F(EmptyDirTest, SetUpAgainKeepsContentAndModes) {
  const VolumeRequest request = WithSource("{}");
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  ASSERT_TRUE(os::WriteFileAtomic(request.directory + "/f", "x", 0600).ok());
  ASSERT_TRUE(os::ChangeMode(request.directory, 0700).ok());
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  EXPECT_EQ(*os::ReadFile(request.directory + "/f"), "x");
  EXPECT_EQ(ModeOf(request.directory), 0700u);
}

TEST_F(EmptyDirTest, MarkerWithoutDirectoryIsNotBelieved) {
  const VolumeRequest request = WithSource("{}");
  ASSERT_TRUE(os::MakeDirectories(request.state_directory, 0750).ok());
  ASSERT_TRUE(os::CreateFile(request.state_directory + "/ready", 0644).ok());
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  EXPECT_EQ(ModeOf(request.directory), 0777u);
}

TEST_F(EmptyDirTest, InMemoryIsATmpfsMountedOnce) {
  const VolumeRequest request = WithSource("{medium: Memory, sizeLimit: 8Mi}");
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  ASSERT_TRUE(mounter_.mounts().contains(request.directory));
  const FakeMounter::Entry& mount = mounter_.mounts().at(request.directory);
  EXPECT_EQ(mount.source, "tmpfs");
  EXPECT_EQ(mount.type, "tmpfs");
  EXPECT_EQ(mount.options, "size=8388608,noswap");
  int mounts = 0;
  mounter_.SetFault([&](const std::string& call, const std::string&) {
    mounts += call == "mount" ? 1 : 0;
    return absl::OkStatus();
  });
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  EXPECT_EQ(mounts, 0);
}

TEST_F(EmptyDirTest, OldKernelsGetNoNoswap) {
  const VolumeRequest request = WithSource("{medium: Memory}");
  int tries = 0;
  mounter_.SetFault([&](const std::string& call, const std::string&) {
    return call == "mount" && ++tries == 1 ? absl::InvalidArgumentError("Invalid argument")
                                           : absl::OkStatus();
  });
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  EXPECT_EQ(mounter_.mounts().at(request.directory).options, "size=67108864");
}

TEST_F(EmptyDirTest, FailedMountLeavesNoMarker) {
  const VolumeRequest request = WithSource("{medium: Memory}");
  mounter_.SetFault([](const std::string& call, const std::string&) {
    return call == "mount" ? absl::ResourceExhaustedError("no memory") : absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsResourceExhausted(SetUpEmptyDirVolume(request, mounter_)));
  EXPECT_FALSE(*os::Exists(request.state_directory + "/ready"));
}

TEST_F(EmptyDirTest, HugePagesAreMounted) {
  const VolumeRequest request =
      WithSource("{medium: HugePages}",
                 "  containers: [{name: a, resources: {requests: {hugepages-2Mi: 4Mi}}}]\n");
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  const FakeMounter::Entry& mount = mounter_.mounts().at(request.directory);
  EXPECT_EQ(mount.source, "nodev");
  EXPECT_EQ(mount.type, "hugetlbfs");
  EXPECT_EQ(mount.options, "pagesize=2Mi");
  EXPECT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
}

TEST_F(EmptyDirTest, UnknownMediumIsRefused) {
  EXPECT_EQ(Message(SetUpEmptyDirVolume(WithSource("{medium: Tape}"), mounter_)),
            "unknown storage medium \"Tape\"");
}

TEST_F(EmptyDirTest, ALinkInItsPlaceIsRefused) {
  const VolumeRequest request = WithSource("{}");
  os::TemporaryDirectory other;
  ASSERT_TRUE(os::MakeDirectories(os::DirectoryOf(request.directory), 0755).ok());
  ASSERT_TRUE(os::Symlink(other.path(), request.directory).ok());
  EXPECT_THAT(Message(SetUpEmptyDirVolume(request, mounter_)), HasSubstr("is not a directory"));
}

TEST_F(EmptyDirTest, TearDownRemovesContentButNotWhatIsStillMounted) {
  const VolumeRequest request = WithSource("{medium: Memory}");
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  ASSERT_TRUE(os::WriteFileAtomic(request.directory + "/f", "x", 0600).ok());
  mounter_.SetFault([](const std::string& call, const std::string&) {
    return call == "unmount" ? absl::UnavailableError("busy") : absl::OkStatus();
  });
  EXPECT_FALSE(Down(request, mounter_).ok());
  EXPECT_TRUE(*os::Exists(request.directory + "/f"));
  EXPECT_FALSE(*os::Exists(request.state_directory));
  mounter_.SetFault({});
  EXPECT_TRUE(Down(request, mounter_).ok());
  EXPECT_FALSE(*os::Exists(request.directory));
  EXPECT_TRUE(Down(request, mounter_).ok());
}

TEST(FsGroup, WidensModes) {
  EXPECT_EQ(FsGroupMode(S_IFREG | 0600, false), 0660u);
  EXPECT_EQ(FsGroupMode(S_IFREG | 0600, true), 0640u);
  EXPECT_EQ(FsGroupMode(S_IFREG | 04755, false), 04775u);
  EXPECT_EQ(FsGroupMode(S_IFDIR | 0700, false), 02770u);
  EXPECT_EQ(FsGroupMode(S_IFDIR | 0700, true), 02750u);
  EXPECT_EQ(FsGroupMode(S_IFDIR | 01777, false), 03777u);
}

TEST_F(EmptyDirTest, ROOT_FsGroupOwnsTheVolume) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  const VolumeRequest request = WithSource("{}", "  securityContext: {fsGroup: 2000}\n");
  ASSERT_TRUE(SetUpEmptyDirVolume(request, mounter_).ok());
  EXPECT_EQ(os::Lstat(request.directory)->st_gid, 2000u);
  EXPECT_EQ(ModeOf(request.directory), 02777u);
}

TEST_F(EmptyDirTest, ROOT_FsGroupReachesEverythingButTargetsOfLinks) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  ASSERT_TRUE(os::MakeDirectories(dir_ / "t/sub", 0700).ok());
  ASSERT_TRUE(os::WriteFileAtomic(dir_ / "t/sub/f", "x", 0600).ok());
  ASSERT_TRUE(os::WriteFileAtomic(dir_ / "outside", "x", 0600).ok());
  ASSERT_TRUE(os::Symlink("../outside", dir_ / "t/l").ok());
  ASSERT_TRUE(ApplyFsGroup(dir_ / "t", 2000, false).ok());
  EXPECT_EQ(ModeOf(dir_ / "t/sub"), 02770u);
  EXPECT_EQ(ModeOf(dir_ / "t/sub/f"), 0660u);
  EXPECT_EQ(os::Lstat(dir_ / "t/sub/f")->st_gid, 2000u);
  EXPECT_EQ(os::Lstat(dir_ / "t/sub/f")->st_uid, 0u);
  EXPECT_EQ(os::Lstat(dir_ / "t/l")->st_gid, 2000u);
  EXPECT_EQ(os::Lstat(dir_ / "outside")->st_gid, 0u);
  EXPECT_EQ(ModeOf(dir_ / "outside"), 0600u);
}

TEST_F(EmptyDirTest, ROOT_RealTmpfs) {
  const VolumeRequest request = WithSource("{medium: Memory, sizeLimit: 8Mi}");
  const bool ran = os::RunWithPrivateMounts([&] {
    const std::unique_ptr<Mounter> mounter = CreateMounter();
    ASSERT_TRUE(SetUpEmptyDirVolume(request, *mounter).ok());
    const std::vector<os::MountInfo> table = *os::ReadMountTable();
    const os::MountInfo* mount = os::FindMount(table, request.directory);
    ASSERT_NE(mount, nullptr);
    EXPECT_EQ(mount->type, "tmpfs");
    EXPECT_EQ(mount->Option("size"), "8192k");
    EXPECT_EQ(ModeOf(request.directory), 01777u);
    ASSERT_TRUE(os::WriteFileAtomic(request.directory + "/f", "x", 0600).ok());
    ASSERT_TRUE(SetUpEmptyDirVolume(request, *mounter).ok());
    EXPECT_EQ(mounter->MountPointsUnder(dir_.path())->size(), 1u);
    EXPECT_EQ(*os::ReadFile(request.directory + "/f"), "x");
    EXPECT_TRUE(Down(request, *mounter).ok());
    EXPECT_TRUE(mounter->MountPointsUnder(dir_.path())->empty());
    EXPECT_FALSE(*os::Exists(request.directory));
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

TEST_F(EmptyDirTest, ROOT_RealHugePagesOfAnotherSizeAreAnError) {
  const std::string pages =
      "  containers: [{name: a, resources: {requests: {hugepages-2Mi: 4Mi, hugepages-1Gi: "
      "1Gi}}}]\n";
  const VolumeRequest request = WithSource("{medium: HugePages-2Mi}", pages);
  const VolumeRequest other = WithSource("{medium: HugePages-1Gi}", pages);
  const bool ran = os::RunWithPrivateMounts([&] {
    if (!*os::Exists("/sys/kernel/mm/hugepages/hugepages-2048kB")) return;
    const std::unique_ptr<Mounter> mounter = CreateMounter();
    const absl::Status status = SetUpEmptyDirVolume(request, *mounter);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(SetUpEmptyDirVolume(request, *mounter).ok());
    EXPECT_EQ(Message(SetUpEmptyDirVolume(other, *mounter)),
              StrCat("pod web: mounted dir ", request.directory,
                     " pagesize '2Mi' and requested medium size '1Gi' differ"));
    EXPECT_TRUE(Down(request, *mounter).ok());
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

}  // namespace
}  // namespace cubelet::volumes
