// The table of all command line flags (flag_table.cc). A flag sets a field of KubeletConfiguration,
// a member of NodeFlags, or nothing (flags of the original that mean nothing here).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/time/time.h"
#include "config/config.h"
#include "config/value_text.h"

namespace cubelet::config {

enum class FlagGroup {
  kGeneral,
  kNode,
  kApiServer,
  kServer,
  kSecurity,
  kPods,
  kRuntime,
  kResources,
  kReclaim,
  kLogging,
  kIgnored,
};
const char* FlagGroupTitle(FlagGroup group);

struct FieldPath {
  std::string_view path;
};

using FlagTarget =
    std::variant<std::monostate, FieldPath, bool NodeFlags::*, std::string NodeFlags::*,
                 int32_t NodeFlags::*, absl::Duration NodeFlags::*,
                 std::map<std::string, std::string> NodeFlags::*>;

struct FlagSpec {
  FlagGroup group;
  std::string_view name;
  char shorthand = 0;
  FlagTarget target;
  // How the text is read. For fields kDefault: what the schema's type says.
  ValueKind kind = ValueKind::kDefault;
  std::string_view fallback;  // the default as text; a field's stands in the field table
  // What to do instead; "" when the flag is not deprecated.
  std::string_view deprecated;
  std::string_view help;  // a field's stands in the field table

  // The field's path; "" for other targets.
  std::string_view field() const {
    const FieldPath* path = std::get_if<FieldPath>(&target);
    return path == nullptr ? std::string_view() : path->path;
  }
};

// Sorted by name.
std::span<const FlagSpec> Flags();

// By name, words separated by '-' or '_'. Null if there is none.
const FlagSpec* FindFlag(std::string_view name);
const FlagSpec* FindShorthand(char shorthand);

// The flag that sets the field at `path`, null if there is none.
const FlagSpec* FlagOfField(std::string_view path);

// The row's kind, with that of a field looked up in the schema.
ValueKind KindOf(const FlagSpec& flag);

// "--name" without a value means this; "" when a value must follow.
std::string_view ImpliedValue(const FlagSpec& flag);

}  // namespace cubelet::config
