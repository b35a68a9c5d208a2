// The syntax of label and taint keys and values (the API's rules). Pure.
#pragma once

#include <string_view>

namespace cubelet::config {

// "name" or "domain/name"; at most 63 characters of letters, digits, '-', '_' and '.', the ends
// alphanumeric; the domain is a DNS subdomain.
bool IsQualifiedName(std::string_view name);

// Empty, or as the name above.
bool IsLabelValue(std::string_view value);

// Lower case letters, digits, '-' and '.' in at most 253 characters.
bool IsDnsSubdomain(std::string_view name);

}  // namespace cubelet::config
