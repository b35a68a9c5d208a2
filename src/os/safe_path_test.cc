#include "os/safe_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/files.h"
#include "os/test_support.h"

namespace cubelet::os {
namespace {

using testing::HasSubstr;

using Opener = absl::StatusOr<UniqueFd> (*)(int, std::string_view, int, Links);

// Both ways of resolving give the same answers.
class SafePathTest : public testing::TestWithParam<Opener> {
 protected:
  SafePathTest() {
    EXPECT_TRUE(MakeDirectories(dir_ / "root/a/b", 0755).ok());
    EXPECT_TRUE(WriteFileAtomic(dir_ / "root/a/file", "inside", 0644).ok());
    EXPECT_TRUE(WriteFileAtomic(dir_ / "secret", "outside", 0644).ok());
    EXPECT_TRUE(SymlinkAtomic("a/file", dir_ / "root/good").ok());
    EXPECT_TRUE(SymlinkAtomic("../a/file", dir_ / "root/a/dotdot").ok());
    EXPECT_TRUE(SymlinkAtomic("../secret", dir_ / "root/out").ok());
    EXPECT_TRUE(SymlinkAtomic(dir_ / "secret", dir_ / "root/absolute").ok());
    EXPECT_TRUE(SymlinkAtomic("/a/file", dir_ / "root/from_root").ok());
    EXPECT_TRUE(SymlinkAtomic("loop", dir_ / "root/loop").ok());
    EXPECT_TRUE(SymlinkAtomic("a", dir_ / "root/dirlink").ok());
    root_ = *Open(dir_ / "root", O_PATH | O_DIRECTORY);
  }
  // The content of what `path` leads to, or the error's words.
  std::string Read(std::string_view path, Links links, int flags = O_RDONLY) {
    const absl::StatusOr<UniqueFd> fd = GetParam()(root_.get(), path, flags, links);
    if (!fd.ok()) return std::string(Message(fd.status()));
    return ReadAll(fd->get(), 100, "it").value_or("unreadable");
  }
  TemporaryDirectory dir_;
  UniqueFd root_;
};

TEST_P(SafePathTest, FollowsLinksInside) {
  EXPECT_EQ(Read("a/file", Links::kInside), "inside");
  EXPECT_EQ(Read("/a//./file", Links::kInside), "inside");
  EXPECT_EQ(Read("good", Links::kInside), "inside");
  EXPECT_EQ(Read("a/dotdot", Links::kInside), "inside");
  EXPECT_EQ(Read("dirlink/../a/file", Links::kInside), "inside");
  EXPECT_EQ(Read("a/b/../file", Links::kInside), "inside");
}

TEST_P(SafePathTest, NothingLeadsOut) {
  const auto leads_out = HasSubstr("leads out of the directory");
  EXPECT_THAT(Read("out", Links::kInside), leads_out);
  EXPECT_THAT(Read("../secret", Links::kInside), leads_out);
  EXPECT_THAT(Read("a/../../secret", Links::kInside), leads_out);
  EXPECT_THAT(Read("absolute", Links::kInside), leads_out);
  EXPECT_THAT(Read("from_root", Links::kInside), leads_out);
  EXPECT_THAT(Read("loop", Links::kInside), HasSubstr("Too many levels of symbolic links"));
}

TEST_P(SafePathTest, AsRootTurnsLinksInwards) {
  EXPECT_EQ(Read("from_root", Links::kAsRoot), "inside");
  EXPECT_EQ(Read("../../a/file", Links::kAsRoot), "inside");
  EXPECT_THAT(Read("out", Links::kAsRoot), HasSubstr("No such file"));
  EXPECT_THAT(Read("absolute", Links::kAsRoot), HasSubstr("No such file"));
}

TEST_P(SafePathTest, NoLinksMeansNone) {
  EXPECT_EQ(Read("a/file", Links::kNone), "inside");
  EXPECT_THAT(Read("good", Links::kNone), HasSubstr("symbolic links"));
  EXPECT_THAT(Read("dirlink/file", Links::kNone), HasSubstr("symbolic links"));
}

TEST_P(SafePathTest, TellsWhatIsMissingOrNoDirectory) {
  EXPECT_TRUE(
      absl::IsNotFound(GetParam()(root_.get(), "a/none/x", O_PATH, Links::kInside).status()));
  EXPECT_FALSE(GetParam()(root_.get(), "a/file/x", O_PATH, Links::kInside).ok());
  EXPECT_FALSE(GetParam()(root_.get(), "a/file", O_PATH | O_DIRECTORY, Links::kInside).ok());
  EXPECT_TRUE(GetParam()(root_.get(), "a", O_PATH | O_DIRECTORY, Links::kInside).ok());
  EXPECT_TRUE(GetParam()(root_.get(), "", O_PATH, Links::kInside).ok());
}

INSTANTIATE_TEST_SUITE_P(Ways, SafePathTest,
                         testing::Values(&OpenBelow, &internal::OpenBelowByComponents),
                         [](const auto& info) {
                           return std::string(info.index == 0 ? "Openat2" : "ByComponents");
                         });

class MakeBelowTest : public testing::Test {
 protected:
  TemporaryDirectory dir_;
  UniqueFd root_ = *Open(dir_.path(), O_PATH | O_DIRECTORY);
};

TEST_F(MakeBelowTest, MakesWhatIsMissingWithExactMode) {
  ASSERT_TRUE(MakeDirectories(dir_ / "a", 0700).ok());
  EXPECT_TRUE(MakeDirectoriesBelow(root_.get(), "a/b/c", 02777).ok());
  EXPECT_EQ(Lstat(dir_ / "a")->st_mode & 07777, 0700u);
  EXPECT_EQ(Lstat(dir_ / "a/b")->st_mode & 07777, 02777u);
  EXPECT_EQ(Lstat(dir_ / "a/b/c")->st_mode & 07777, 02777u);
  EXPECT_TRUE(MakeDirectoriesBelow(root_.get(), "a/b/c", 0755).ok());
  EXPECT_EQ(Lstat(dir_ / "a/b/c")->st_mode & 07777, 02777u);
}

TEST_F(MakeBelowTest, StaysInside) {
  TemporaryDirectory other;
  ASSERT_TRUE(SymlinkAtomic(other.path(), dir_ / "out").ok());
  EXPECT_THAT(Message(MakeDirectoriesBelow(root_.get(), "out/x", 0755).status()),
              HasSubstr("leads out of the directory"));
  EXPECT_FALSE(*Exists(other / "x"));
  ASSERT_TRUE(SymlinkAtomic("nowhere", dir_ / "dangling").ok());
  EXPECT_FALSE(MakeDirectoriesBelow(root_.get(), "dangling/x", 0755).ok());
  EXPECT_FALSE(*Exists(dir_ / "nowhere"));
  EXPECT_FALSE(MakeDirectoriesBelow(root_.get(), "../x", 0755).ok());
  ASSERT_TRUE(CreateFile(dir_ / "f", 0644).ok());
  EXPECT_FALSE(MakeDirectoriesBelow(root_.get(), "f/x", 0755).ok());
}

}  // namespace
}  // namespace cubelet::os
