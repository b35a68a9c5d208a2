#include "api/expansion.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace cubelet::api {
namespace {

std::string ExpandAll(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> kValues = {
      {"A", "1"}, {"LONG_NAME.x", "value"}, {"EMPTY", ""}, {"REF", "$(A)"}, {"", "nameless"}};
  return Expand(text, [](std::string_view name) -> std::optional<std::string> {
    const auto found = kValues.find(name);
    return found == kValues.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(Expansion, Table) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"$(A)", "1"},
      {"x$(A)y$(LONG_NAME.x)z", "x1yvaluez"},
      {"[$(EMPTY)]", "[]"},
      {"$(UNKNOWN)", "$(UNKNOWN)"},
      {"$$", "$"},
      {"$$(A)", "$(A)"},
      {"$$$(A)", "$1"},
      {"$$$$(A)", "$$(A)"},
      {"$A ${A} $-", "$A ${A} $-"},
      {"$", "$"},
      {"end$", "end$"},
      {"$(", "$("},
      {"$(A", "$(A"},
      {"$(A$(A)", "$(A$(A)"},
      {"$(A $(A)) $(A)", "$(A $(A)) 1"},
      {"$()", "nameless"},
      {"$(REF)", "$(A)"},
      {"$( A)", "$( A)"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(ExpandAll(text), want) << text;
}

}  // namespace
}  // namespace cubelet::api
