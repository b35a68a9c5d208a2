// The three tables hang together with the schema and with each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/strings.h"
#include "config/field_table.h"
#include "config/fields.h"
#include "config/flag_table.h"
#include "config/flags.h"
#include "config/help.h"

namespace cubelet::config {
namespace {

using ::testing::HasSubstr;

TEST(FieldTable, HasOneRowForEachFieldOfTheSchemaInItsOrder) {
  std::vector<std::string> rows;
  for (const FieldSpec& field : Fields()) rows.emplace_back(field.path);
  EXPECT_EQ(rows, SchemaPaths());
}

TEST(FieldTable, DefaultsAreReadableAndReadBackTheSame) {
  for (const FieldSpec& field : Fields()) {
    EXPECT_FALSE(field.help.empty()) << field.path;
    EXPECT_NE(field.help.back(), '.') << field.path;
    for (std::string_view text : {field.fallback, field.legacy_fallback}) {
      if (text.empty()) continue;
      KubeletConfiguration config;
      const ValueKind kind = KindOfField(field.path);
      ASSERT_TRUE(SetFromText(config, field.path, kind, text).ok()) << field.path;
      const std::string want =
          kind == ValueKind::kStringList ? StrCat("[", text, "]") : std::string(text);
      EXPECT_EQ(ToText(config, field.path, kind), want) << field.path;
    }
  }
}

TEST(FieldTable, RulesFitTheTypes) {
  for (const FieldSpec& field : Fields()) {
    const ValueKind kind = KindOfField(field.path);
    const bool number =
        kind == ValueKind::kInt32 || kind == ValueKind::kInt64 || kind == ValueKind::kUint32;
    switch (field.rule.kind) {
      case Rule::Kind::kNone:
        break;
      case Rule::Kind::kNotNegative:
      case Rule::Kind::kPositive:
        EXPECT_TRUE(number || kind == ValueKind::kDuration) << field.path;
        break;
      case Rule::Kind::kBetween:
      case Rule::Kind::kAtLeast:
        EXPECT_TRUE(number) << field.path;
        break;
      case Rule::Kind::kOneOf:
      case Rule::Kind::kNotEmpty:
        EXPECT_EQ(kind, ValueKind::kString) << field.path;
        break;
    }
  }
}

TEST(FlagTable, IsSortedAndHasTheOriginals150Flags) {
  EXPECT_TRUE(std::ranges::is_sorted(Flags(), {}, &FlagSpec::name));
  EXPECT_EQ(Flags().size(), 150u);
  const auto deprecated =
      std::ranges::count_if(Flags(), [](const FlagSpec& flag) { return !flag.deprecated.empty(); });
  EXPECT_EQ(deprecated, 125);
}

TEST(FlagTable, FieldFlagsNameDifferentFieldsOfTheTable) {
  std::set<std::string_view> paths;
  for (const FlagSpec& flag : Flags()) {
    if (flag.field().empty()) {
      EXPECT_FALSE(flag.help.empty()) << flag.name;
      EXPECT_NE(flag.kind, ValueKind::kDefault) << flag.name;
      continue;
    }
    EXPECT_NE(FindField(flag.field()), nullptr) << flag.name;
    EXPECT_TRUE(paths.insert(flag.field()).second) << flag.name;
    EXPECT_EQ(FlagOfField(flag.field()), &flag);
    EXPECT_TRUE(flag.help.empty() && flag.fallback.empty())
        << flag.name << ": a field's help and default stand in the field table";
  }
}

TEST(FlagTable, LooksUpByEitherSpelling) {
  EXPECT_EQ(FindFlag("root-dir"), FindFlag("root_dir"));
  EXPECT_EQ(FindFlag("nothing"), nullptr);
  EXPECT_EQ(FindFlag(""), nullptr);
  EXPECT_EQ(FindShorthand('v')->name, "v");
  EXPECT_EQ(FindShorthand('h')->name, "help");
  EXPECT_EQ(FindShorthand('x'), nullptr);
}

TEST(Flags, DefaultsOfTheFlagsBesideTheConfiguration) {
  const NodeFlags flags = DefaultNodeFlags();
  EXPECT_EQ(flags.root_dir, "/var/lib/kubelet");
  EXPECT_EQ(flags.cert_dir, "/var/lib/kubelet/pki");
  EXPECT_EQ(flags.kubeconfig, "");
  EXPECT_EQ(flags.version, "false");
  EXPECT_EQ(flags.maximum_dead_containers, -1);
  EXPECT_EQ(flags.maximum_dead_containers_per_container, 1);
  EXPECT_EQ(flags.housekeeping_interval, absl::Seconds(10));
  EXPECT_EQ(flags.machine_id_file, "/etc/machine-id,/var/lib/dbus/machine-id");
}

TEST(Help, ListsEveryFlagInAGroupWithItsDefault) {
  const std::string help = HelpText();
  for (const FlagSpec& flag : Flags())
    EXPECT_THAT(help, HasSubstr(StrCat("--", flag.name))) << flag.name;
  EXPECT_THAT(help, HasSubstr("\nServer:\n"));
  EXPECT_THAT(help, HasSubstr("  -v, --v Level\n          Verbosity of the log\n"));
  EXPECT_THAT(help, HasSubstr("--root-dir string\n          Directory of the kubelet's state "
                              "(default \"/var/lib/kubelet\")\n"));
  EXPECT_THAT(help, HasSubstr("--read-only-port int32\n"));
  EXPECT_THAT(help,
              HasSubstr("(default 10255) (DEPRECATED: set readOnlyPort in the --config file)"));
  EXPECT_THAT(help, HasSubstr("--enforce-node-allocatable strings\n"));
  EXPECT_THAT(help, HasSubstr("(default [pods])"));
}

}  // namespace
}  // namespace cubelet::config
