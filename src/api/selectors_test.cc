#include "api/selectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/pod_test_util.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using ::testing::StartsWith;

LabelMap Labels(std::string_view yaml) {
  return FromYaml<metav1::ObjectMeta>(StrCat("labels: ", yaml)).labels();
}

const char* Match(std::string_view selector, std::string_view labels) {
  const absl::StatusOr<Selector> parsed = Selector::Parse(selector);
  if (!parsed.ok()) return "error";
  return parsed->Matches(Labels(labels)) ? "yes" : "no";
}

TEST(Selector, StringForm) {
  struct Case {
    const char* selector;
    const char* labels;
    const char* matches;
  };
  const Case cases[] = {
      {"", "{}", "yes"},
      {" \t", "{a: b}", "yes"},
      {"a=b", "{a: b}", "yes"},
      {"a = b", "{a: c}", "no"},
      {"a==b", "{a: b}", "yes"},
      {"a=b", "{}", "no"},
      {"a=", "{a: \"\"}", "yes"},
      {"a=,c", "{a: \"\", c: d}", "yes"},
      {"a!=b", "{}", "yes"},
      {"a!=b", "{a: b}", "no"},
      {"a != b", "{a: c}", "yes"},
      {"a in (b, c)", "{a: c}", "yes"},
      {"a in (b,c)", "{a: d}", "no"},
      {"a in (b)", "{}", "no"},
      {"a in (,b)", "{a: \"\"}", "yes"},
      {"a in ()", "{a: \"\"}", "yes"},
      {"a notin (b,c)", "{a: c}", "no"},
      {"a notin (b,c)", "{}", "yes"},
      {"a", "{a: b}", "yes"},
      {"a", "{}", "no"},
      {"!a", "{}", "yes"},
      {"! a", "{a: b}", "no"},
      {"a>5", "{a: \"6\"}", "yes"},
      {"a > 5", "{a: \"5\"}", "no"},
      {"a<5", "{a: \"-6\"}", "yes"},
      {"a<5", "{a: \"4\"}", "yes"},
      {"a<5", "{a: x}", "no"},
      {"a<5", "{}", "no"},
      {"a=b,c!=d,e in (f),!g", "{a: b, e: f}", "yes"},
      {"a=b,c!=d,e in (f),!g", "{a: b, e: f, g: h}", "no"},
      {"example.com/in=in", "{example.com/in: in}", "yes"},
      {"in in (in)", "{in: in}", "yes"},
      {"a=b,", "{}", "error"},
      {",a", "{}", "error"},
      {"a b", "{}", "error"},
      {"a=b c", "{}", "error"},
      {"a in b", "{}", "error"},
      {"a in (b", "{}", "error"},
      {"a in (b c)", "{}", "error"},
      {"=b", "{}", "error"},
      {"!", "{}", "error"},
      {"!a=b", "{}", "error"},
      {"a>x", "{}", "error"},
      {"a>", "{}", "error"},
      {"a(b)", "{}", "error"},
      {"a_/b=c", "{}", "error"},
      {"a=b/c", "{}", "error"},
      {"a===b", "{}", "error"},
  };
  for (const Case& c : cases)
    EXPECT_STREQ(Match(c.selector, c.labels), c.matches) << c.selector << " on " << c.labels;
}

TEST(Selector, ErrorsSayWhatWasExpected) {
  const auto error = [](std::string_view text) {
    return std::string(Message(Selector::Parse(text).status()));
  };
  EXPECT_EQ(error("a b"),
            "unable to parse requirement: found \"b\", expected: one of '=', '==', '!=', '>', '<', "
            "'in', 'notin'");
  EXPECT_EQ(error("a in (b"), "unable to parse requirement: found the end, expected: ',' or ')'");
  EXPECT_EQ(error("a>x"), "label a: > and < want one whole number");
  EXPECT_THAT(error("a=b/c"), StartsWith("label a: value \"b/c\": a valid label must be"));
  EXPECT_THAT(error("A_/b"), StartsWith("key \"A_/b\": prefix part a lowercase"));
}

TEST(Selector, CanonicalText) {
  const std::pair<const char*, const char*> cases[] = {
      {"b, a==x", "a=x,b"},
      {"z notin (q,p), y in (x), !w, v>3, u<4", "u<4,v>3,!w,y=x,z notin (p,q)"},
      {"a!=b", "a!=b"},
      {"a in (c,b)", "a in (b,c)"},
      {"", ""},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(Selector::Parse(text)->ToString(), want);
}

TEST(Selector, ObjectForm) {
  const auto match = [](std::string_view selector, std::string_view labels) {
    const absl::StatusOr<Selector> made = Selector::From(FromYaml<metav1::LabelSelector>(selector));
    if (!made.ok()) return std::string(Message(made.status()));
    return std::string(made->Matches(Labels(labels)) ? "yes" : "no");
  };
  EXPECT_EQ(match("{}", "{a: b}"), "yes");
  EXPECT_EQ(match("matchLabels: {a: b}", "{a: b, c: d}"), "yes");
  EXPECT_EQ(match("matchLabels: {a: b, c: e}", "{a: b, c: d}"), "no");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: In, values: [b, c]}]", "{a: c}"), "yes");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: NotIn, values: [b]}]", "{}"), "yes");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: Exists}]", "{}"), "no");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: DoesNotExist}]", "{}"), "yes");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: Gt, values: ['1']}]", "{}"),
            "\"Gt\" is not a valid label selector operator");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: In}]", "{}"),
            "label a: in and notin want values");
  EXPECT_EQ(match("matchExpressions: [{key: a, operator: Exists, values: [b]}]", "{}"),
            "label a: exists takes no values");
}

TEST(Selector, EverythingAndNothing) {
  EXPECT_TRUE(Selector::Everything().Matches(Labels("{}")));
  EXPECT_FALSE(Selector::Nothing().Matches(Labels("{a: b}")));
}

TEST(NodeAffinity, Table) {
  const v1::Node node =
      FromYaml<v1::Node>("metadata: {name: lab, labels: {zone: eu, cores: \"8\", disk: ssd}}");
  const std::pair<const char*, bool> cases[] = {
      {"{}", true},
      {"nodeSelector: {zone: eu}", true},
      {"nodeSelector: {zone: eu, disk: hdd}", false},
      {"nodeSelector: {none: x}", false},
      {"affinity: {nodeAffinity: {}}", true},
      {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, "
       "preference: {matchExpressions: [{key: none, operator: Exists}]}}]}}",
       true},
  };
  for (const auto& [spec, want] : cases)
    EXPECT_EQ(MatchesNodeAffinity(
                  FromYaml<v1::Pod>(StrCat("spec: {", spec[0] == '{' ? "" : spec, "}")), node),
              want)
        << spec;

  const std::pair<const char*, bool> terms[] = {
      {"", false},
      {"{}", false},
      {"{matchExpressions: []}", false},
      {"{matchExpressions: [{key: zone, operator: In, values: [us, eu]}]}", true},
      {"{matchExpressions: [{key: zone, operator: NotIn, values: [eu]}]}", false},
      {"{matchExpressions: [{key: cores, operator: Gt, values: ['4']}]}", true},
      {"{matchExpressions: [{key: cores, operator: Lt, values: ['8']}]}", false},
      {"{matchExpressions: [{key: zone, operator: Exists}, {key: disk, operator: In, values: "
       "[hdd]}]}",
       false},
      {"{matchExpressions: [{key: none, operator: DoesNotExist}]}", true},
      // One that is not well formed selects nothing, others still count.
      {"{matchExpressions: [{key: zone, operator: Like, values: [e]}]}", false},
      {"{matchExpressions: [{key: zone, operator: In}]}", false},
      {"{matchExpressions: [{key: zone, operator: Like}]}, {matchFields: [{key: metadata.name, "
       "operator: In, values: [lab]}]}",
       true},
      {"{matchFields: [{key: metadata.name, operator: In, values: [lab]}]}", true},
      {"{matchFields: [{key: metadata.name, operator: NotIn, values: [lab]}]}", false},
      {"{matchFields: [{key: metadata.name, operator: NotIn, values: [other]}]}", true},
      {"{matchFields: [{key: metadata.name, operator: In, values: [lab, other]}]}", false},
      {"{matchFields: [{key: spec.podCIDR, operator: In, values: [lab]}]}", false},
      {"{matchFields: [{key: metadata.name, operator: In, values: [lab]}], matchExpressions: "
       "[{key: none, operator: Exists}]}",
       false},
  };
  for (const auto& [term, want] : terms) {
    const v1::Pod pod = FromYaml<v1::Pod>(
        StrCat("spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
               "{nodeSelectorTerms: [",
               term, "]}}}}"));
    EXPECT_EQ(MatchesNodeAffinity(pod, node), want) << term;
  }
}

}  // namespace
}  // namespace cubelet::api
