#include "pods/termination_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.h"

namespace cubelet::pods {
namespace {

using ::testing::ElementsAre;

class TerminationOrderTest : public ::testing::Test {
 protected:
  TerminationOrderTest() {
    for (const char* name : {"init", "first", "second"}) {
      v1::Container* container = pod_.mutable_spec()->add_initcontainers();
      container->set_name(name);
      if (std::string(name) != "init") container->set_restartpolicy("Always");
    }
    pod_.mutable_spec()->add_containers()->set_name("main");
  }

  static async::Task<void> StopInTurn(TerminationOrder* order, std::string name,
                                      absl::Duration limit, std::vector<std::string>* stopped) {
    co_await order->WaitForTurn(name, limit);
    stopped->push_back(name);
  }

  std::unique_ptr<async::Loop> loop_ = async::Loop::Virtual(absl::FromUnixSeconds(0), 1);
  v1::Pod pod_;
  std::vector<std::string> stopped_;
};

TEST_F(TerminationOrderTest, RegularFirstThenSidecarsInReverse) {
  TerminationOrder order(*loop_, pod_, {"main", "first", "second"});
  EXPECT_TRUE(order.has_sidecars());
  async::TaskScope scope(*loop_, "test");
  for (const char* name : {"first", "second", "main"})
    scope.Spawn(name, StopInTurn(&order, name, absl::Seconds(30), &stopped_));
  loop_->RunUntil(loop_->Now() + absl::Seconds(1));
  EXPECT_THAT(stopped_, ElementsAre("main"));
  order.Ended("main");
  loop_->RunUntil(loop_->Now() + absl::Seconds(1));
  EXPECT_THAT(stopped_, ElementsAre("main", "second"));
  order.Ended("second");
  loop_->RunUntil(loop_->Now() + absl::Seconds(1));
  EXPECT_THAT(stopped_, ElementsAre("main", "second", "first"));
}

TEST_F(TerminationOrderTest, WaitsNoLongerThanTheGracePeriod) {
  TerminationOrder order(*loop_, pod_, {"main", "first"});
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("first", StopInTurn(&order, "first", absl::Seconds(5), &stopped_));
  loop_->RunUntil(loop_->Now() + absl::Seconds(4));
  EXPECT_THAT(stopped_, ElementsAre());
  loop_->RunUntil(loop_->Now() + absl::Seconds(2));
  EXPECT_THAT(stopped_, ElementsAre("first"));
}

TEST_F(TerminationOrderTest, ContainersThatDoNotRunAreNotWaitedFor) {
  TerminationOrder order(*loop_, pod_, {"first"});
  async::TaskScope scope(*loop_, "test");
  scope.Spawn("first", StopInTurn(&order, "first", absl::Seconds(30), &stopped_));
  loop_->RunUntil(loop_->Now() + absl::Seconds(1));
  EXPECT_THAT(stopped_, ElementsAre("first"));
}

}  // namespace
}  // namespace cubelet::pods
