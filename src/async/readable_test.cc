#include "async/readable.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "async/scope.h"
#include "async/timeout.h"
#include "base/fd.h"

namespace cubelet::async {
namespace {

class ReadableTest : public testing::TestWithParam<bool> {
 protected:
  ReadableTest() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
    loop_ = GetParam() ? Loop::Virtual(absl::UnixEpoch(), 1) : Loop::Real();
  }

  static Task<void> Wait(Loop* loop, int fd, std::vector<absl::Status>* results) {
    results->push_back(co_await WaitReadable(loop, fd));
    loop->Stop();
  }
  static Task<void> WaitFor(Loop* loop, int fd, absl::Duration timeout,
                            std::vector<absl::Status>* results) {
    results->push_back(co_await WithTimeout(*loop, WaitReadable(loop, fd), timeout, "wait"));
    loop->Stop();
  }

  std::unique_ptr<Loop> loop_;
  UniqueFd reader_;
  UniqueFd writer_;
  std::vector<absl::Status> results_;
};

TEST_P(ReadableTest, ReturnsWhenSomethingCanBeRead) {
  TaskScope scope(*loop_, "test");
  scope.Spawn("wait", Wait(loop_.get(), reader_.get(), &results_));
  loop_->AddTimer(absl::Milliseconds(20), [this] {
    EXPECT_TRUE(results_.empty());
    EXPECT_EQ(::write(writer_.get(), "x", 1), 1);
  });
  loop_->Run();
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_TRUE(results_[0].ok()) << results_[0];
  // The caller's descriptor is still its own.
  char byte;
  EXPECT_EQ(::read(reader_.get(), &byte, 1), 1);
}

TEST_P(ReadableTest, CanBeGivenUp) {
  TaskScope scope(*loop_, "test");
  scope.Spawn("wait", WaitFor(loop_.get(), reader_.get(), absl::Milliseconds(20), &results_));
  loop_->Run();
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(results_[0]));
}

TEST_P(ReadableTest, EndOfTheOtherSideIsReadable) {
  TaskScope scope(*loop_, "test");
  scope.Spawn("wait", Wait(loop_.get(), reader_.get(), &results_));
  writer_.reset();
  loop_->Run();
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_TRUE(results_[0].ok());
}

TEST_P(ReadableTest, ClosedDescriptorIsAnError) {
  const int gone = reader_.release();
  ::close(gone);
  TaskScope scope(*loop_, "test");
  scope.Spawn("wait", Wait(loop_.get(), gone, &results_));
  loop_->Run();
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_FALSE(results_[0].ok());
}

INSTANTIATE_TEST_SUITE_P(Loops, ReadableTest, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Virtual" : "Real");
});

}  // namespace
}  // namespace cubelet::async
