#include "volumes/host_path.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "base/fd.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/test_support.h"
#include "volumes/fake_mounter.h"
#include "volumes/test_support.h"

namespace cubelet::volumes {
namespace {

class HostPathTest : public testing::Test {
 protected:
  HostPathTest() {
    EXPECT_TRUE(os::MakeDirectories(dir_ / "dir", 0755).ok());
    EXPECT_TRUE(os::CreateFile(dir_ / "file", 0644).ok());
    EXPECT_TRUE(os::Symlink("dir", dir_ / "link").ok());
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, (dir_ / "socket").c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  // "" when the path passes.
  std::string Check(const std::string& path, const std::string& type) {
    const PodPtr pod = MakePod(
        StrCat("  volumes: [{name: v, hostPath: {path: \"", path, "\", type: \"", type, "\"}}]\n"));
    FakeMounter mounter;
    const absl::Status status =
        SetUpHostPath({.pod = pod, .volume = &pod->spec().volumes(0)}, mounter);
    EXPECT_TRUE(mounter.mounts().empty());
    return std::string(Message(status));
  }
  os::TemporaryDirectory dir_;
  UniqueFd socket_;
};

TEST_F(HostPathTest, WithoutTypeNothingIsLookedAt) {
  EXPECT_EQ(Check(dir_ / "missing", ""), "");
  EXPECT_FALSE(*os::Exists(dir_ / "missing"));
}

TEST_F(HostPathTest, StepsBackAreRefused) {
  EXPECT_EQ(Check("/a/../etc", ""), "invalid HostPath `/a/../etc`: must not contain '..'");
  EXPECT_EQ(Check("/a..b", ""), "");
}

TEST_F(HostPathTest, TypesAreChecked) {
  struct Case {
    const char* type;
    const char* good;
    const char* bad;
    const char* name;
  };
  const Case cases[] = {{"Directory", "dir", "file", "directory"},
                        {"Directory", "link", "missing", "directory"},
                        {"DirectoryOrCreate", "dir", "file", "directory"},
                        {"File", "file", "dir", "file"},
                        {"File", "socket", "missing", "file"},
                        {"FileOrCreate", "file", "dir", "file"},
                        {"Socket", "socket", "file", "socket file"}};
  for (const Case& c : cases) {
    EXPECT_EQ(Check(dir_ / c.good, c.type), "") << c.type;
    EXPECT_EQ(Check(dir_ / c.bad, c.type),
              StrCat("hostPath type check failed: ", dir_ / c.bad, " is not a ", c.name));
  }
  EXPECT_EQ(Check("/dev/null", "CharDevice"), "");
  EXPECT_EQ(Check(dir_ / "file", "CharDevice"),
            StrCat("hostPath type check failed: ", dir_ / "file", " is not a character device"));
  EXPECT_EQ(Check("/dev/null", "BlockDevice"),
            "hostPath type check failed: /dev/null is not a block device");
  EXPECT_EQ(Check(dir_ / "dir", "Wrong"), "Wrong is an invalid volume type");
}

TEST_F(HostPathTest, MakesWhatIsMissing) {
  EXPECT_EQ(Check(dir_ / "new/deep", "DirectoryOrCreate"), "");
  EXPECT_EQ(os::Stat(dir_ / "new/deep")->st_mode & 07777, 0755u);
  EXPECT_EQ(Check(dir_ / "new/file", "FileOrCreate"), "");
  EXPECT_EQ(os::Stat(dir_ / "new/file")->st_mode & 07777, 0644u);
  EXPECT_NE(Check(dir_ / "no/file", "FileOrCreate"), "");
}

}  // namespace
}  // namespace cubelet::volumes
