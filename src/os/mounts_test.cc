#include "os/mounts.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "os/files.h"
#include "os/test_support.h"

namespace cubelet::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kTable[] =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
    "30 22 0:40 / /p rw shared:7 master:2 - tmpfs tmpfs rw,size=8192k\n"
    "31 30 254:0 /srv/my\\040data /p/with\\040blank ro,nosuid - ext4 /dev/vda rw\n"
    "32 22 0:41 / /px rw - hugetlbfs nodev rw,pagesize=2M\n"
    "33 30 0:42 / /p rw - tmpfs over rw\n";

TEST(MountTable, IsParsed) {
  const absl::StatusOr<std::vector<MountInfo>> table = ParseMountTable(kTable);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->size(), 5u);
  EXPECT_EQ((*table)[1].id, 30);
  EXPECT_EQ((*table)[1].parent_id, 22);
  EXPECT_EQ((*table)[1].type, "tmpfs");
  EXPECT_EQ((*table)[1].Option("size"), "8192k");
  EXPECT_EQ((*table)[1].Option("siz"), "");
  EXPECT_EQ((*table)[1].propagation, "shared:7 master:2");
  EXPECT_EQ((*table)[2].mount_point, "/p/with blank");
  EXPECT_EQ((*table)[2].root, "/srv/my data");
  EXPECT_EQ((*table)[2].propagation, "");
  EXPECT_EQ((*table)[3].Option("pagesize"), "2M");
}

TEST(MountTable, FindsMountPoints) {
  const std::vector<MountInfo> table = *ParseMountTable(kTable);
  EXPECT_EQ(FindMount(table, "/p/")->source, "over");
  EXPECT_EQ(FindMount(table, "/q"), nullptr);
  EXPECT_THAT(MountPointsUnder(table, "/p"), ElementsAre("/p/with blank", "/p", "/p"));
  EXPECT_THAT(MountPointsUnder(table, "/px/"), ElementsAre("/px"));
  EXPECT_THAT(MountPointsUnder(table, "/nothing"), IsEmpty());
}

TEST(MountTable, RefusesWhatItCannotRead) {
  EXPECT_FALSE(ParseMountTable("this is no mount\n").ok());
  EXPECT_TRUE(ParseMountTable("")->empty());
}

TEST(MountTable, OfThisMachineHasProc) {
  const absl::StatusOr<std::vector<MountInfo>> table = ReadMountTable();
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(FindMount(*table, "/proc"), nullptr);
  EXPECT_EQ(FindMount(*table, "/proc")->type, "proc");
}

TEST(Mounts, NothingIsMountedWhereNothingIs) {
  TemporaryDirectory dir;
  EXPECT_FALSE(*IsMountPoint(dir.path()));
  EXPECT_FALSE(*IsMountPoint(dir / "missing"));
  EXPECT_TRUE(*IsMountPoint("/"));
  EXPECT_TRUE(*IsMountPoint("/proc"));
  EXPECT_THAT(*ReadMountPointsUnder(dir / "missing"), IsEmpty());
  EXPECT_THAT(*ReadMountPointsUnder(dir.path()), IsEmpty());
}

TEST(Mounts, UnmountOfWhatIsNotMountedIsFine) {
  TemporaryDirectory dir;
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_TRUE(Unmount(dir.path()).ok());
  EXPECT_TRUE(Unmount(dir / "missing").ok());
}

TEST(Mounts, ROOT_MountAndUnmount) {
  TemporaryDirectory dir;
  ASSERT_TRUE(MakeDirectories(dir / "m", 0755).ok());
  const bool ran = RunWithPrivateMounts([&] {
    const absl::Status mounted = Mount("tmpfs", dir / "m", "tmpfs", "size=65536,nosuid");
    ASSERT_TRUE(mounted.ok()) << mounted;
    const std::vector<MountInfo> table = *ReadMountTable();
    ASSERT_NE(FindMount(table, dir / "m"), nullptr);
    EXPECT_EQ(FindMount(table, dir / "m")->Option("size"), "64k");
    EXPECT_THAT(FindMount(table, dir / "m")->options, HasSubstr("nosuid"));
    EXPECT_TRUE(MakeRecursivelyShared(dir / "m").ok());
    EXPECT_THAT(FindMount(*ReadMountTable(), dir / "m")->propagation, HasSubstr("shared:"));
    EXPECT_FALSE(MakeRecursivelyShared(dir.path()).ok());
    EXPECT_TRUE(*IsMountPoint(dir / "m"));
    EXPECT_FALSE(*IsMountPoint(dir.path()));
    ASSERT_TRUE(MakeDirectories(dir / "m/with \\ blank", 0755).ok());
    ASSERT_TRUE(Mount("tmpfs", dir / "m/with \\ blank", "tmpfs", "").ok());
    ASSERT_TRUE(SymlinkAtomic(dir.path(), dir / "link").ok());
    EXPECT_THAT(*ReadMountPointsUnder(dir / "link"),
                ElementsAre(dir / "link/m/with \\ blank", dir / "link/m"));
    EXPECT_TRUE(Unmount(dir / "m/with \\ blank").ok());
    EXPECT_TRUE(Unmount(dir / "m").ok());
    EXPECT_EQ(FindMount(*ReadMountTable(), dir / "m"), nullptr);
    const absl::Status wrong = Mount("tmpfs", dir / "m", "tmpfs", "size=nonsense");
    EXPECT_THAT(Message(wrong), HasSubstr("mount tmpfs from tmpfs on " + dir / "m"));
  });
  if (!ran) GTEST_SKIP() << "needs root for a mount namespace";
}

}  // namespace
}  // namespace cubelet::os
