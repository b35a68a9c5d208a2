#include "cgroups/hierarchy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cgroups/kernel_files.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<os::MountInfo> Table(std::string_view text) {
  auto table = os::ParseMountTable(text);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.value_or(std::vector<os::MountInfo>());
}

TEST(LayoutOf, SeparateHierarchies) {
  const auto layout = LayoutOf(Table(
      "30 23 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n"
      "31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n"
      "32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd\n"
      "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct\n"
      "34 30 0:30 / /sys/fs/cgroup/memory rw shared:13 - cgroup cgroup rw,memory\n"
      "35 30 0:30 / /mnt/again rw shared:13 - cgroup cgroup rw,memory\n"));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_FALSE(layout->v2);
  ASSERT_EQ(layout->hierarchies.size(), 3u);
  EXPECT_EQ(layout->Find("cpuacct")->directory, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout->Find("memory")->directory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(layout->Find(kSystemd)->directory, "/sys/fs/cgroup/systemd");
  EXPECT_EQ(layout->Find("pids"), nullptr);
  EXPECT_EQ(layout->unified, "/sys/fs/cgroup/unified");
}

TEST(LayoutOf, UnifiedHierarchy) {
  const auto layout =
      LayoutOf(Table("30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_TRUE(layout->v2);
  EXPECT_EQ(layout->hierarchies[0].directory, "/sys/fs/cgroup");
}

// The service manager's own v1 tree does not make the machine a v1 one.
TEST(LayoutOf, UnifiedHierarchyBesideANamedOne) {
  const auto layout = LayoutOf(
      Table("31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
            "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_TRUE(layout->v2);
}

TEST(LayoutOf, NothingThere) {
  const auto layout = LayoutOf(Table("30 23 0:26 / / rw - ext4 /dev/sda rw\n"));
  EXPECT_EQ(layout.status().code(), absl::StatusCode::kNotFound);
}

TEST(CheckControllers, NamesWhatIsMissing) {
  const Layout v1{.v2 = false, .hierarchies = {{"/c", {"cpu"}}, {"/m", {"memory"}}}};
  EXPECT_EQ(CheckControllers(v1).message(),
            "cgroup v1 has some missing controllers: cpuacct, cpuset");
  const Layout v2{.v2 = true, .hierarchies = {{"/c", {"cpu", "cpuset", "io", "memory"}}}};
  EXPECT_EQ(CheckControllers(v2).message(), "cgroup v2 has some missing controllers: pids");
  const Layout all{.v2 = true, .hierarchies = {{"/c", {"cpu", "cpuset", "memory", "pids"}}}};
  EXPECT_TRUE(CheckControllers(all).ok());
}

TEST(FindLayout, DirectoriesTellOnlyOnce) {
  const std::string root = testing::TempDir() + "/find_layout";
  std::filesystem::remove_all(root);
  for (const char* name : {"cpu,cpuacct", "systemd", "unified", "not-a-cgroup"})
    std::filesystem::create_directories(root + "/" + name);
  for (const char* name : {"cpu,cpuacct", "systemd", "unified"})
    std::ofstream(root + "/" + name + "/" + kProcs) << "";
  std::ofstream(root + "/unified/" + kControllers) << "";
  std::filesystem::create_directory_symlink("cpu,cpuacct", root + "/cpu");
  const auto layout = FindLayout(root);
  ASSERT_TRUE(layout.ok()) << layout.status();
  ASSERT_EQ(layout->hierarchies.size(), 2u);
  EXPECT_THAT(layout->hierarchies[0].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_THAT(layout->hierarchies[1].controllers, ElementsAre(kSystemd));
  EXPECT_EQ(layout->unified, root + "/unified");
  std::filesystem::remove_all(root);
}

TEST(FindLayout, EmptyDirectoryIsNotFound) {
  const std::string root = testing::TempDir() + "/find_layout_empty";
  std::filesystem::create_directories(root);
  const auto layout = FindLayout(root);
  EXPECT_EQ(layout.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(layout.status().message()), HasSubstr(root));
  std::filesystem::remove_all(root);
}

TEST(Words, AreSplitAtWhiteSpace) {
  EXPECT_THAT(Words("cpuset cpu  io\n"), ElementsAre("cpuset", "cpu", "io"));
  EXPECT_THAT(Words("\n"), IsEmpty());
}

}  // namespace
}  // namespace cubelet::cgroups
