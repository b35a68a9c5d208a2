#include "kube/event_correlator.h"

#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "kube/event_object.h"

namespace cubelet::kube {
namespace {

constexpr char kCombined[] = "(combined from similar events): ";

class EventCorrelatorTest : public testing::Test {
 protected:
  struct What {
    std::string pod = "web";
    std::string field_path = "";
    api::EventType type = api::EventType::kWarning;
    std::string reason = "Failed";
    std::string message = "no";
  };

  // Each call is a millisecond after the last.
  std::optional<v1::Event> Next(const What& what) {
    now_ += absl::Milliseconds(1);
    const api::ObjectReference object{.kind = "Pod",
                                      .name_space = "default",
                                      .name = what.pod,
                                      .uid = StrCat("uid-of-", what.pod),
                                      .field_path = what.field_path};
    return correlator_.Correlate(
        MakeEvent("lab", object, what.type, what.reason, what.message, absl::UnixEpoch() + now_),
        now_);
  }
  // An empty one when it is held back.
  v1::Event Sent(const What& what) { return Next(what).value_or(v1::Event()); }
  int CountOf(const What& what) { return Sent(what).count(); }

  EventCorrelator correlator_;
  absl::Duration now_ = absl::Hours(500000);
};

TEST_F(EventCorrelatorTest, CountsTheSameAtTheFirst) {
  const v1::Event first = Sent({});
  now_ += absl::Minutes(30);
  const v1::Event second = Sent({});
  EXPECT_EQ(first.count(), 1);
  EXPECT_EQ(second.count(), 2);
  EXPECT_EQ(second.metadata().name(), first.metadata().name());
  EXPECT_EQ(second.firsttimestamp().seconds(), first.firsttimestamp().seconds());
  EXPECT_EQ(second.lasttimestamp().seconds(), first.lasttimestamp().seconds() + 1800);
  EXPECT_EQ(CountOf({}), 3);
}

TEST_F(EventCorrelatorTest, TellsApartWhatDiffers) {
  EXPECT_EQ(CountOf({}), 1);
  EXPECT_EQ(CountOf({.pod = "db"}), 1);
  EXPECT_EQ(CountOf({.field_path = "spec.containers{a}"}), 1);
  EXPECT_EQ(CountOf({.type = api::EventType::kNormal}), 1);
  EXPECT_EQ(CountOf({.reason = "FailedMount"}), 1);
  EXPECT_EQ(CountOf({.message = "not now"}), 1);
  EXPECT_EQ(CountOf({}), 2);
  // No two fields flow into each other.
  EXPECT_EQ(CountOf({.reason = "Fail", .message = "edno"}), 1);
}

TEST_F(EventCorrelatorTest, CombinesFromTheTenthMessageOn) {
  for (int i = 1; i < 10; ++i) {
    const v1::Event event = Sent({.message = StrCat("try ", i)});
    EXPECT_EQ(event.message(), StrCat("try ", i));
    EXPECT_EQ(event.count(), 1);
  }
  const v1::Event tenth = Sent({.message = "try 10"});
  EXPECT_EQ(tenth.message(), StrCat(kCombined, "try 10"));
  EXPECT_EQ(tenth.count(), 1);
  EXPECT_FALSE(tenth.has_reportingcomponent());
  EXPECT_EQ(tenth.source().component(), "kubelet");
  const v1::Event eleventh = Sent({.message = "try 11"});
  EXPECT_EQ(eleventh.message(), StrCat(kCombined, "try 11"));
  EXPECT_EQ(eleventh.count(), 2);
  EXPECT_EQ(eleventh.metadata().name(), tenth.metadata().name());
  // One that was seen by itself is still counted by itself; another reason is another kind.
  EXPECT_EQ(Sent({.message = "try 3"}).message(), "try 3");
  EXPECT_EQ(Sent({.reason = "BackOff", .message = "try 12"}).message(), "try 12");
}

TEST_F(EventCorrelatorTest, SimilarOnesAreForgottenAfterTenMinutesWithoutAny) {
  for (int i = 1; i < 10; ++i) Next({.message = StrCat("try ", i)});
  now_ += absl::Minutes(9);
  EXPECT_EQ(Sent({.message = "try 10"}).message(), StrCat(kCombined, "try 10"));
  now_ += absl::Minutes(9);  // since the last one
  EXPECT_EQ(Sent({.message = "try 11"}).message(), StrCat(kCombined, "try 11"));
  now_ += absl::Minutes(11);
  EXPECT_EQ(Sent({.message = "try 12"}).message(), "try 12");
}

TEST_F(EventCorrelatorTest, AnObjectMaySendSoManyOfAType) {
  for (int i = 1; i <= 25; ++i) EXPECT_EQ(CountOf({}), i);
  EXPECT_FALSE(Next({}).has_value());
  EXPECT_FALSE(Next({.reason = "BackOff"}).has_value());
  EXPECT_TRUE(Next({.type = api::EventType::kNormal}).has_value());
  EXPECT_TRUE(Next({.pod = "db"}).has_value());
  now_ += absl::Minutes(5);
  EXPECT_EQ(CountOf({}), 27);  // what was held back is counted
  EXPECT_FALSE(Next({}).has_value());
}

TEST_F(EventCorrelatorTest, ForgetsWhatIsOldest) {
  EventCorrelator small(2);
  const auto count = [&](const std::string& pod) {
    const api::ObjectReference object{.kind = "Pod", .name_space = "default", .name = pod};
    return small
        .Correlate(MakeEvent("lab", object, api::EventType::kNormal, "Killing", "Stopping",
                             absl::UnixEpoch() + now_),
                   now_)
        .value_or(v1::Event())
        .count();
  };
  EXPECT_EQ(count("a"), 1);
  EXPECT_EQ(count("b"), 1);
  EXPECT_EQ(count("a"), 2);
  EXPECT_EQ(count("c"), 1);
  EXPECT_EQ(count("a"), 3);
  EXPECT_EQ(count("b"), 1);
}

}  // namespace
}  // namespace cubelet::kube
