// JSON values to messages.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "api/codec.h"
#include "api/codec_special.h"
#include "api/codec_types.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Unknown fields are told to people: more than this nobody reads.
constexpr size_t kMaxUnknown = 100;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }
std::string_view View(json::string_view text) { return {text.data(), text.size()}; }

// Where the decoder is: a chain of frames on the stack, made into text only for a message.
struct Path {
  enum class Kind { kRoot, kMember, kIndex, kKey };

  const Path* parent = nullptr;
  Kind kind = Kind::kRoot;
  std::string_view name;
  size_t index = 0;

  Path Member(std::string_view member) const {
    return {.parent = this, .kind = Kind::kMember, .name = member};
  }
  Path Index(size_t i) const { return {.parent = this, .kind = Kind::kIndex, .index = i}; }
  Path Key(std::string_view key) const { return {.parent = this, .kind = Kind::kKey, .name = key}; }

  std::string Text() const {
    if (kind == Kind::kRoot) return "";
    std::string text = parent->Text();
    if (kind == Kind::kIndex) return StrCat(text, "[", index, "]");
    if (kind == Kind::kKey) return StrCat(text, "[", name, "]");
    return text.empty() ? std::string(name) : StrCat(text, ".", name);
  }
};

absl::Status AtPath(const Path& path, std::string_view what) {
  const std::string text = path.Text();
  return absl::InvalidArgumentError(text.empty() ? std::string(what) : StrCat(text, ": ", what));
}

absl::Status WrongType(const Path& path, const char* wanted, const json::value& got) {
  return AtPath(path, StrCat("want ", wanted, ", got ", KindName(got)));
}

absl::Status OutOfRange(const Path& path, int64_t min, uint64_t max, const std::string& got) {
  return AtPath(path, StrCat("want a whole number from ", min, " to ", max, ", got ", got));
}

// A field of a message, and whether a value is to be added to it or set.
struct Slot {
  Message& message;
  const FieldDescriptor* field;
  bool add;

  const Reflection& reflection() const { return *message.GetReflection(); }
};

class Decoder {
 public:
  explicit Decoder(const DecodeOptions& options) : options_(options) {}

  // With `type_meta` the object may carry apiVersion and kind; they are passed over.
  absl::Status Object(const json::value& value, Message& message, const Path& path,
                      bool type_meta) {
    if (!value.is_object()) return WrongType(path, "an object", value);
    const TypeInfo& type = TypeInfo::Of(message.GetDescriptor());
    for (const auto& [key, member_value] : value.get_object()) {
      const std::string_view name = View(key);
      const MemberInfo* member = type.Find(name);
      if (member == nullptr) {
        if (type_meta && (name == "apiVersion" || name == "kind")) continue;
        RETURN_IF_ERROR(Unknown(path.Member(name)));
        continue;
      }
      // null is what is left out.
      if (member_value.is_null()) continue;
      Message* target = &message;
      for (const FieldDescriptor* through : member->through)
        target = target->GetReflection()->MutableMessage(target, through);
      const bool items = type.is_list() && name == "items";
      RETURN_IF_ERROR(Field(member_value, *target, *member->field, path.Member(name), items));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Unknown(const Path& path) {
    if (options_.strict)
      return absl::InvalidArgumentError(StrCat("unknown field ", GoQuote(path.Text())));
    if (options_.unknown != nullptr && options_.unknown->size() < kMaxUnknown)
      options_.unknown->push_back(path.Text());
    return absl::OkStatus();
  }

  absl::Status Field(const json::value& value, Message& message, const FieldInfo& field,
                     const Path& path, bool objects) {
    if (field.descriptor->is_map()) return Map(value, message, field.descriptor, path);
    if (field.descriptor->is_repeated()) return List(value, message, field, path, objects);
    return Single(value, {message, field.descriptor, false}, field.special, path, false);
  }

  absl::Status List(const json::value& value, Message& message, const FieldInfo& field,
                    const Path& path, bool objects) {
    if (!value.is_array()) return WrongType(path, "a list", value);
    const Slot slot{message, field.descriptor, true};
    size_t index = 0;
    for (const json::value& item : value.get_array())
      RETURN_IF_ERROR(Single(item, slot, field.special, path.Index(index++), objects));
    return absl::OkStatus();
  }

  absl::Status Map(const json::value& value, Message& message, const FieldDescriptor* field,
                   const Path& path) {
    if (!value.is_object()) return WrongType(path, "an object", value);
    const FieldDescriptor* key_field = field->message_type()->map_key();
    const FieldDescriptor* value_field = field->message_type()->map_value();
    const Special special = value_field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
                                ? SpecialKind(value_field->message_type())
                                : Special::kNone;
    for (const auto& [key, member] : value.get_object()) {
      Message* entry = message.GetReflection()->AddMessage(&message, field);
      entry->GetReflection()->SetString(entry, key_field, std::string(View(key)));
      RETURN_IF_ERROR(
          Single(member, {*entry, value_field, false}, special, path.Key(View(key)), false));
    }
    return absl::OkStatus();
  }

  // In a list or map, null stands for the zero value.
  absl::Status Single(const json::value& value, const Slot& slot, Special special, const Path& path,
                      bool type_meta) {
    switch (slot.field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Child(value, slot, special, path, type_meta);
      case FieldDescriptor::CPPTYPE_STRING:
        return Text(value, slot, path);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!value.is_bool() && !value.is_null()) return WrongType(path, "a boolean", value);
        return Put(slot, !value.is_null() && value.get_bool(), &Reflection::AddBool,
                   &Reflection::SetBool);
      case FieldDescriptor::CPPTYPE_INT32:
        return Number<int32_t>(value, slot, path, &Reflection::AddInt32, &Reflection::SetInt32);
      case FieldDescriptor::CPPTYPE_INT64:
        return Number<int64_t>(value, slot, path, &Reflection::AddInt64, &Reflection::SetInt64);
      case FieldDescriptor::CPPTYPE_UINT32:
        return Number<uint32_t>(value, slot, path, &Reflection::AddUInt32, &Reflection::SetUInt32);
      case FieldDescriptor::CPPTYPE_UINT64:
        return Number<uint64_t>(value, slot, path, &Reflection::AddUInt64, &Reflection::SetUInt64);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (!value.is_number() && !value.is_null()) return WrongType(path, "a number", value);
        return Put(slot, value.is_null() ? 0 : value.to_number<double>(), &Reflection::AddDouble,
                   &Reflection::SetDouble);
      default:
        return AtPath(path, "is of a type this codec does not know");
    }
  }

  template <typename T, typename Add, typename Set>
  static absl::Status Put(const Slot& slot, T value, Add add, Set set) {
    if (slot.add) {
      (slot.reflection().*add)(&slot.message, slot.field, value);
    } else {
      (slot.reflection().*set)(&slot.message, slot.field, value);
    }
    return absl::OkStatus();
  }

  absl::Status Child(const json::value& value, const Slot& slot, Special special, const Path& path,
                     bool type_meta) {
    Message* child = slot.add ? slot.reflection().AddMessage(&slot.message, slot.field)
                              : slot.reflection().MutableMessage(&slot.message, slot.field);
    if (special == Special::kRaw || !value.is_null()) {
      if (special == Special::kNone) return Object(value, *child, path, type_meta);
      const absl::Status status = SpecialFromJson(special, value, *child);
      return status.ok() ? status : AtPath(path, ::cubelet::Message(status));
    }
    return absl::OkStatus();
  }

  static absl::Status Text(const json::value& value, const Slot& slot, const Path& path) {
    const bool bytes = slot.field->type() == FieldDescriptor::TYPE_BYTES;
    if (!value.is_string() && !value.is_null())
      return WrongType(path, bytes ? "base64 text" : "a string", value);
    std::string text;
    if (value.is_string() && !bytes) text = View(value.get_string());
    if (value.is_string() && bytes && !DecodeBase64(View(value.get_string()), text))
      return AtPath(path, "is not valid base64");
    if (slot.add) {
      slot.reflection().AddString(&slot.message, slot.field, std::move(text));
    } else {
      slot.reflection().SetString(&slot.message, slot.field, std::move(text));
    }
    return absl::OkStatus();
  }

  template <typename T, typename Add, typename Set>
  static absl::Status Number(const json::value& value, const Slot& slot, const Path& path, Add add,
                             Set set) {
    constexpr int64_t kMin = static_cast<int64_t>(std::numeric_limits<T>::min());
    constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<T>::max());
    if (value.is_null()) return Put(slot, T{0}, add, set);
    if (value.is_uint64()) {
      if (value.get_uint64() > kMax)
        return OutOfRange(path, kMin, kMax, StrCat(value.get_uint64()));
      return Put(slot, static_cast<T>(value.get_uint64()), add, set);
    }
    int64_t number = 0;
    if (value.is_int64()) {
      number = value.get_int64();
    } else if (value.is_double()) {
      // YAML writes 1.0 or 1e3 for whole numbers too; larger ones are not exact any more.
      const double real = value.get_double();
      if (std::trunc(real) != real || std::abs(real) > 9.0e15)
        return OutOfRange(path, kMin, kMax, absl::StrFormat("%g", real));
      number = static_cast<int64_t>(real);
    } else {
      return WrongType(path, "a whole number", value);
    }
    if (number < kMin || (number > 0 && static_cast<uint64_t>(number) > kMax))
      return OutOfRange(path, kMin, kMax, StrCat(number));
    return Put(slot, static_cast<T>(number), add, set);
  }

  const DecodeOptions& options_;
};

}  // namespace

absl::Status FromJson(const json::value& value, Message& message, const DecodeOptions& options) {
  message.Clear();
  return Decoder(options).Object(value, message, Path(), true);
}

}  // namespace cubelet::api
