#include "config/flag_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/strings.h"

namespace cubelet::config {
namespace {

using Args = std::vector<std::string>;
using Values = std::vector<std::pair<std::string, std::string>>;

Values Parsed(const Args& args) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(args);
  EXPECT_TRUE(line.ok()) << line.status();
  Values values;
  if (!line.ok()) return values;
  for (const Occurrence& occurrence : line->flags)
    values.emplace_back(std::string(occurrence.flag->name), occurrence.value);
  return values;
}

std::string ErrorOf(const Args& args) {
  return std::string(Message(ParseCommandLine(args).status()));
}

TEST(FlagSyntax, ValuesFollowAnEqualsSignOrTheNextArgument) {
  EXPECT_EQ(Parsed({"--root-dir=/a", "--root-dir", "/b"}),
            (Values{{"root-dir", "/a"}, {"root-dir", "/b"}}));
  EXPECT_EQ(Parsed({"--node-labels=a=b,c=d"}), (Values{{"node-labels", "a=b,c=d"}}));
  EXPECT_EQ(Parsed({"--resolv-conf="}), (Values{{"resolv-conf", ""}}));
  EXPECT_EQ(Parsed({"--oom-score-adj", "-998"}), (Values{{"oom-score-adj", "-998"}}));
  EXPECT_EQ(Parsed({"--kubeconfig", "--v"}), (Values{{"kubeconfig", "--v"}}));
}

TEST(FlagSyntax, WordsAreSeparatedByDashOrUnderscore) {
  EXPECT_EQ(Parsed({"--root_dir=/a", "--read_only-port=0"}),
            (Values{{"root-dir", "/a"}, {"read-only-port", "0"}}));
}

TEST(FlagSyntax, BooleansNeedNoValueAndTakeNoArgument) {
  EXPECT_EQ(Parsed({"--fail-swap-on", "--runonce=false"}),
            (Values{{"fail-swap-on", "true"}, {"runonce", "false"}}));
  const absl::StatusOr<CommandLine> line = ParseCommandLine({"--fail-swap-on", "false"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->positional, Args{"false"});
  EXPECT_EQ(Parsed({"--version", "--version=raw"}),
            (Values{{"version", "true"}, {"version", "raw"}}));
}

TEST(FlagSyntax, Shorthands) {
  const Values four = {{"v", "4"}};
  EXPECT_EQ(Parsed({"-v", "4"}), four);
  EXPECT_EQ(Parsed({"-v4"}), four);
  EXPECT_EQ(Parsed({"-v=4"}), four);
  EXPECT_EQ(Parsed({"--v=4"}), four);
  EXPECT_EQ(Parsed({"--v", "4"}), four);
  EXPECT_EQ(Parsed({"-h"}), (Values{{"help", "true"}}));
  EXPECT_EQ(Parsed({"-hv2"}), (Values{{"help", "true"}, {"v", "2"}}));
  EXPECT_EQ(Parsed({"-h=false"}), (Values{{"help", "false"}}));
}

TEST(FlagSyntax, WhatIsNoFlagIsPositional) {
  const absl::StatusOr<CommandLine> line =
      ParseCommandLine({"a", "--v=1", "-", "--", "--v=2", "b"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->positional, (Args{"a", "-", "--v=2", "b"}));
  EXPECT_EQ(line->flags.size(), 1u);
}

TEST(FlagSyntax, ErrorsNameTheFlag) {
  EXPECT_EQ(ErrorOf({"--no-such-flag=1"}), "unknown flag: --no-such-flag");
  EXPECT_EQ(ErrorOf({"--RootDir=/a"}), "unknown flag: --RootDir");
  EXPECT_EQ(ErrorOf({"--root-dir"}), "flag needs an argument: --root-dir");
  EXPECT_EQ(ErrorOf({"-v"}), "flag needs an argument: 'v' in -v");
  EXPECT_EQ(ErrorOf({"-vmodule=x"}), "");  // -v with the value "module=x"
  EXPECT_EQ(ErrorOf({"-root-dir=/a"}), "unknown shorthand flag: 'r' in -root-dir=/a");
  EXPECT_EQ(ErrorOf({"--=x"}), "bad flag syntax: --=x");
  EXPECT_EQ(ErrorOf({"---v=1"}), "bad flag syntax: ---v=1");
}

}  // namespace
}  // namespace cubelet::config
