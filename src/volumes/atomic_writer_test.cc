#include "volumes/atomic_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/fault.h"
#include "os/files.h"
#include "os/test_support.h"

namespace cubelet::volumes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

const absl::Time kNow = absl::FromUnixSeconds(1795479201);  // 2026-11-24 00:13:21 UTC

class AtomicWriterTest : public testing::Test {
 protected:
  ~AtomicWriterTest() override { os::SetFaultHookForTest({}); }
  absl::Status Write(const Payload& payload, absl::Time now = kNow) {
    return WriteAtomically(dir_.path(), payload, now, [] { return absl::OkStatus(); });
  }
  std::string Read(const std::string& name) {
    return os::ReadFile(dir_ / name).value_or("unreadable");
  }
  std::string Version() { return os::ReadLink(dir_ / "..data").value_or(""); }
  std::vector<std::string> Names() { return *os::ListDirectory(dir_.path()); }
  mode_t ModeOf(const std::string& name) { return os::Stat(dir_ / name)->st_mode & 07777; }
  os::TemporaryDirectory dir_;
};

TEST_F(AtomicWriterTest, LaysFilesOutBehindLinks) {
  ASSERT_TRUE(Write({{"a", {"one", 0400}}, {"sub/dir/b", {"two", 0666}}}).ok());
  EXPECT_THAT(Version(), MatchesRegex(R"(\.\.2026_11_24_00_13_21\.[0-9]+)"));
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "a", "sub"));
  EXPECT_EQ(*os::ReadLink(dir_ / "a"), "..data/a");
  EXPECT_EQ(*os::ReadLink(dir_ / "sub"), "..data/sub");
  EXPECT_EQ(Read("a"), "one");
  EXPECT_EQ(Read("sub/dir/b"), "two");
  EXPECT_EQ(ModeOf("a"), 0400u);
  EXPECT_EQ(ModeOf("sub/dir/b"), 0666u);
  EXPECT_EQ(ModeOf(Version()), 0755u);
}

TEST_F(AtomicWriterTest, SwitchesWhenContentsDiffer) {
  ASSERT_TRUE(Write({{"a", {"one"}}, {"b", {"x"}}}).ok());
  const std::string before = Version();
  // A reader that is at it keeps the old version.
  const UniqueFd reader = *os::Open(dir_ / "..data", O_PATH | O_DIRECTORY);
  ASSERT_TRUE(Write({{"a", {"two"}}, {"c/d", {"y"}}}).ok());
  EXPECT_NE(Version(), before);
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "a", "c"));
  EXPECT_EQ(Read("a"), "two");
  EXPECT_EQ(Read("c/d"), "y");
}

TEST_F(AtomicWriterTest, KeepsTheVersionWhenNothingDiffers) {
  const Payload payload = {{"a", {"one"}}, {"b/c", {"x"}}};
  ASSERT_TRUE(Write(payload).ok());
  const std::string before = Version();
  ASSERT_TRUE(Write(payload, kNow + absl::Hours(1)).ok());
  EXPECT_EQ(Version(), before);
  // Modes alone make no difference, a lost link is restored.
  ASSERT_TRUE(os::RemoveFile(dir_ / "a").ok());
  ASSERT_TRUE(Write({{"a", {"one", 0600}}, {"b/c", {"x"}}}).ok());
  EXPECT_EQ(Version(), before);
  EXPECT_EQ(Read("a"), "one");
  EXPECT_EQ(ModeOf("a"), 0644u);
}

TEST_F(AtomicWriterTest, SeesAddedAndRemovedPaths) {
  ASSERT_TRUE(Write({{"a", {"one"}}, {"d/x", {"1"}}, {"d/y", {"2"}}}).ok());
  const std::string before = Version();
  ASSERT_TRUE(Write({{"a", {"one"}}, {"d/x", {"1"}}}).ok());
  EXPECT_NE(Version(), before);
  EXPECT_FALSE(*os::Exists(dir_ / "d/y"));
  ASSERT_TRUE(Write({}).ok());
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data"));
}

TEST_F(AtomicWriterTest, LeavesDirectoriesOfOthersAlone) {
  ASSERT_TRUE(os::MakeDirectories(dir_ / "nested/mount", 0755).ok());
  ASSERT_TRUE(Write({{"a", {"one"}}}).ok());
  ASSERT_TRUE(Write({{"b", {"one"}}}).ok());
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "b", "nested"));
}

TEST_F(AtomicWriterTest, OwnersAreSetBeforeTheSwitch) {
  ASSERT_TRUE(Write({{"a", {"one"}}}).ok());
  const auto check = [&] {
    EXPECT_EQ(Read("a"), "one");
    return absl::InternalError("stop here");
  };
  EXPECT_FALSE(WriteAtomically(dir_.path(), {{"a", {"two"}}}, kNow, check).ok());
  EXPECT_EQ(Read("a"), "one");
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "a"));
}

// Whatever step fails, readers have the old or the new content, and the next call completes it.
TEST_F(AtomicWriterTest, FaultsLeaveOldOrNewAndAreCleanedUp) {
  const Payload old_payload = {{"a", {"old"}}, {"gone/x", {"old"}}};
  const Payload new_payload = {{"a", {"new"}}, {"come/y", {"new"}}};
  int failures = 0;
  for (int failing = 1;; ++failing) {
    ASSERT_TRUE(Write(old_payload).ok());
    int step = 0;
    os::SetFaultHookForTest(
        [&](std::string_view, std::string_view) { return ++step == failing ? ENOSPC : 0; });
    const absl::Status status = Write(new_payload);
    os::SetFaultHookForTest({});
    EXPECT_THAT(Read("a"), testing::AnyOf("old", "new"));
    if (Read("a") == "old") EXPECT_EQ(Read("gone/x"), "old");
    failures += status.ok() ? 0 : 1;
    ASSERT_TRUE(Write(new_payload).ok()) << failing;
    EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "a", "come")) << failing;
    EXPECT_EQ(Read("come/y"), "new");
    if (step < failing) break;
  }
  EXPECT_GT(failures, 10);
}

TEST_F(AtomicWriterTest, WhatACrashLeftIsRemoved) {
  ASSERT_TRUE(Write({{"a", {"one"}}}).ok());
  ASSERT_TRUE(os::MakeDirectories(dir_ / "..2020_01_01_00_00_00.1/x", 0755).ok());
  ASSERT_TRUE(os::Symlink("..2020_01_01_00_00_00.1", dir_ / "..data_tmp").ok());
  ASSERT_TRUE(os::Symlink("..data/stale", dir_ / "stale").ok());
  ASSERT_TRUE(Write({{"a", {"one"}}}).ok());
  EXPECT_THAT(Names(), ElementsAre(Version(), "..data", "a"));
}

// A data link that leads elsewhere is not believed.
TEST_F(AtomicWriterTest, ReplacesADataLinkThatIsNotOurs) {
  os::TemporaryDirectory other;
  ASSERT_TRUE(os::WriteFileAtomic(other / "a", "one", 0644).ok());
  ASSERT_TRUE(os::Symlink(other.path(), dir_ / "..data").ok());
  ASSERT_TRUE(Write({{"a", {"one"}}}).ok());
  EXPECT_THAT(Version(), testing::StartsWith("..2026"));
  EXPECT_TRUE(*os::Exists(other / "a"));
}

TEST_F(AtomicWriterTest, ROOT_OwnerIsGivenFileAndLink) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(Write({{"token", {"secret", 0600, 1234}}, {"open", {"x"}}}).ok());
  EXPECT_EQ(os::Stat(dir_ / "token")->st_uid, 1234u);
  EXPECT_EQ(os::Lstat(dir_ / "token")->st_uid, 1234u);
  EXPECT_EQ(os::Stat(dir_ / "open")->st_uid, 0u);
}

TEST(CleanPayload, WordsItsErrors) {
  const auto error = [](const std::string& path) {
    return std::string(Message(CleanPayload({{path, {}}}).status()));
  };
  EXPECT_EQ(error(""), "invalid path: must not be empty: \"\"");
  EXPECT_EQ(error("/a"), "invalid path: must be relative path: /a");
  EXPECT_EQ(error(std::string(4097, 'a')),
            "invalid path: must be less than or equal to 4096 characters");
  EXPECT_EQ(error(std::string(256, 'a')),
            "invalid path: filenames must be less than or equal to 255 characters");
  EXPECT_EQ(error("a/../b"), "invalid path: must not contain '..': a/../b");
  EXPECT_EQ(error("..a"), "invalid path: must not start with '..': ..a");
  EXPECT_THAT(error("."), HasSubstr("invalid path"));
  EXPECT_EQ(CleanPayload({{"a//./b/", {}}})->begin()->first, "a/b");
  EXPECT_EQ(CleanPayload({{"a..b", {}}})->size(), 1u);
}

}  // namespace
}  // namespace cubelet::volumes
