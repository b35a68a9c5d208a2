#include "os/systemd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::os {
namespace {

using testing::HasSubstr;

// The service manager's end of the channel.
class NotifyTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = StrCat(testing::TempDir(), "/notify.", ::getpid());
    ::unlink(path_.c_str());
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path_.size(), sizeof(address.sun_path));
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unlink(path_.c_str());
  }

  // What was sent last, "" if nothing was.
  std::string Received() {
    char buffer[256];
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  std::string path_;
  UniqueFd socket_;
};

TEST_F(NotifyTest, SaysWhatTheServiceManagerReads) {
  NotifyReady();
  EXPECT_EQ(Received(), "READY=1");
  NotifyWatchdog();
  EXPECT_EQ(Received(), "WATCHDOG=1");
  NotifyStopping();
  EXPECT_EQ(Received(), "STOPPING=1");
}

TEST_F(NotifyTest, AStatusIsOneLine) {
  NotifyStatus("all is well\nSTOPPING=1");
  EXPECT_EQ(Received(), "STATUS=all is well");
}

TEST(Notify, NobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  NotifyReady();
  NotifyWatchdog();
}

class WatchdogTest : public testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
  }
};

TEST_F(WatchdogTest, IsFedTwiceInItsTime) {
  EXPECT_EQ(*WatchdogInterval(), absl::InfiniteDuration());
  ::setenv("WATCHDOG_USEC", "120000000", 1);
  EXPECT_EQ(*WatchdogInterval(), absl::Minutes(1));
  ::setenv("WATCHDOG_PID", StrCat(::getpid()).c_str(), 1);
  EXPECT_EQ(*WatchdogInterval(), absl::Minutes(1));
}

// Inherited from a service manager that means another process.
TEST_F(WatchdogTest, OfAnotherProcessIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "120000000", 1);
  ::setenv("WATCHDOG_PID", StrCat(::getpid() + 1).c_str(), 1);
  EXPECT_EQ(*WatchdogInterval(), absl::InfiniteDuration());
}

TEST_F(WatchdogTest, ASecondIsTooLittle) {
  ::setenv("WATCHDOG_USEC", "1000000", 1);
  EXPECT_EQ(Message(WatchdogInterval().status()), "configure watchdog timeout too small: 1s");
  ::setenv("WATCHDOG_USEC", "1000001", 1);
  EXPECT_TRUE(WatchdogInterval().ok());
}

TEST_F(WatchdogTest, NonsenseIsRefused) {
  ::setenv("WATCHDOG_USEC", "often", 1);
  EXPECT_THAT(std::string(Message(WatchdogInterval().status())), HasSubstr("WATCHDOG_USEC"));
}

}  // namespace
}  // namespace cubelet::os
