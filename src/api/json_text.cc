#include "api/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "absl/strings/str_format.h"
#include "api/codec.h"
#include "api/codec_special.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

class Writer {
 public:
  explicit Writer(bool escape_html) : escape_html_(escape_html) {}

  void Value(const json::value& value) {
    switch (value.kind()) {
      case json::kind::null:
        out_ += "null";
        return;
      case json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        return;
      case json::kind::int64:
      case json::kind::uint64:
      case json::kind::double_:
        out_ += NumberText(value);
        return;
      case json::kind::string:
        Text({value.get_string().data(), value.get_string().size()});
        return;
      case json::kind::array:
        Array(value.get_array());
        return;
      case json::kind::object:
        Object(value.get_object());
        return;
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void Array(const json::array& items) {
    out_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ',';
      Value(items[i]);
    }
    out_ += ']';
  }

  void Object(const json::object& members) {
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : members) {
      if (!first) out_ += ',';
      first = false;
      Text({key.data(), key.size()});
      out_ += ':';
      Value(value);
    }
    out_ += '}';
  }

  void Text(std::string_view text) {
    const bool ascii = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    out_ += '"';
    if (ascii) {
      Characters(text);
    } else {
      // What is not UTF-8 would not be JSON.
      Characters(CleanUtf8(text));
    }
    out_ += '"';
  }

  void Characters(std::string_view text) {
    size_t written = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const size_t length = EscapedLength(text.substr(i));
      if (length == 0) continue;
      out_ += text.substr(written, i - written);
      Escape(text.substr(i, length));
      i += length - 1;
      written = i + 1;
    }
    out_ += text.substr(written);
  }

  // The bytes at the start of `text` that cannot stand as they are, 0 if the first can.
  size_t EscapedLength(std::string_view text) const {
    const char c = text[0];
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return 1;
    if (escape_html_ && (c == '<' || c == '>' || c == '&')) return 1;
    // The two line separators that JavaScript does not take inside strings.
    return text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9") ? 3 : 0;
  }

  void Escape(std::string_view bytes) {
    constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
    constexpr std::string_view kLetters = "bfnrt\"\\";
    if (bytes.size() == 3) {
      out_ += bytes[2] == '\xA8' ? "\\u2028" : "\\u2029";
    } else if (const size_t found = kShort.find(bytes[0]); found != std::string_view::npos) {
      out_ += '\\';
      out_ += kLetters[found];
    } else {
      absl::StrAppendFormat(&out_, "\\u%04x", static_cast<unsigned char>(bytes[0]));
    }
  }

  const bool escape_html_;
  std::string out_;
};

}  // namespace

std::string NumberText(const json::value& value) {
  if (value.is_int64()) return StrCat(value.get_int64());
  if (value.is_uint64()) return StrCat(value.get_uint64());
  const double number = value.get_double();
  const double magnitude = std::abs(number);
  const bool plain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  // Go writes e-7, not e-07.
  if (const size_t zero = text.find("e-0"); !plain && zero != std::string::npos)
    text.erase(zero + 2, 1);
  return text;
}

std::string Serialize(const json::value& value, bool escape_html) {
  Writer writer(escape_html);
  writer.Value(value);
  return writer.Take();
}

absl::StatusOr<TypeMeta> PeekTypeMeta(const json::value& value) {
  if (!value.is_object())
    return absl::InvalidArgumentError(StrCat("want an object, got ", KindName(value)));
  TypeMeta meta;
  for (const auto& [name, target] :
       {std::pair("apiVersion", &meta.api_version), std::pair("kind", &meta.kind)}) {
    const json::value* member = value.get_object().if_contains(name);
    if (member == nullptr || member->is_null()) continue;
    if (!member->is_string())
      return absl::InvalidArgumentError(StrCat(name, ": want a string, got ", KindName(*member)));
    target->assign(member->get_string().data(), member->get_string().size());
  }
  return meta;
}

}  // namespace cubelet::api
