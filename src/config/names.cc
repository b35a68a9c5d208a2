#include "config/names.h"

#include <algorithm>

namespace cubelet::config {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlphanumeric(char c) { return IsDigit(c) || IsLower(c) || (c >= 'A' && c <= 'Z'); }

bool IsNamePart(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  if (!IsAlphanumeric(name.front()) || !IsAlphanumeric(name.back())) return false;
  return std::ranges::all_of(
      name, [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsDnsPart(std::string_view part) {
  if (part.empty() || part.front() == '-' || part.back() == '-') return false;
  return std::ranges::all_of(part, [](char c) { return IsDigit(c) || IsLower(c) || c == '-'; });
}

}  // namespace

bool IsDnsSubdomain(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  while (true) {
    const size_t dot = name.find('.');
    if (!IsDnsPart(name.substr(0, dot))) return false;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool IsQualifiedName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == name.npos) return IsNamePart(name);
  return IsDnsSubdomain(name.substr(0, slash)) && IsNamePart(name.substr(slash + 1));
}

bool IsLabelValue(std::string_view value) { return value.empty() || IsNamePart(value); }

}  // namespace cubelet::config
