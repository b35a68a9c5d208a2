#include "os/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "os/fault.h"
#include "os/inotify.h"
#include "os/test_support.h"

namespace cubelet::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class FilesTest : public testing::Test {
 protected:
  ~FilesTest() override { SetFaultHookForTest({}); }
  mode_t ModeOf(const std::string& path) { return Lstat(path)->st_mode & 07777; }
  TemporaryDirectory dir_;
};

TEST(Names, AreTakenApart) {
  EXPECT_EQ(DirectoryOf("/a/b"), "/a");
  EXPECT_EQ(DirectoryOf("/a/b/"), "/a");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("/"), "/");
  EXPECT_EQ(DirectoryOf("a"), ".");
  EXPECT_EQ(BaseName("/a/b/"), "b");
  EXPECT_EQ(BaseName("/"), "/");
  EXPECT_EQ(BaseName("a"), "a");
  EXPECT_EQ(JoinPath("/a/", "b"), "/a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
}

TEST_F(FilesTest, AtomicWriteGivesContentAndExactMode) {
  const mode_t before = ::umask(077);
  EXPECT_TRUE(WriteFileAtomic(dir_ / "f", "one", 0666).ok());
  ::umask(before);
  EXPECT_EQ(*ReadFile(dir_ / "f"), "one");
  EXPECT_EQ(ModeOf(dir_ / "f"), 0666u);
  EXPECT_TRUE(WriteFileAtomic(dir_ / "f", "", 0600).ok());
  EXPECT_EQ(*ReadFile(dir_ / "f"), "");
  EXPECT_EQ(ModeOf(dir_ / "f"), 0600u);
  EXPECT_THAT(*ListDirectory(dir_.path()), ElementsAre("f"));
}

TEST_F(FilesTest, AtomicWriteReplacesALinkAndLeavesItsTarget) {
  ASSERT_TRUE(WriteFileAtomic(dir_ / "target", "kept", 0644).ok());
  ASSERT_TRUE(SymlinkAtomic("target", dir_ / "f").ok());
  ASSERT_TRUE(WriteFileAtomic(dir_ / "f", "new", 0644).ok());
  EXPECT_EQ(*ReadFile(dir_ / "target"), "kept");
  EXPECT_EQ(*ReadFile(dir_ / "f"), "new");
}

// Every step of an atomic write fails once: the file holds the old content, or the new one where
// only the last sync failed, and nothing is left beside it.
TEST_F(FilesTest, AtomicWriteUnderFaultsLeavesOldOrNew) {
  int steps = 0;
  SetFaultHookForTest([&](std::string_view, std::string_view) { return ++steps, 0; });
  ASSERT_TRUE(WriteFileAtomic(dir_ / "f", "old", 0644).ok());
  ASSERT_GE(steps, 6);  // open, write, chmod, sync, rename, sync of the directory
  for (int failing = 1; failing <= steps; ++failing) {
    SetFaultHookForTest({});
    ASSERT_TRUE(WriteFileAtomic(dir_ / "f", "old", 0644).ok());
    int step = 0;
    std::string failed;
    SetFaultHookForTest([&](std::string_view operation, std::string_view) {
      if (++step != failing) return 0;
      failed = operation;
      return failing % 2 == 0 ? ENOSPC : EIO;
    });
    const absl::Status status = WriteFileAtomic(dir_ / "f", "new content", 0644);
    SetFaultHookForTest({});
    EXPECT_FALSE(status.ok()) << failed;
    if (failing % 2 == 0) EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    const std::string content = *ReadFile(dir_ / "f");
    EXPECT_EQ(content, failing > 5 ? "new content" : "old") << failed;
    EXPECT_THAT(*ListDirectory(dir_.path()), ElementsAre("f")) << failed;
  }
}

TEST_F(FilesTest, LongNamesStillHaveATemporaryName) {
  const std::string name(255, 'n');
  EXPECT_TRUE(WriteFileAtomic(dir_ / name, "x", 0644).ok());
  EXPECT_EQ(*ReadFile(dir_ / name), "x");
}

TEST_F(FilesTest, ReadIsBoundedAndNeverWaits) {
  ASSERT_TRUE(WriteFileAtomic(dir_ / "f", std::string(100, 'x'), 0644).ok());
  EXPECT_EQ(ReadFile(dir_ / "f", 100)->size(), 100u);
  const absl::Status large = ReadFile(dir_ / "f", 99).status();
  EXPECT_TRUE(absl::IsInvalidArgument(large));
  EXPECT_THAT(Message(large), HasSubstr("larger than 99 bytes"));
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(Message(ReadFile(dir_ / "pipe").status()), HasSubstr("not a regular file"));
  EXPECT_FALSE(ReadFile(dir_.path()).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadFile(dir_ / "missing").status()));
  EXPECT_THAT(Message(ReadFile(dir_ / "missing").status()), StartsWith("open " + dir_.path()));
  EXPECT_FALSE(ReadFile("/proc/self/stat")->empty());
}

TEST_F(FilesTest, MakeDirectoriesMakesParentsAndKeepsWhatIs) {
  ASSERT_TRUE(MakeDirectories(dir_ / "a", 0700).ok());
  EXPECT_TRUE(MakeDirectories(dir_ / "a/b/c", 0750).ok());
  EXPECT_EQ(ModeOf(dir_ / "a"), 0700u);
  EXPECT_EQ(ModeOf(dir_ / "a/b"), 0750u);
  EXPECT_TRUE(MakeDirectories(dir_ / "a/b/c", 0755).ok());
  EXPECT_EQ(ModeOf(dir_ / "a/b/c"), 0750u);
  ASSERT_TRUE(CreateFile(dir_ / "f", 0640).ok());
  EXPECT_THAT(Message(MakeDirectories(dir_ / "f", 0755)), HasSubstr("Not a directory"));
  EXPECT_FALSE(MakeDirectories(dir_ / "f/g", 0755).ok());
}

TEST_F(FilesTest, CreateFileKeepsContent) {
  ASSERT_TRUE(CreateFile(dir_ / "f", 0666).ok());
  EXPECT_EQ(ModeOf(dir_ / "f"), 0666u);
  ASSERT_TRUE(WriteFileAtomic(dir_ / "f", "x", 0600).ok());
  EXPECT_TRUE(CreateFile(dir_ / "f", 0666).ok());
  EXPECT_EQ(*ReadFile(dir_ / "f"), "x");
}

TEST_F(FilesTest, RemovingWhatIsNotThereIsFine) {
  EXPECT_TRUE(RemoveFile(dir_ / "x").ok());
  EXPECT_TRUE(RemoveDirectory(dir_ / "x").ok());
  ASSERT_TRUE(MakeDirectories(dir_ / "d/e", 0755).ok());
  EXPECT_FALSE(RemoveDirectory(dir_ / "d").ok());
  EXPECT_FALSE(RemoveFile(dir_ / "d").ok());
  EXPECT_TRUE(RemoveDirectory(dir_ / "d/e").ok());
}

TEST_F(FilesTest, ExistsSeesDanglingLinks) {
  ASSERT_TRUE(SymlinkAtomic("nowhere", dir_ / "l").ok());
  EXPECT_TRUE(*Exists(dir_ / "l"));
  EXPECT_FALSE(*Exists(dir_ / "m"));
  ASSERT_TRUE(CreateFile(dir_ / "f", 0600).ok());
  EXPECT_FALSE(*Exists(dir_ / "f/below"));
  SetFaultHookForTest([](std::string_view, std::string_view) { return EIO; });
  EXPECT_FALSE(Exists(dir_ / "l").ok());
}

TEST_F(FilesTest, SymlinkAtomicSwitches) {
  ASSERT_TRUE(SymlinkAtomic("one", dir_ / "l").ok());
  ASSERT_TRUE(SymlinkAtomic("two", dir_ / "l").ok());
  EXPECT_EQ(*ReadLink(dir_ / "l"), "two");
  EXPECT_THAT(*ListDirectory(dir_.path()), ElementsAre("l"));
}

TEST_F(FilesTest, RandomNamesDiffer) {
  EXPECT_EQ(RandomHex(8).size(), 8u);
  EXPECT_EQ(RandomHex(7).size(), 7u);
  EXPECT_NE(RandomHex(16), RandomHex(16));
}

TEST_F(FilesTest, InotifyTellsOfNewAndRenamedFiles) {
  absl::StatusOr<Inotify> inotify = Inotify::Create();
  ASSERT_TRUE(inotify.ok()) << inotify.status();
  EXPECT_THAT(*inotify->ReadEvents(), IsEmpty());
  const absl::StatusOr<int> watch =
      inotify->Add(dir_.path(), IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
  ASSERT_TRUE(watch.ok());
  ASSERT_TRUE(CreateFile(dir_ / "a", 0600).ok());
  ASSERT_TRUE(Rename(dir_ / "a", dir_ / "b").ok());
  const std::vector<Inotify::Event> events = *inotify->ReadEvents();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].watch, *watch);
  EXPECT_EQ(events[0].mask, uint32_t{IN_CREATE});
  EXPECT_EQ(events[0].name, "a");
  EXPECT_EQ(events[1].mask, uint32_t{IN_MOVED_FROM});
  EXPECT_EQ(events[2].mask, uint32_t{IN_MOVED_TO});
  EXPECT_EQ(events[2].name, "b");
  EXPECT_EQ(events[1].cookie, events[2].cookie);
  EXPECT_TRUE(inotify->Remove(*watch).ok());
  EXPECT_EQ(inotify->ReadEvents()->at(0).mask, uint32_t{IN_IGNORED});
  EXPECT_TRUE(inotify->Remove(*watch).ok());
  EXPECT_TRUE(absl::IsNotFound(inotify->Add(dir_ / "missing", IN_CREATE).status()));
}

}  // namespace
}  // namespace cubelet::os
