#include "server/request.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool PercentDecode(std::string_view text, bool plus_is_space, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      *out += ' ';
    } else if (text[i] != '%') {
      *out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      *out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

}  // namespace

bool ParseTarget(std::string_view target, std::string* path, Query* query) {
  if (const size_t scheme = target.find("://"); !target.starts_with('/')) {
    if (scheme == std::string_view::npos) return false;
    const size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const size_t question = target.find('?');
  if (!PercentDecode(target.substr(0, question), false, path)) return false;
  query->clear();
  if (question == std::string_view::npos) return true;
  for (absl::string_view part :
       absl::StrSplit(ToAbsl(target.substr(question + 1)), '&', absl::SkipEmpty())) {
    const size_t equal = part.find('=');
    std::string key, value;
    if (!PercentDecode(ToStd(part.substr(0, equal)), true, &key)) return false;
    if (equal != absl::string_view::npos &&
        !PercentDecode(ToStd(part.substr(equal + 1)), true, &value)) {
      return false;
    }
    query->emplace_back(std::move(key), std::move(value));
  }
  return true;
}

bool Has(const Query& query, std::string_view key) {
  return std::any_of(query.begin(), query.end(), [&](const auto& p) { return p.first == key; });
}

std::string First(const Query& query, std::string_view key) {
  for (const auto& [name, value] : query) {
    if (name == key) return value;
  }
  return "";
}

std::string Header(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (absl::EqualsIgnoreCase(key, ToAbsl(name))) return value;
  }
  return "";
}

bool WantsUpgrade(const Request& request) {
  for (const auto& [key, value] : request.headers) {
    if (!absl::EqualsIgnoreCase(key, "Connection")) continue;
    for (absl::string_view word : absl::StrSplit(value, ',')) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(word), "upgrade"))
        return !Header(request, "Upgrade").empty();
    }
  }
  return false;
}

}  // namespace cubelet::server
