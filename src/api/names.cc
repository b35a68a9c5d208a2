#include "api/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "base/strings.h"

namespace cubelet::api {
namespace {

constexpr size_t kLabelLength = 63;
constexpr size_t kSubdomainLength = 253;
constexpr size_t kPortNameLength = 15;

constexpr char kLabelFormat[] = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr char kSubdomainFormat[] =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr char kUnderscoreFormat[] =
    "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
constexpr char kKeyFormat[] = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr char kKeyRule[] =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character";

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerAlnum(char c) { return IsLower(c) || IsDigit(c); }
bool IsAlnum(char c) { return IsLowerAlnum(c) || (c >= 'A' && c <= 'Z'); }

template <typename Predicate>
bool AllOf(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Not empty, alphanumeric at both ends, `inner` between.
template <typename Edge, typename Inner>
bool HasForm(std::string_view text, Edge edge, Inner inner) {
  return !text.empty() && edge(text.front()) && edge(text.back()) && AllOf(text, inner);
}

bool IsLabelForm(std::string_view text) {
  return HasForm(text, IsLowerAlnum, [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

bool IsUnderscoreForm(std::string_view text) {
  if (text.starts_with('_')) text.remove_prefix(1);
  return HasForm(text, IsLowerAlnum,
                 [](char c) { return IsLowerAlnum(c) || c == '-' || c == '_'; });
}

bool IsKeyForm(std::string_view text) {
  return HasForm(text, IsAlnum,
                 [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

template <typename Predicate>
bool EachPart(std::string_view text, std::string_view separators, Predicate predicate) {
  while (true) {
    const size_t end = text.find_first_of(separators);
    if (!predicate(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsSubdomainForm(std::string_view text) { return EachPart(text, ".", IsLabelForm); }

std::string TooLong(size_t length) {
  return StrCat("must be no more than ", length, " characters");
}

// "<rule> (e.g. 'a',  or 'b', regex used for validation is '<format>')"
std::string BadForm(std::string_view rule, std::string_view format,
                    std::initializer_list<std::string_view> examples) {
  std::string out = StrCat(rule, " (e.g. ");
  bool first = true;
  for (const std::string_view example : examples) {
    StrAppend(&out, first ? "" : " or ", "'", example, "', ");
    first = false;
  }
  return StrCat(out, "regex used for validation is '", format, "')");
}

// Names that would lead out of a directory.
void AddParentFaults(std::string_view text, Faults& faults) {
  if (text == ".") {
    faults.push_back("must not be '.'");
  } else if (text == "..") {
    faults.push_back("must not be '..'");
  } else if (text.starts_with("..")) {
    faults.push_back("must not start with '..'");
  }
}

bool IsIpv4(std::string_view text) {
  int parts = 0;
  return EachPart(text, ".",
                  [&parts](std::string_view part) {
                    if (++parts > 4 || part.empty() || !AllOf(part, IsDigit)) return false;
                    part.remove_prefix(std::min(part.find_first_not_of('0'), part.size() - 1));
                    return part.size() < 3 || (part.size() == 3 && part <= "255");
                  }) &&
         parts == 4;
}

}  // namespace

const char kSysctlFormat[] =
    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

Faults Dns1123LabelFaults(std::string_view text) {
  Faults faults;
  if (text.size() > kLabelLength) faults.push_back(TooLong(kLabelLength));
  if (IsLabelForm(text)) return faults;
  if (IsSubdomainForm(text)) {
    faults.push_back("must not contain dots");
  } else {
    faults.push_back(
        BadForm("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
                "'-', and must start and end with an alphanumeric character",
                kLabelFormat, {"my-name", "123-abc"}));
  }
  return faults;
}

Faults Dns1123SubdomainFaults(std::string_view text, bool underscores) {
  Faults faults;
  if (text.size() > kSubdomainLength) faults.push_back(TooLong(kSubdomainLength));
  if (underscores ? EachPart(text, ".", IsUnderscoreForm) : IsSubdomainForm(text)) return faults;
  faults.push_back(BadForm(
      StrCat("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, ",
             underscores ? "'_', " : "",
             "'-' or '.', and must start and end with an alphanumeric character"),
      underscores ? kUnderscoreFormat : kSubdomainFormat, {"example.com"}));
  return faults;
}

Faults LabelKeyFaults(std::string_view text) {
  Faults faults;
  std::string_view name = text;
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(0, slash);
    name = text.substr(slash + 1);
    if (name.find('/') != std::string_view::npos)
      return {StrCat("a valid label key ",
                     BadForm(kKeyRule, kKeyFormat, {"MyName", "my.name", "123-abc"}),
                     " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")};
    if (prefix.empty()) {
      faults.push_back("prefix part must be non-empty");
    } else {
      for (const std::string& fault : Dns1123SubdomainFaults(prefix))
        faults.push_back(StrCat("prefix part ", fault));
    }
  }
  if (name.empty()) {
    faults.push_back("name part must be non-empty");
  } else if (name.size() > kLabelLength) {
    faults.push_back(StrCat("name part ", TooLong(kLabelLength)));
  }
  if (!IsKeyForm(name))
    faults.push_back(
        StrCat("name part ", BadForm(kKeyRule, kKeyFormat, {"MyName", "my.name", "123-abc"})));
  return faults;
}

Faults LabelValueFaults(std::string_view text) {
  Faults faults;
  if (text.size() > kLabelLength) faults.push_back(TooLong(kLabelLength));
  if (!text.empty() && !IsKeyForm(text))
    faults.push_back(
        BadForm("a valid label must be an empty string or consist of alphanumeric characters, '-', "
                "'_' or '.', and must start and end with an alphanumeric character",
                StrCat("(", kKeyFormat, ")?"), {"MyValue", "my_value", "12345"}));
  return faults;
}

Faults EnvVarNameFaults(std::string_view text) {
  if (text.empty()) return {"environment variable name must be non-empty"};
  if (AllOf(text, [](char c) { return c >= ' ' && c <= '~' && c != '='; })) return {};
  return {
      "a valid environment variable name must consist only of printable ASCII characters other "
      "than '='"};
}

Faults ConfigKeyFaults(std::string_view text) {
  Faults faults;
  if (text.size() > kSubdomainLength) faults.push_back(TooLong(kSubdomainLength));
  if (text.empty() ||
      !AllOf(text, [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; }))
    faults.push_back(
        BadForm("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  AddParentFaults(text, faults);
  return faults;
}

Faults PortNameFaults(std::string_view text) {
  Faults faults;
  if (text.size() > kPortNameLength) faults.push_back(TooLong(kPortNameLength));
  if (text.empty() || !AllOf(text, [](char c) { return IsLowerAlnum(c) || c == '-'; }))
    faults.push_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (std::none_of(text.begin(), text.end(), IsLower))
    faults.push_back("must contain at least one letter (a-z)");
  if (text.find("--") != std::string_view::npos)
    faults.push_back("must not contain consecutive hyphens");
  if (text.starts_with('-') || text.ends_with('-'))
    faults.push_back("must not begin or end with a hyphen");
  return faults;
}

Faults PortNumberFaults(int64_t port) {
  if (port >= 1 && port <= 65535) return {};
  return {RangeFault(1, 65535)};
}

Faults HttpHeaderNameFaults(std::string_view text) {
  if (!text.empty() && AllOf(text, [](char c) { return IsAlnum(c) || c == '-'; })) return {};
  return {BadForm("a valid HTTP header must consist of alphanumeric characters or '-'",
                  "[-A-Za-z0-9]+", {"X-Header-Name"})};
}

Faults IpFaults(std::string_view text) {
  in6_addr address;
  if (IsIpv4(text) || inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1) return {};
  return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

Faults IdFaults(int64_t id) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  if (id >= 0 && id <= kMost) return {};
  return {RangeFault(0, kMost)};
}

bool IsSysctlName(std::string_view text) {
  return text.size() <= kSubdomainLength && EachPart(text, "./", [](std::string_view part) {
           return HasForm(part, IsLowerAlnum,
                          [](char c) { return IsLowerAlnum(c) || c == '-' || c == '_'; });
         });
}

std::string RangeFault(int64_t low, int64_t high) {
  return StrCat("must be between ", low, " and ", high, ", inclusive");
}

std::string MaskTrailingDash(std::string_view text) {
  if (text.size() < 2 || !text.ends_with('-')) return std::string(text);
  return StrCat(text.substr(0, text.size() - 2), "a");
}

}  // namespace cubelet::api
