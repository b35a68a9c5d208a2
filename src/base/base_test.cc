#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet {
namespace {

TEST(GoDuration, PrintsAsGoDoes) {
  EXPECT_EQ(FormatGoDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(FormatGoDuration(absl::Nanoseconds(999)), "999ns");
  EXPECT_EQ(FormatGoDuration(absl::Microseconds(1500)), "1.5ms");
  EXPECT_EQ(FormatGoDuration(absl::Milliseconds(100)), "100ms");
  EXPECT_EQ(FormatGoDuration(absl::Seconds(10)), "10s");
  EXPECT_EQ(FormatGoDuration(absl::Seconds(80)), "1m20s");
  EXPECT_EQ(FormatGoDuration(absl::Minutes(5)), "5m0s");
  EXPECT_EQ(FormatGoDuration(absl::Hours(2)), "2h0m0s");
  EXPECT_EQ(FormatGoDuration(absl::Milliseconds(-1050)), "-1.05s");
}

TEST(GoDuration, ReadsWhatItPrints) {
  for (const char* text :
       {"0s", "999ns", "1.5ms", "10s", "1m20s", "5m0s", "2h0m0s", "-1.05s",
        "2501999h47m33.000000001s", "2562047h47m16.854775807s", "-2562047h47m16.854775808s"}) {
    absl::Duration duration;
    ASSERT_TRUE(ParseGoDuration(text, duration).ok()) << text;
    EXPECT_EQ(FormatGoDuration(duration), text);
  }
}

TEST(GoDuration, RefusesWithTheReason) {
  absl::Duration duration;
  EXPECT_EQ(ParseGoDuration("", duration).message(), "time: invalid duration \"\"");
  EXPECT_EQ(ParseGoDuration("10", duration).message(), "time: missing unit in duration \"10\"");
  EXPECT_EQ(ParseGoDuration("10x", duration).message(),
            "time: unknown unit \"x\" in duration \"10x\"");
  EXPECT_FALSE(ParseGoDuration("1.2.3s", duration).ok());
  for (const char* text : {"99999999999h", "2562047h47m16.854775808s", "99999999999999999999ns",
                           ".s", "9223372036854775808ns", "9223372036854775807ns1ns"})
    EXPECT_EQ(ParseGoDuration(text, duration).message(),
              StrCat("time: invalid duration ", GoQuote(text)));
}

TEST(Status, AnnotateKeepsTheCode) {
  absl::Status status = Annotate(absl::NotFoundError("no such file"), "open x");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "open x: no such file");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "open x").ok());
}

TEST(Strings, QuotesAsGoDoes) {
  EXPECT_EQ(GoQuote("a\"b\\c\n\t\x01é"), "\"a\\\"b\\\\c\\n\\t\\x01é\"");
  EXPECT_EQ(GoQuote(std::string_view("\xff", 1)), "\"\\xff\"");
  EXPECT_EQ(JsonQuote(std::string_view("\xff", 1)), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(GoList(std::vector<std::string>{"a", "b"}), "[a b]");
}

TEST(Strings, FnvOfKnownTexts) {
  EXPECT_EQ(Fnv1a32(""), 2166136261u);
  EXPECT_EQ(Fnv1a32("foobar"), 0xbf9cf968u);
  EXPECT_EQ(Fnv1a64("foobar"), 0x85944171f73967e8u);
}

std::vector<std::string>& Lines() {
  static std::vector<std::string> lines;
  return lines;
}

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    Lines().clear();
    SetLogSinkForTest([](Severity, std::string_view line) { Lines().emplace_back(line); });
    SetLogClock(&clock_);
  }
  void TearDown() override {
    SetLogSinkForTest(nullptr);
    SetLogClock(nullptr);
    ASSERT_TRUE(InitLog({}).ok());
  }
  VirtualClock clock_{absl::FromUnixSeconds(1700000000)};
};

TEST_F(LogTest, TextHasKlogsForm) {
  LOG_INFO("Pod started", {{"pod", "default/web"}, {"count", 3}, {"ready", true}});
  LOG_ERROR(absl::NotFoundError("gone"), "Sync failed", {{"after", absl::Seconds(90)}});
  ASSERT_EQ(Lines().size(), 2u);
  EXPECT_THAT(Lines()[0],
              testing::MatchesRegex("I[0-9]{4} [0-9:.]{15} +[0-9]+ base_test.cc:[0-9]+\\] \"Pod "
                                    "started\" pod=\"default/web\" count=3 ready=true"));
  EXPECT_THAT(Lines()[1],
              testing::MatchesRegex("E.*\\] \"Sync failed\" err=\"gone\" after=\"1m30s\""));
}

TEST_F(LogTest, JsonIsOneObjectPerLine) {
  ASSERT_TRUE(InitLog({.format = LogFormat::kJson}).ok());
  LOG_INFO("Pod \"x\"", {{"count", 3}});
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_THAT(Lines()[0], testing::MatchesRegex(
                              "\\{\"ts\":1700000000000.000,\"caller\":\"base_test.cc:[0-9]+\","
                              "\"msg\":\"Pod \\\\\"x\\\\\"\",\"v\":0,\"count\":3\\}"));
}

TEST_F(LogTest, VmoduleRaisesOneFile) {
  ASSERT_TRUE(InitLog({.verbosity = 2, .vmodule = "sync*=5,other=9"}).ok());
  EXPECT_TRUE(VlogEnabled(2, "src/a.cc"));
  EXPECT_FALSE(VlogEnabled(3, "src/a.cc"));
  EXPECT_TRUE(VlogEnabled(5, "src/sync_loop.cc"));
  EXPECT_EQ(InitLog({.vmodule = "nonsense"}).message(),
            "--vmodule: \"nonsense\" is not of the form pattern=N");
}

}  // namespace
}  // namespace cubelet
