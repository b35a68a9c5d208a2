// Fields of KubeletConfiguration by path and as text, over reflection: what the tables are applied
// with. Paths are those of field_table.cc; another one is a bug.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/value_text.h"

namespace cubelet::config {

using v1beta1::KubeletConfiguration;

ValueKind KindOfField(std::string_view path);

// The paths of all settings in the schema's order. A list of objects is one setting.
std::vector<std::string> SchemaPaths();

// Whether the field has a value, in the original's sense: fields that distinguish unset from zero
// are present, others are not zero.
bool IsSet(const KubeletConfiguration& config, std::string_view path);

// Whether the field is one that distinguishes unset from zero, and is unset.
bool IsAbsent(const KubeletConfiguration& config, std::string_view path);

void Clear(KubeletConfiguration& config, std::string_view path);

// Sets a single value; adds to a list or a map. Taints and other lists of objects are replaced but
// for reserved memory, which can be given node by node. Error: what is wrong with the text.
absl::Status SetFromText(KubeletConfiguration& config, std::string_view path, ValueKind kind,
                         std::string_view text);

// The value as a flag would be given it; lists are "[a,b]".
std::string ToText(const KubeletConfiguration& config, std::string_view path, ValueKind kind);

// A number, or a duration in nanoseconds; zero when unset. For text fields and others: a bug.
int64_t ToNumber(const KubeletConfiguration& config, std::string_view path);

}  // namespace cubelet::config
