#include "os/tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/mounts.h"
#include "os/test_support.h"

namespace cubelet::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TreeTest : public testing::Test {
 protected:
  ~TreeTest() override { SetFaultHookForTest({}); }
  void Make(const std::string& name, const std::string& content = "x") {
    ASSERT_TRUE(MakeDirectories(DirectoryOf(dir_ / name), 0755).ok());
    ASSERT_TRUE(WriteFileAtomic(dir_ / name, content, 0644).ok());
  }
  bool Has(const std::string& name) { return *Exists(dir_ / name); }
  TemporaryDirectory dir_;
};

TEST_F(TreeTest, RemovesEverything) {
  Make("t/a/b/c");
  Make("t/a/d");
  Make("t/e");
  EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
  EXPECT_FALSE(Has("t"));
  EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "no/such/t").ok());
}

TEST_F(TreeTest, RemovesAFileAndALinkItself) {
  Make("f");
  Make("kept/x");
  ASSERT_TRUE(SymlinkAtomic(dir_ / "kept", dir_ / "l").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "f").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "l").ok());
  EXPECT_FALSE(Has("f"));
  EXPECT_FALSE(Has("l"));
  EXPECT_TRUE(Has("kept/x"));
}

TEST_F(TreeTest, NeverFollowsALink) {
  Make("kept/x");
  Make("t/a");
  ASSERT_TRUE(SymlinkAtomic(dir_ / "kept", dir_ / "t/l").ok());
  ASSERT_TRUE(SymlinkAtomic("../kept/x", dir_ / "t/m").ok());
  EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
  EXPECT_TRUE(Has("kept/x"));
}

// The directory is swapped for a link between being seen and being opened.
TEST_F(TreeTest, NeverFollowsALinkSwappedIn) {
  Make("kept/x");
  Make("t/sub/y");
  SetFaultHookForTest([&](std::string_view operation, std::string_view path) {
    // The last look at it before it is opened is the second one.
    static int looks = 0;
    if (operation == "stat" && path == dir_ / "t/sub" && ++looks == 2) {
      EXPECT_EQ(::rename((dir_ / "t/sub").c_str(), (dir_ / "moved").c_str()), 0);
      EXPECT_EQ(::symlink((dir_ / "kept").c_str(), (dir_ / "t/sub").c_str()), 0);
    }
    return 0;
  });
  EXPECT_FALSE(RemoveTree(dir_ / "t").ok());
  SetFaultHookForTest({});
  EXPECT_TRUE(Has("kept/x"));
  EXPECT_TRUE(Has("moved/y"));
}

// A directory moved away while the walk is inside it does not lead the walk out of the tree.
TEST_F(TreeTest, StopsWhenMovedAway) {
  Make("other/kept");
  Make("t/sub/y");
  Make("t/z/a");
  SetFaultHookForTest([&](std::string_view operation, std::string_view path) {
    if (operation == "unlink" && path == dir_ / "t/sub/y") {
      EXPECT_EQ(::rename((dir_ / "t/sub").c_str(), (dir_ / "other/sub").c_str()), 0);
    }
    return 0;
  });
  EXPECT_TRUE(absl::IsAborted(RemoveTree(dir_ / "t")));
  SetFaultHookForTest({});
  EXPECT_TRUE(Has("other/kept"));
  EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
}

TEST_F(TreeTest, DepthNeedsNoDescriptors) {
  // Deeper than a path can be long and than there may be open files.
  constexpr int kDepth = 1200;
  std::string at = dir_ / "t";
  ASSERT_EQ(::mkdir(at.c_str(), 0755), 0);
  int fd = ::open(at.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(fd, "deep", 0755), 0);
    const int next = ::openat(fd, "deep", O_RDONLY | O_DIRECTORY);
    ::close(fd);
    fd = next;
  }
  ::close(fd);
  EXPECT_EQ(MeasureTree(dir_ / "t")->inodes, kDepth + 1);
  EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
  EXPECT_FALSE(Has("t"));
}

TEST_F(TreeTest, RemoveGoesOnAfterAnError) {
  Make("t/a/x");
  Make("t/b/y");
  SetFaultHookForTest([&](std::string_view operation, std::string_view path) {
    return operation == "unlink" && path == dir_ / "t/a/x" ? EIO : 0;
  });
  const absl::Status status = RemoveTree(dir_ / "t");
  EXPECT_THAT(Message(status), HasSubstr("unlink " + dir_ / "t/a/x"));
  EXPECT_FALSE(Has("t/b"));
  EXPECT_TRUE(Has("t/a/x"));
}

TEST_F(TreeTest, RemoveEmptyTreeTakesNoFile) {
  Make("t/a/x");
  ASSERT_TRUE(MakeDirectories(dir_ / "t/b/c", 0755).ok());
  EXPECT_THAT(Message(RemoveEmptyTree(dir_ / "t")), HasSubstr("t/a/x is still there"));
  EXPECT_TRUE(Has("t/a/x"));
  EXPECT_FALSE(Has("t/b"));
  ASSERT_TRUE(RemoveFile(dir_ / "t/a/x").ok());
  EXPECT_TRUE(RemoveEmptyTree(dir_ / "t").ok());
}

TEST_F(TreeTest, RefusesPathsThatAreNoTree) {
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveTree("/")));
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveTree("relative")));
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveTree("/tmp/..")));
  EXPECT_FALSE(RemoveTree("").ok());
}

TEST_F(TreeTest, MeasuresHardLinksOnce) {
  Make("t/a", std::string(100'000, 'x'));
  const DiskUsage one = *MeasureTree(dir_ / "t");
  EXPECT_GE(one.bytes, 100'000);
  EXPECT_EQ(one.inodes, 2);
  ASSERT_EQ(::link((dir_ / "t/a").c_str(), (dir_ / "t/b").c_str()), 0);
  EXPECT_EQ(MeasureTree(dir_ / "t")->bytes, one.bytes);
  EXPECT_EQ(MeasureTree(dir_ / "t")->inodes, 2);
  EXPECT_EQ(MeasureTree(dir_ / "none")->inodes, 0);
}

TEST_F(TreeTest, WalkIsDeepestFirst) {
  Make("t/a/x");
  std::vector<std::string> seen;
  const auto visit = [&](const TreeEntry& entry, std::string_view path) {
    seen.push_back(std::string(path.substr(dir_.path().size())));
    EXPECT_EQ(BaseName(path), entry.name);
    return absl::OkStatus();
  };
  EXPECT_TRUE(WalkTree(dir_ / "t", MountsInside::kFail, visit).ok());
  EXPECT_THAT(seen, ElementsAre("/t/a/x", "/t/a", "/t"));
}

TEST_F(TreeTest, ChangesModeButNotThroughLinks) {
  Make("t/a");
  Make("kept");
  ASSERT_TRUE(SymlinkAtomic("../kept", dir_ / "t/l").ok());
  const auto visit = [](const TreeEntry& entry, std::string_view) {
    return ChangeOwnerAndMode(entry, static_cast<uid_t>(-1), static_cast<gid_t>(-1), 0777);
  };
  EXPECT_TRUE(WalkTree(dir_ / "t", MountsInside::kFail, visit).ok());
  EXPECT_EQ(Lstat(dir_ / "t/a")->st_mode & 07777, 0777u);
  EXPECT_EQ(Lstat(dir_ / "kept")->st_mode & 07777, 0644u);
}

TEST_F(TreeTest, ROOT_RemovalNeverCrossesABindMount) {
  Make("kept/x");
  Make("t/a/y");
  Make("t/file");
  ASSERT_TRUE(MakeDirectories(dir_ / "t/mounted", 0755).ok());
  const bool ran = RunWithPrivateMounts([&] {
    // The same file system, so the device numbers do not tell.
    const absl::StatusOr<UniqueFd> kept = Open(dir_ / "kept", O_PATH);
    const absl::StatusOr<UniqueFd> file = Open(dir_ / "kept/x", O_PATH);
    ASSERT_TRUE(BindMount(kept->get(), dir_ / "t/mounted").ok());
    ASSERT_TRUE(BindMount(file->get(), dir_ / "t/file").ok());
    const absl::Status status = RemoveTree(dir_ / "t");
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(Message(status), HasSubstr("is a mount point"));
    EXPECT_TRUE(Has("kept/x"));
    EXPECT_FALSE(Has("t/a"));
    EXPECT_FALSE(RemoveTree(dir_ / "t/mounted").ok());
    EXPECT_FALSE(RemoveEmptyTree(dir_ / "t/mounted").ok());
    EXPECT_TRUE(Has("kept/x"));
    EXPECT_EQ(MeasureTree(dir_ / "t")->inodes, 1);
    EXPECT_TRUE(Unmount(dir_ / "t/mounted").ok());
    EXPECT_TRUE(Unmount(dir_ / "t/file").ok());
    EXPECT_TRUE(RemoveTree(dir_ / "t").ok());
    EXPECT_TRUE(Has("kept/x"));
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

}  // namespace
}  // namespace cubelet::os
