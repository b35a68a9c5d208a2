#include "volumes/sub_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/mounts.h"
#include "os/test_support.h"
#include "volumes/fake_mounter.h"

namespace cubelet::volumes {
namespace {

using testing::HasSubstr;

// Real mounts, with a hand that does something just before one is made.
class MeddlingMounter final : public FakeMounter {
 public:
  absl::Status BindFd(int source_fd, const std::string& target) override {
    if (before_bind) before_bind();
    return real_->BindFd(source_fd, target);
  }
  absl::Status Unmount(const std::string& target) override { return real_->Unmount(target); }
  absl::StatusOr<bool> IsMountPoint(const std::string& path) const override {
    return real_->IsMountPoint(path);
  }
  std::function<void()> before_bind;

 private:
  std::unique_ptr<Mounter> real_ = CreateMounter();
};

class SubPathTest : public testing::Test {
 protected:
  SubPathTest() {
    EXPECT_TRUE(os::MakeDirectories(dir_ / "volume/a", 0755).ok());
    EXPECT_TRUE(os::WriteFileAtomic(dir_ / "volume/a/f", "inside", 0644).ok());
    EXPECT_TRUE(os::MakeDirectories(dir_ / "outside", 0755).ok());
    EXPECT_TRUE(os::WriteFileAtomic(dir_ / "outside/f", "secret", 0644).ok());
  }
  ~SubPathTest() override { os::SetFaultHookForTest({}); }
  SubPathRequest Request(const std::string& sub_path) {
    return {.volume = dir_ / "volume",
            .sub_path = sub_path,
            .pod_sub_paths = dir_ / "volume-subpaths",
            .target = dir_ / "volume-subpaths/v/c/0"};
  }
  std::string Target() { return dir_ / "volume-subpaths/v/c/0"; }
  os::TemporaryDirectory dir_;
  FakeMounter fake_;
};

TEST(CheckSubPath, WordsItsErrors) {
  EXPECT_TRUE(CheckSubPath("a/b").ok());
  EXPECT_TRUE(CheckSubPath("a..b").ok());
  EXPECT_EQ(Message(CheckSubPath("/a")), "error SubPath `/a` must not be an absolute path");
  EXPECT_EQ(Message(CheckSubPath("a/../b")),
            "unable to provision SubPath `a/../b`: must not contain '..'");
}

TEST_F(SubPathTest, TargetIsOfTheSameKind) {
  ASSERT_EQ(*BindSubPath(Request("a"), fake_), Target());
  EXPECT_TRUE(S_ISDIR(os::Lstat(Target())->st_mode));
  EXPECT_EQ(os::Lstat(Target())->st_mode & 07777, 0750u);
  EXPECT_EQ(os::Lstat(dir_ / "volume-subpaths")->st_mode & 07777, 0750u);
  ASSERT_TRUE(fake_.Unmount(Target()).ok());
  ASSERT_EQ(*BindSubPath(Request("a/f"), fake_), Target());
  EXPECT_TRUE(S_ISREG(os::Lstat(Target())->st_mode));
  EXPECT_EQ(os::Lstat(Target())->st_mode & 07777, 0640u);
}

TEST_F(SubPathTest, MissingDirectoryIsMadeWithTheVolumesMode) {
  ASSERT_TRUE(os::ChangeMode(dir_ / "volume", 03775).ok());
  ASSERT_TRUE(BindSubPath(Request("new/deep"), fake_).ok());
  EXPECT_EQ(os::Lstat(dir_ / "volume/new/deep")->st_mode & 07777, 03775u);
}

TEST_F(SubPathTest, FailureToMakeItIsTold) {
  const absl::Status status = BindSubPath(Request("a/f/below"), fake_).status();
  EXPECT_FALSE(status.ok());
  os::SetFaultHookForTest([](std::string_view operation, std::string_view) {
    return operation == "mkdir" ? ENOSPC : 0;
  });
  const absl::Status full = BindSubPath(Request("new"), fake_).status();
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_TRUE(IsSubPathCreationError(full));
  EXPECT_FALSE(IsSubPathCreationError(status));
}

TEST_F(SubPathTest, LinksOutAreRefused) {
  ASSERT_TRUE(os::Symlink("../outside", dir_ / "volume/relative").ok());
  ASSERT_TRUE(os::Symlink(dir_ / "outside", dir_ / "volume/absolute").ok());
  ASSERT_TRUE(os::Symlink("/etc", dir_ / "volume/etc").ok());
  ASSERT_TRUE(os::Symlink(dir_ / "outside/none", dir_ / "volume/dangling").ok());
  for (const char* path : {"relative", "absolute", "etc/passwd", "absolute/f"}) {
    EXPECT_THAT(Message(BindSubPath(Request(path), fake_).status()),
                HasSubstr("not within volume path"))
        << path;
  }
  EXPECT_FALSE(BindSubPath(Request("dangling"), fake_).ok());
  EXPECT_FALSE(BindSubPath(Request("dangling/x"), fake_).ok());
  EXPECT_FALSE(*os::Exists(dir_ / "outside/none"));
  EXPECT_TRUE(fake_.mounts().empty());
}

TEST_F(SubPathTest, AbsoluteLinkIntoTheVolumeIsFollowed) {
  ASSERT_TRUE(os::Symlink(dir_ / "volume/a", dir_ / "volume/absolute").ok());
  EXPECT_TRUE(BindSubPath(Request("absolute/f"), fake_).ok());
}

// An absolute link is resolved by name; what was resolved may be a link by the time it is opened.
TEST_F(SubPathTest, SwapAfterResolvingIsNoticed) {
  ASSERT_TRUE(os::Symlink(dir_ / "volume/a", dir_ / "volume/absolute").ok());
  os::SetFaultHookForTest([&](std::string_view operation, std::string_view path) {
    if (operation == "open" && path == "/a/f") {
      EXPECT_TRUE(os::Rename(dir_ / "volume/a", dir_ / "volume/b").ok());
      EXPECT_TRUE(os::Symlink(dir_ / "outside", dir_ / "volume/a").ok());
    }
    return 0;
  });
  EXPECT_THAT(Message(BindSubPath(Request("absolute/f"), fake_).status()),
              HasSubstr("symbolic links"));
  EXPECT_TRUE(fake_.mounts().empty());
}

TEST_F(SubPathTest, MissingVolumeIsTold) {
  SubPathRequest request = Request("a");
  request.volume = dir_ / "none";
  EXPECT_TRUE(absl::IsNotFound(BindSubPath(request, fake_).status()));
}

// The attack: the pod swaps its directory for a link to /etc between the check and the mount.
TEST_F(SubPathTest, ROOT_LinkSwappedInBeforeTheMountChangesNothing) {
  const bool ran = os::RunWithPrivateMounts([&] {
    MeddlingMounter mounter;
    mounter.before_bind = [&] {
      EXPECT_TRUE(os::Rename(dir_ / "volume/a", dir_ / "volume/b").ok());
      EXPECT_TRUE(os::Symlink("/etc", dir_ / "volume/a").ok());
    };
    const absl::StatusOr<std::string> path = BindSubPath(Request("a"), mounter);
    ASSERT_TRUE(path.ok()) << path.status();
    EXPECT_EQ(*os::ReadFile(*path + "/f"), "inside");
    EXPECT_FALSE(*os::Exists(*path + "/passwd"));
    // From now on the link is seen for what it is.
    mounter.before_bind = {};
    ASSERT_TRUE(mounter.Unmount(*path).ok());
    EXPECT_FALSE(BindSubPath(Request("a"), mounter).ok());
    EXPECT_FALSE(*mounter.IsMountPoint(*path));
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

TEST_F(SubPathTest, ROOT_SameFileIsReusedAnotherReplaced) {
  const bool ran = os::RunWithPrivateMounts([&] {
    MeddlingMounter mounter;
    int binds = 0;
    mounter.before_bind = [&] { ++binds; };
    ASSERT_TRUE(BindSubPath(Request("a"), mounter).ok());
    ASSERT_TRUE(BindSubPath(Request("a"), mounter).ok());
    EXPECT_EQ(binds, 1);
    ASSERT_TRUE(BindSubPath(Request("a/f"), mounter).ok());
    EXPECT_EQ(binds, 2);
    EXPECT_EQ(*os::ReadFile(Target()), "inside");
    EXPECT_EQ(os::MountPointsUnder(*os::ReadMountTable(), dir_.path()).size(), 1u);
    EXPECT_TRUE(mounter.Unmount(Target()).ok());
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

}  // namespace
}  // namespace cubelet::volumes
