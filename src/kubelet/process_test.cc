#include "kubelet/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "os/files.h"

namespace cubelet::kubelet {
namespace {

using ::testing::HasSubstr;

TEST(HasActiveSwap, LooksPastTheHeadLine) {
  EXPECT_FALSE(HasActiveSwap(""));
  EXPECT_FALSE(HasActiveSwap("Filename\tType\tSize\tUsed\tPriority\n"));
  EXPECT_TRUE(HasActiveSwap("Filename\tType\tSize\n/dev/sda2  partition  1024\n"));
}

TEST(CheckCgroupVersion, RefusesTheFirstUnlessToldOtherwise) {
  config::Config config;
  config.kubelet.set_failcgroupv1(true);
  EXPECT_TRUE(CheckCgroupVersion(config, /*cgroup_v2=*/true).ok());
  EXPECT_THAT(Message(CheckCgroupVersion(config, /*cgroup_v2=*/false)),
              HasSubstr("failCgroupV1 is true"));
  config.kubelet.set_failcgroupv1(false);
  EXPECT_TRUE(CheckCgroupVersion(config, /*cgroup_v2=*/false).ok());
}

class KernelSettingsTest : public ::testing::Test {
 protected:
  KernelSettingsTest() : root_(os::JoinPath(::testing::TempDir(), os::RandomHex(8))) {
    for (const KernelSetting& setting : KernelSettings()) Write(setting.name, setting.value);
  }

  void Write(std::string_view name, int64_t value) {
    const std::string path = os::JoinPath(root_, name);
    EXPECT_TRUE(os::MakeDirectories(os::DirectoryOf(path), 0755).ok());
    EXPECT_TRUE(os::WriteFileAtomic(path, StrCat(value, "\n"), 0644).ok());
  }

  std::string root_;
};

TEST_F(KernelSettingsTest, SetsWhatDiffers) {
  Write("kernel/panic", 0);
  EXPECT_TRUE(ApplyKernelSettings(root_, /*protect=*/false).ok());
  EXPECT_THAT(*os::ReadFile(os::JoinPath(root_, "kernel/panic")), HasSubstr("10"));
}

TEST_F(KernelSettingsTest, ProtectedOnesAreOnlyCompared) {
  EXPECT_TRUE(ApplyKernelSettings(root_, /*protect=*/true).ok());
  Write("kernel/panic", 0);
  EXPECT_EQ(Message(ApplyKernelSettings(root_, /*protect=*/true)),
            "invalid kernel flag: kernel/panic, expected value: 10, actual value: 0");
  EXPECT_EQ(*os::ReadFile(os::JoinPath(root_, "kernel/panic")), "0\n");
}

}  // namespace
}  // namespace cubelet::kubelet
