// Text forms that Kubernetes' messages and files use and Abseil does not have, and the bridge
// between the two views: Debian 12 builds Abseil with a string_view class of its own. Our
// interfaces speak std::string_view; StrCat and StrAppend below take both.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace cubelet {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }
inline std::string_view Message(const absl::Status& status) { return ToStd(status.message()); }

namespace strings_internal {
inline absl::string_view Piece(std::string_view text) { return ToAbsl(text); }
template <typename T>
const T& Piece(const T& value) {
  return value;
}
}  // namespace strings_internal

// absl::StrCat and absl::StrAppend that also take std::string_view.
template <typename... Ts>
std::string StrCat(const Ts&... parts) {
  return absl::StrCat(strings_internal::Piece(parts)...);
}
template <typename... Ts>
void StrAppend(std::string* out, const Ts&... parts) {
  absl::StrAppend(out, strings_internal::Piece(parts)...);
}

// `text` in double quotes with Go's escapes (the %q of the messages others read).
std::string GoQuote(std::string_view text);

// `text` as a JSON string. Invalid UTF-8 is replaced by U+FFFD.
std::string JsonQuote(std::string_view text);

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string CleanUtf8(std::string_view text);

// "[a b c]", Go's print of a list.
std::string GoList(std::span<const std::string> items);

std::string HexEncode(std::string_view bytes);

// FNV-1a, 32 and 64 bit: hashes that other kubelets compute over the same text.
uint32_t Fnv1a32(std::string_view text);
uint64_t Fnv1a64(std::string_view text);

}  // namespace cubelet
