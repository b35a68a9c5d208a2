#include "images/image_name.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::images {
namespace {

constexpr char kDefaultDomain[] = "docker.io";
constexpr char kLegacyDefaultDomain[] = "index.docker.io";
constexpr char kOfficialPrefix[] = "library/";
constexpr char kLocalhost[] = "localhost";
constexpr char kDefaultTag[] = "latest";
constexpr char kInvalidFormat[] = "invalid reference format";
constexpr size_t kMaxPathLength = 255;
constexpr size_t kMaxTagLength = 128;
constexpr size_t kMinDigestHexLength = 32;
constexpr size_t kIdentifierLength = 64;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return IsLower(c) || IsUpper(c); }
bool IsAlnum(char c) { return IsAlpha(c) || IsDigit(c); }
bool IsLowerAlnum(char c) { return IsLower(c) || IsDigit(c); }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsLowerHex(char c) { return IsHex(c) && !IsUpper(c); }

bool All(std::string_view text, bool (*test)(char)) {
  return std::all_of(text.begin(), text.end(), test);
}

// Takes the text before the next `separator` (all of it when there is none) off `rest`.
std::string_view TakeUntil(std::string_view& rest, char separator, bool& more) {
  const size_t end = rest.find(separator);
  const std::string_view head = rest.substr(0, end);
  more = end != std::string_view::npos;
  rest = more ? rest.substr(end + 1) : std::string_view();
  return head;
}

template <typename Test>
bool EachPart(std::string_view text, char separator, Test test) {
  bool more = true;
  while (more) {
    if (!test(TakeUntil(text, separator, more))) return false;
  }
  return true;
}

// Runs of [a-z0-9] joined by ".", "_", "__" or any number of "-".
bool IsPathComponent(std::string_view text) {
  size_t i = 0;
  while (true) {
    const size_t start = i;
    while (i < text.size() && IsLowerAlnum(text[i])) ++i;
    if (i == start) return false;
    if (i == text.size()) return true;
    const char separator = text[i];
    if (separator != '.' && separator != '_' && separator != '-') return false;
    const size_t first = i;
    while (i < text.size() && text[i] == separator) ++i;
    const size_t run = i - first;
    if ((separator == '.' && run > 1) || (separator == '_' && run > 2)) return false;
  }
}

bool IsPath(std::string_view text) { return EachPart(text, '/', IsPathComponent); }

bool IsDomainComponent(std::string_view text) {
  return !text.empty() && IsAlnum(text.front()) && IsAlnum(text.back()) &&
         All(text, [](char c) { return IsAlnum(c) || c == '-'; });
}

// A host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
bool IsDomain(std::string_view text) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    if (!All(text.substr(1, end - 1), [](char c) { return IsHex(c) || c == ':'; })) return false;
    const std::string_view behind = text.substr(end + 1);
    if (behind.empty()) return true;
    if (behind.front() != ':') return false;
    port = behind.substr(1);
  } else {
    if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
      host = text.substr(0, colon);
      port = text.substr(colon + 1);
    }
    if (!EachPart(host, '.', IsDomainComponent)) return false;
  }
  return !port || (!port->empty() && All(*port, IsDigit));
}

bool IsTag(std::string_view text) {
  const auto word = [](char c) { return IsAlnum(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTagLength && word(text.front()) &&
         All(text, [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

// "<algorithm>:<hex>" as a reference may hold it; whether it is a digest is CheckDigest's question.
bool IsDigestShaped(std::string_view text) {
  bool more = false;
  std::string_view hex = text;
  const std::string_view algorithm = TakeUntil(hex, ':', more);
  if (!more || hex.size() < kMinDigestHexLength || !All(hex, IsHex)) return false;
  bool at_start = true;
  for (const char c : algorithm) {
    const bool joint = c == '-' || c == '_' || c == '+' || c == '.';
    if (at_start ? !IsAlpha(c) : !(IsAlnum(c) || joint)) return false;
    at_start = joint;
  }
  return !at_start;
}

// "" for a digest that can be checked, otherwise what is wrong with it.
std::string CheckDigest(std::string_view digest) {
  bool more = false;
  std::string_view hex = digest;
  const std::string_view algorithm = TakeUntil(hex, ':', more);
  static constexpr std::pair<std::string_view, size_t> kLengths[] = {
      {"sha256", 64}, {"sha384", 96}, {"sha512", 128}};
  for (const auto& [name, length] : kLengths) {
    if (algorithm != name) continue;
    if (hex.size() != length) return "invalid checksum digest length";
    return All(hex, IsLowerHex) ? "" : "invalid checksum digest format";
  }
  return All(algorithm, [](char c) { return !IsUpper(c); }) ? "unsupported digest algorithm"
                                                            : "invalid checksum digest format";
}

// The parts of "<domain>/<path>[:tag][@digest]"; nothing when it does not follow the grammar.
std::optional<ImageName> Match(std::string_view reference) {
  ImageName name;
  std::string_view rest = reference;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    name.digest = rest.substr(at + 1);
    if (!IsDigestShaped(name.digest)) return std::nullopt;
    rest = rest.substr(0, at);
  }
  const size_t last_slash = rest.rfind('/');
  const size_t last_colon = rest.rfind(':');
  if (last_colon != std::string_view::npos &&
      (last_slash == std::string_view::npos || last_colon > last_slash)) {
    name.tag = rest.substr(last_colon + 1);
    if (!IsTag(name.tag)) return std::nullopt;
    rest = rest.substr(0, last_colon);
  }
  bool more = false;
  std::string_view path = rest;
  const std::string_view first = TakeUntil(path, '/', more);
  if (more && IsDomain(first) && IsPath(path)) {
    name.domain = first;
    name.path = path;
    return name;
  }
  if (!IsPath(rest)) return std::nullopt;
  name.path = rest;
  return name;
}

struct Split {
  std::string domain;
  std::string remainder;
};

// The first part is a registry only if it looks like a host: a dot, a port, "localhost" or an upper
// case letter.
Split SplitDomain(std::string_view image) {
  bool has_slash = false;
  std::string_view rest = image;
  const std::string_view first = TakeUntil(rest, '/', has_slash);
  const bool host_like = first.find_first_of(".:") != std::string_view::npos ||
                         first == kLocalhost || std::any_of(first.begin(), first.end(), IsUpper);
  Split split{kDefaultDomain, std::string(image)};
  if (has_slash && host_like) split = {std::string(first), std::string(rest)};
  if (split.domain == kLegacyDefaultDomain) split.domain = kDefaultDomain;
  if (split.domain == kDefaultDomain && split.remainder.find('/') == std::string::npos)
    split.remainder.insert(0, kOfficialPrefix);
  return split;
}

absl::Status Invalid(std::string_view image, std::string_view why) {
  return absl::InvalidArgumentError(
      StrCat("couldn't parse image name ", GoQuote(image), ": ", why));
}

}  // namespace

absl::StatusOr<ImageName> ParseImageName(std::string_view image) {
  if (image.size() == kIdentifierLength && All(image, IsLowerHex)) {
    return Invalid(image, StrCat("invalid repository name (", image,
                                 "), cannot specify 64-byte hexadecimal strings"));
  }
  const Split split = SplitDomain(image);
  const std::string repository = split.remainder.substr(0, split.remainder.find(':'));
  if (std::any_of(repository.begin(), repository.end(), IsUpper)) {
    return Invalid(
        image, StrCat(kInvalidFormat, ": repository name (", repository, ") must be lowercase"));
  }
  const std::string reference = StrCat(split.domain, "/", split.remainder);
  std::optional<ImageName> name = Match(reference);
  if (!name) {
    const bool only_case = Match(absl::AsciiStrToLower(reference)).has_value();
    return Invalid(image, only_case ? "repository name must be lowercase" : kInvalidFormat);
  }
  if (name->path.size() > kMaxPathLength) {
    return Invalid(image,
                   StrCat("repository name must not be more than ", kMaxPathLength, " characters"));
  }
  if (!name->digest.empty()) {
    if (const std::string wrong = CheckDigest(name->digest); !wrong.empty())
      return Invalid(image, wrong);
  }
  return *std::move(name);
}

absl::StatusOr<std::string> WithDefaultTag(std::string_view image) {
  ASSIGN_OR_RETURN(const ImageName name, ParseImageName(image));
  if (!name.tag.empty() || !name.digest.empty()) return std::string(image);
  return StrCat(image, ":", kDefaultTag);
}

}  // namespace cubelet::images
