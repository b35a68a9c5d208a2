#include "api/quantity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/strings.h"

namespace cubelet::api {
namespace {

std::string Canonical(std::string_view text) {
  const absl::StatusOr<Quantity> quantity = Quantity::Parse(text);
  return quantity.ok() ? quantity->ToString() : std::string(Message(quantity.status()));
}

TEST(Quantity, CanonicalForm) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0", "0"},
      {"0m", "0"},
      {"-0", "0"},
      {"00.00Ki", "0"},
      {"1", "1"},
      {"+1", "1"},
      {"-1", "-1"},
      {"01", "1"},
      {"1.", "1"},
      {".5", "500m"},
      {"0.5", "500m"},
      {"100m", "100m"},
      {"1000m", "1"},
      {"1500m", "1500m"},
      {"1.5", "1500m"},
      {"1000", "1k"},
      {"1001", "1001"},
      {"1e3", "1e3"},
      {"12e4", "120e3"},
      {"1E3", "1e3"},
      {"1e-3", "1e-3"},
      {"1e+3", "1e3"},
      {"1E", "1E"},
      {"1Ki", "1Ki"},
      {"1024Ki", "1Mi"},
      {"1500Ki", "1500Ki"},
      {"0.5Ki", "512"},
      {"1.5Gi", "1536Mi"},
      {"1.5Ki", "1536"},
      {"100Ki", "100Ki"},
      {"1000Ki", "1000Ki"},
      {"0.1Mi", "104857600m"},
      {"-1.5Gi", "-1536Mi"},
      {"1n", "1n"},
      {"1u", "1u"},
      {"1234567.8", "1234567800m"},
      {"2M", "2M"},
      {"1G", "1G"},
      {"7Ei", "7Ei"},
      {"3P", "3P"},
      {"264212084Ki", "264212084Ki"},
      {"1e9", "1e9"},
      {"10e8", "1e9"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(Canonical(text), want) << text;
}

TEST(Quantity, TooFineIsRoundedUpAndTooLargeIsCapped) {
  EXPECT_EQ(Canonical("0.1n"), "1n");
  EXPECT_EQ(Canonical("-0.1n"), "-1n");
  EXPECT_EQ(Canonical("1.0000000001"), "1000000001n");
  EXPECT_EQ(Canonical("1e-100"), "1e-9");
  EXPECT_EQ(Canonical("1e-2147483648"), "1e-9");
  EXPECT_EQ(Canonical("0e-2147483648"), "0");
  EXPECT_EQ(Canonical("1e2147483647"), "9223372036854775807");
  EXPECT_EQ(Canonical("8Ei"), "9223372036854775807");
  EXPECT_EQ(Canonical("100Ei"), "9223372036854775807");
  EXPECT_EQ(Canonical("-100Ei"), "-9223372036854775807");
  EXPECT_EQ(Canonical("1.00000000000000000000000000001Ki"), "1024000000001n");
  EXPECT_EQ(Canonical("1000000000000000000000000000000e-20"), "10e9");
  EXPECT_EQ(Canonical("1" + std::string(100'000, '0') + "e-100000"), "1");
  EXPECT_EQ(Canonical("0." + std::string(100'000, '0') + "1"), "1n");
  EXPECT_EQ(Canonical(std::string(100'000, '9')), "9223372036854775807");
}

TEST(Quantity, MalformedTextIsRefused) {
  for (const std::string_view bad :
       {"", "-", "+", ".", "x", "1 Ki", " 1", "1 ", "1x", "1,5", "1.2.3", "1--", "0x10",
        "1\xc2\xb5", "1Kib", "--1", "1e3.5", "inf"})
    EXPECT_THAT(Canonical(bad), testing::StartsWith("quantities must match the regular expression"))
        << bad;
  for (const std::string_view bad :
       {"1ki", "1K", "1kk", "1mi", "1e", "1ee3", "1e99999999999", "1-3"})
    EXPECT_EQ(Canonical(bad), "unable to parse quantity's suffix") << bad;
}

TEST(Quantity, ValuesRoundAwayFromZero) {
  EXPECT_EQ(Quantity::ParseOrZero("1500m").Value(), 2);
  EXPECT_EQ(Quantity::ParseOrZero("-1500m").Value(), -2);
  EXPECT_EQ(Quantity::ParseOrZero("1n").MilliValue(), 1);
  EXPECT_EQ(Quantity::ParseOrZero("0.1").MilliValue(), 100);
  EXPECT_EQ(Quantity::ParseOrZero("7Ei").MilliValue(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Quantity::ParseOrZero("nonsense").Value(), 0);
}

TEST(Quantity, ArithmeticIsExactAndKeepsTheForm) {
  Quantity sum = Quantity::ParseOrZero("1Gi");
  sum += Quantity::ParseOrZero("512Mi");
  EXPECT_EQ(sum.ToString(), "1536Mi");
  sum -= Quantity::ParseOrZero("1536Mi");
  EXPECT_TRUE(sum.IsZero());
  // Zero takes the form of what is added.
  EXPECT_EQ((sum + Quantity::ParseOrZero("2Ki")).ToString(), "2Ki");
  EXPECT_EQ((Quantity() + Quantity::ParseOrZero("2k")).ToString(), "2k");
  Quantity tenths;
  for (int i = 0; i < 10; ++i) tenths += Quantity::ParseOrZero("100m");
  EXPECT_EQ(tenths, Quantity::FromInt(1));
  EXPECT_LT(Quantity::ParseOrZero("999m"), Quantity::FromInt(1));
  EXPECT_EQ(Quantity::ParseOrZero("1Ki"), Quantity::ParseOrZero("1024"));
  EXPECT_EQ(Quantity::FromMilli(-1500).ToString(), "-1500m");
  EXPECT_EQ(Quantity::FromInt(2048, Quantity::Format::kBinarySi).ToString(), "2Ki");
}

}  // namespace
}  // namespace cubelet::api
