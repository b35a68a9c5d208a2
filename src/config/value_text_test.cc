#include "config/value_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/strings.h"

namespace cubelet::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(ParseBool, TakesGosSpellings) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_TRUE(*ParseBool(text));
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"})
    EXPECT_FALSE(*ParseBool(text)) << text;
  for (const char* text : {"", "yes", "tRUE", "on"}) {
    EXPECT_EQ(Message(ParseBool(text).status()),
              StrCat("strconv.ParseBool: parsing ", GoQuote(text), ": invalid syntax"));
  }
}

TEST(ParseInt, TakesGosSpellings) {
  const std::pair<const char*, int64_t> kCases[] = {
      {"0", 0},
      {"42", 42},
      {"-7", -7},
      {"+7", 7},
      {"0x1F", 31},
      {"0b101", 5},
      {"0o17", 15},
      {"017", 15},
      {"-0x10", -16},
      {"0x_ff", 255},
      {"0_7", 7},
      {"9223372036854775807", kMax},
      {"-9223372036854775808", kMin},
  };
  for (const auto& [text, want] : kCases) {
    const auto got = ParseInt(text, kMin, kMax);
    ASSERT_TRUE(got.ok()) << text << ": " << got.status();
    EXPECT_EQ(*got, want) << text;
  }
}

TEST(ParseInt, RefusesWhatGoRefuses) {
  for (const char* text :
       {"", "-", "abc", "1_000", "0x", "08", "1.5", " 1", "0x_", "0x1__2", "--1"})
    EXPECT_THAT(ToStd(ParseInt(text, kMin, kMax).status().message()), HasSubstr("invalid syntax"))
        << text;
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "99999999999999999999"})
    EXPECT_THAT(ToStd(ParseInt(text, kMin, kMax).status().message()),
                HasSubstr("value out of range"))
        << text;
  EXPECT_EQ(Message(ParseInt("70000", 0, 65535).status()),
            "strconv.ParseInt: parsing \"70000\": value out of range");
}

TEST(ParseList, IsOneLineOfCsv) {
  EXPECT_THAT(*ParseList(""), IsEmpty());
  EXPECT_THAT(*ParseList("a"), ElementsAre("a"));
  EXPECT_THAT(*ParseList("a,b,,c"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(*ParseList("a,"), ElementsAre("a", ""));
  EXPECT_THAT(*ParseList("\"a,b\",c"), ElementsAre("a,b", "c"));
  EXPECT_THAT(*ParseList("\"say \"\"hi\"\"\""), ElementsAre("say \"hi\""));
  for (const char* text : {"\"a", "a\"b", "\"a\"b"}) EXPECT_FALSE(ParseList(text).ok()) << text;
}

TEST(ParsePairs, SplitsAtTheFirstSeparator) {
  EXPECT_THAT(*ParsePairs("", '='), IsEmpty());
  EXPECT_THAT(*ParsePairs("a=b, c = d=e ,,f=", '='),
              ElementsAre(Pair("a", "b"), Pair("c", "d=e"), Pair("f", "")));
  EXPECT_THAT(*ParsePairs("memory.available<100Mi,nodefs.available<10%", '<'),
              ElementsAre(Pair("memory.available", "100Mi"), Pair("nodefs.available", "10%")));
  EXPECT_EQ(Message(ParsePairs("a", '=').status()), "malformed pair, expect string=string");
  EXPECT_EQ(Message(ParsePairs("a=1", '<').status()), "malformed pair, expect string<string");
  EXPECT_EQ(Message(ParsePairs("a", '=', "bool").status()), "malformed pair, expect string=bool");
}

TEST(ParseTaints, TakesKeyValueAndEffect) {
  const auto taints = ParseTaints("a=b:NoSchedule,c:NoExecute,d=:PreferNoSchedule");
  ASSERT_TRUE(taints.ok()) << taints.status();
  ASSERT_EQ(taints->size(), 3u);
  EXPECT_EQ((*taints)[0].key(), "a");
  EXPECT_EQ((*taints)[0].value(), "b");
  EXPECT_EQ((*taints)[0].effect(), "NoSchedule");
  EXPECT_EQ((*taints)[1].key(), "c");
  EXPECT_EQ((*taints)[1].value(), "");
  EXPECT_EQ((*taints)[2].effect(), "PreferNoSchedule");
  EXPECT_THAT(*ParseTaints(""), IsEmpty());
  for (const char* text : {"a", "a=b", "a=b:Never", "a=b=c:NoSchedule", "a:b:NoSchedule"})
    EXPECT_THAT(ToStd(ParseTaints(text).status().message()),
                HasSubstr(StrCat("invalid taint spec: ", text)));
}

TEST(ParseReservedMemory, TakesNodesAndTypes) {
  const auto memory = ParseReservedMemory("0:memory=1Gi,hugepages-2Mi=64Mi;1:memory=2048Mi");
  ASSERT_TRUE(memory.ok()) << memory.status();
  ASSERT_EQ(memory->size(), 2u);
  EXPECT_EQ((*memory)[0].numanode(), 0);
  EXPECT_EQ((*memory)[0].limits().at("hugepages-2Mi").string(), "64Mi");
  EXPECT_EQ((*memory)[1].numanode(), 1);
  EXPECT_EQ((*memory)[1].limits().at("memory").string(), "2Gi");
  for (const char* text :
       {"memory=1Gi", "x:memory=1Gi", "0:memory", "0:memory=much", "-1:memory=1"})
    EXPECT_THAT(ToStd(ParseReservedMemory(text).status().message()), HasSubstr(text)) << text;
}

TEST(ParseVmodule, TakesPatternsAndLevels) {
  const auto modules = ParseVmodule("pod*=4,plan=2");
  ASSERT_TRUE(modules.ok());
  ASSERT_EQ(modules->size(), 2u);
  EXPECT_EQ((*modules)[0].filepattern(), "pod*");
  EXPECT_EQ((*modules)[0].verbosity(), 4u);
  for (const char* text : {"pod", "=1", "a=b", "a=-1", "a=1=2"})
    EXPECT_FALSE(ParseVmodule(text).ok()) << text;
}

TEST(CheckIp, TakesBothFamilies) {
  EXPECT_TRUE(CheckIp("10.0.0.1").ok());
  EXPECT_TRUE(CheckIp("::").ok());
  EXPECT_EQ(Message(CheckIp("10.0.0")), "invalid IP address: \"10.0.0\"");
  EXPECT_FALSE(CheckIp("").ok());
  EXPECT_FALSE(CheckIp("fe80::1%eth0").ok());
}

}  // namespace
}  // namespace cubelet::config
