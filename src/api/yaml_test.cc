#include "api/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>

#include "api/codec.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Show(const absl::StatusOr<json::value>& value) {
  return value.ok() ? Serialize(*value) : std::string(Message(value.status()));
}

std::string Yaml(std::string_view text, const DecodeLimits& limits = {}) {
  return Show(ParseYaml(text, limits));
}

std::string Json(std::string_view text, const DecodeLimits& limits = {}) {
  return Show(ParseJson(text, limits));
}

std::string Repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Yaml, PlainScalarsResolveAsKubernetesReadsThem) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"NULL", "null"},
      {"nULL", "\"nULL\""},
      {"true", "true"},
      {"True", "true"},
      {"tRUE", "\"tRUE\""},
      {"yes", "true"},
      {"On", "true"},
      {"y", "true"},
      {"N", "false"},
      {"OFF", "false"},
      {"no", "false"},
      {"12", "12"},
      {"-12", "-12"},
      {"+12", "12"},
      {"1_000", "1000"},
      {"0644", "420"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"-0x10", "-16"},
      {"0b101", "5"},
      {"09", "9"},
      {"0", "0"},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"1.", "1"},
      {"1e3", "1000"},
      {"-1.5E-3", "-0.0015"},
      {"1e", "\"1e\""},
      {".", "\".\""},
      {".inf", "\".inf\""},
      {"1.2.3", "\"1.2.3\""},
      {"1:30", "\"1:30\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"123456789012345678901234567890", "1.2345678901234568e+29"},
  };
  for (const auto& [text, want] : cases)
    EXPECT_EQ(Yaml(StrCat("k: ", text)), StrCat("{\"k\":", want, "}")) << text;
}

TEST(Yaml, QuotedAndTaggedScalars) {
  EXPECT_EQ(Yaml("[\"12\", 'yes', ! 12, !!str 12, !!int \"12\", !!float 1, !!bool on]"),
            R"(["12","yes","12","12",12,1,true])");
  EXPECT_EQ(Yaml("!!binary aGVsbG8="), "\"hello\"");
  EXPECT_EQ(Yaml("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), R"({"a":"x\ny\n","b":"x y"})");
  EXPECT_EQ(Yaml("a: !!int x"), R"(yaml: line 1: cannot read "x" as !!int)");
  EXPECT_EQ(Yaml("a: !!binary /w=="), R"(yaml: line 1: cannot read "/w==" as !!binary)");
  EXPECT_EQ(Yaml("a: !foo x"), R"(yaml: line 1: tag "!foo" is not known)");
  EXPECT_EQ(Yaml("a: !foo {}"), R"(yaml: line 1: tag "!foo" is not known)");
  EXPECT_EQ(Yaml("!!map {a: !!seq [1]}"), R"({"a":[1]})");
}

TEST(Yaml, KeysAreStrings) {
  EXPECT_EQ(Yaml("{12: a, yes: b, 0x10: c, 1.50: d, \"\": e}"),
            R"({"12":"a","true":"b","16":"c","1.5":"d","":"e"})");
  EXPECT_EQ(Yaml("{[a]: b}"), "yaml: line 1: a key is not a string");
  EXPECT_EQ(Yaml("~: b"), "yaml: line 1: a key is null");
  EXPECT_EQ(Yaml("a: 1\nb: 2\na: 3"), R"(yaml: line 3: key "a" is given twice)");
  EXPECT_EQ(Yaml("yes: 1\ntrue: 2"), R"(yaml: line 2: key "true" is given twice)");
}

TEST(Yaml, AliasesAndMerges) {
  EXPECT_EQ(Yaml("a: &x {k: [1]}\nb: *x"), R"({"a":{"k":[1]},"b":{"k":[1]}})");
  EXPECT_EQ(Yaml("a: &x 5\n*x : 6"), R"({"a":5,"5":6})");
  EXPECT_EQ(Yaml("base: &b {x: 1, z: 2}\nc: {<<: *b, z: 3}"),
            R"({"base":{"x":1,"z":2},"c":{"z":3,"x":1}})");
  EXPECT_EQ(Yaml("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}"),
            R"({"a":{"x":1},"b":{"x":2,"z":3},"c":{"x":1,"z":3}})");
  EXPECT_EQ(Yaml("c: {<<: 5}"), "yaml: line 1: << wants a mapping or a list of them");
  EXPECT_EQ(Yaml("c: {\"<<\": 5}"), R"({"c":{"<<":5}})");
  EXPECT_EQ(Yaml("a: &x [*x]"), "yaml: line 1: an alias stands inside of what it names");
  EXPECT_THAT(Yaml("a: *x"), StartsWith("yaml: line 1"));
}

TEST(Yaml, OneDocument) {
  EXPECT_EQ(Yaml(""), "null");
  EXPECT_EQ(Yaml("# nothing\n---\n"), "null");
  EXPECT_EQ(Yaml("---\na: 1\n---\n"), R"({"a":1})");
  EXPECT_EQ(Yaml("a: 1\n---\nb: 2"), "holds more than one document");
  EXPECT_EQ(Yaml("---\n---\n---\na: 1\n...\n"), R"({"a":1})");
}

TEST(Yaml, WhatBeginsNoDocumentEndsIt) {
  for (const char* text : {"{},", "{a: 1}\n,", ",", "[],,", "{}: a,"})
    EXPECT_THAT(Yaml(text), StartsWith("yaml: line ")) << text;
}

TEST(Yaml, SyntaxErrorsNameTheLine) {
  EXPECT_THAT(Yaml("a: 1\nb: [1, 2"), StartsWith("yaml: line "));
  EXPECT_THAT(Yaml("a: b: c"), StartsWith("yaml: line 1"));
  EXPECT_THAT(Yaml("\ta: 1"), StartsWith("yaml: line 1"));
  EXPECT_EQ(Yaml("a: \xff"), "yaml: is not UTF-8 text");
  EXPECT_THAT(Yaml("a: \"\\ud800\""), StartsWith("yaml: line 1"));
}

TEST(Yaml, DepthIsBounded) {
  const DecodeLimits limits{.max_depth = 5};
  EXPECT_EQ(Yaml("[[[[[1]]]]]", limits), "[[[[[1]]]]]");
  EXPECT_EQ(Yaml("[[[[[[1]]]]]]", limits), "is nested deeper than 5");
  EXPECT_EQ(Yaml(Repeat("[", 100'000)), "is nested deeper than 100");
  EXPECT_EQ(Yaml(Repeat("{a: ", 100'000)), "is nested deeper than 100");
  EXPECT_EQ(Yaml(Repeat("- ", 100'000)), "is nested deeper than 100");
  EXPECT_EQ(Yaml(Repeat("? ", 100'000)), "is nested deeper than 100");
  // An alias brings its own depth.
  EXPECT_EQ(Yaml("- &a [[1]]\n- [[*a]]", limits), "[[[1]],[[[[1]]]]]");
  EXPECT_EQ(Yaml("- &a [[1]]\n- [[[*a]]]", limits), "is nested deeper than 5");
}

TEST(Yaml, SizeIsBoundedAlsoAfterExpansion) {
  EXPECT_EQ(Yaml("a: 123456", {.max_bytes = 8}), "is 9 bytes long, more than the 8 allowed");
  EXPECT_EQ(Yaml("[1, 2, 3]", {.max_nodes = 4}), "[1,2,3]");
  EXPECT_EQ(Yaml("[1, 2, 3, 4]", {.max_nodes = 4}), "has more than 4 values");
  // Ten levels of ten aliases each stand for ten billion values.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += StrCat("a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) bomb += StrCat(j > 0 ? ", " : "", "*a", i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(Yaml(bomb), "has more than 1000000 values");
  // Few values, but long ones.
  EXPECT_EQ(Yaml("a: &a " + Repeat("x", 1 << 20) + "\nb: [" + Repeat("*a, ", 100) + "*a]"),
            "holds more than 10485760 bytes");
  // Anchors inside of anchors are copied too.
  EXPECT_EQ(Yaml(Repeat("&a [", 50) + Repeat("x", 1 << 20) + Repeat("]", 50)),
            "holds more than 10485760 bytes");
}

TEST(Json, IsStrict) {
  EXPECT_EQ(Json(R"( {"a": [1, 2.5, "x", null, true]} )"), R"({"a":[1,2.5,"x",null,true]})");
  for (const std::string_view bad :
       {"", "{", "{a:1}", "[1,]", "{\"a\":1,}", "[1] 2", "'a'", "01", "+1", ".5", "NaN",
        "\"\\ud800\"", "\"\xff\"", "[1 2]", "// x\n1", "\"\t\""})
    EXPECT_THAT(Json(bad), StartsWith("json: byte ")) << bad;
}

TEST(Json, KeysGivenTwiceAreErrors) {
  EXPECT_EQ(Json(R"({"a":1,"b":2,"a":3})"), R"(json: key "a" is given twice)");
  EXPECT_EQ(Json(R"({"a":{"x":1},"b":{"x":1,"\u0078":2}})"), R"(json: key "x" is given twice)");
  EXPECT_EQ(Json(R"([{"a":1},{"a":1}])"), R"([{"a":1},{"a":1}])");
}

TEST(Json, IsBounded) {
  EXPECT_EQ(Json("[[[1]]]", {.max_depth = 3}), "[[[1]]]");
  EXPECT_THAT(Json("[[[[1]]]]", {.max_depth = 3}), HasSubstr("json: byte "));
  EXPECT_THAT(Json(Repeat("[", 1'000'000)), HasSubstr("json: byte "));
  EXPECT_EQ(Json("[1,2,3]", {.max_nodes = 4}), "[1,2,3]");
  EXPECT_EQ(Json("[1,2,3,4]", {.max_nodes = 4}), "has more than 4 values");
  EXPECT_EQ(Json("[1,2,3]", {.max_bytes = 6}), "is 7 bytes long, more than the 6 allowed");
}

TEST(JsonOrYaml, ChoosesByTheFirstCharacter) {
  EXPECT_EQ(Show(ParseJsonOrYaml(" \n{\"a\": 0.1}")), R"({"a":0.1})");
  EXPECT_EQ(Show(ParseJsonOrYaml("{a: 1}")), R"({"a":1})");
  EXPECT_EQ(Show(ParseJsonOrYaml("a: 1")), R"({"a":1})");
  EXPECT_EQ(Show(ParseJsonOrYaml("{\"a\": 1, \"a\": 2}")), R"(json: key "a" is given twice)");
}

}  // namespace
}  // namespace cubelet::api
