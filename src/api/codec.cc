#include "api/codec.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <limits>

#include "absl/strings/escaping.h"
#include "api/codec_special.h"
#include "base/status.h"
#include "base/strings.h"
#include "cubelet/json.pb.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string_view JsonName(const FieldDescriptor* field) {
  const google::protobuf::FieldOptions& options = field->options();
  if (options.HasExtension(cubelet::json_name)) return options.GetExtension(cubelet::json_name);
  return field->name();
}

bool IsInlined(const FieldDescriptor* field) {
  return field->options().GetExtension(cubelet::inlined);
}

std::string Join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : StrCat(path, ".", name);
}

absl::Status AtPath(const std::string& path, std::string_view what) {
  return absl::InvalidArgumentError(path.empty() ? std::string(what) : StrCat(path, ": ", what));
}

absl::Status WrongType(const std::string& path, const char* wanted, const json::value& got) {
  return AtPath(path, StrCat("want ", wanted, ", got ", KindName(got)));
}

// ---- decoding

class Decoder {
 public:
  explicit Decoder(const DecodeOptions& options) : options_(options) {}

  absl::Status DecodeObject(const json::value& value, Message& message, const std::string& path,
                            bool top_level) {
    if (!value.is_object()) return WrongType(path, "an object", value);
    for (const auto& [key, member] : value.get_object()) {
      const std::string_view name(key.data(), key.size());
      if (top_level && (name == "apiVersion" || name == "kind") &&
          message.GetDescriptor()->FindFieldByName(std::string(name)) == nullptr)
        continue;
      Target target = Find(message, name);
      if (target.field == nullptr) {
        const std::string unknown = Join(path, name);
        if (options_.strict)
          return absl::InvalidArgumentError(StrCat("unknown field ", GoQuote(unknown)));
        if (options_.unknown != nullptr) options_.unknown->push_back(unknown);
        continue;
      }
      if (member.is_null()) continue;
      RETURN_IF_ERROR(DecodeField(member, *target.message, target.field, Join(path, name)));
    }
    return absl::OkStatus();
  }

 private:
  struct Target {
    Message* message = nullptr;
    const FieldDescriptor* field = nullptr;
  };

  // The field called `name`, also in messages whose members stand in this object.
  Target Find(Message& message, std::string_view name) {
    const Descriptor* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (IsInlined(field)) {
        if (!HasMember(field->message_type(), name)) continue;
        return Find(*message.GetReflection()->MutableMessage(&message, field), name);
      }
      if (JsonName(field) == name) return {&message, field};
    }
    return {};
  }

  static bool HasMember(const Descriptor* descriptor, std::string_view name) {
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (IsInlined(field) ? HasMember(field->message_type(), name) : JsonName(field) == name)
        return true;
    }
    return false;
  }

  absl::Status DecodeField(const json::value& value, Message& message, const FieldDescriptor* field,
                           const std::string& path) {
    if (field->is_map()) return DecodeMap(value, message, field, path);
    if (field->is_repeated()) return DecodeList(value, message, field, path);
    return DecodeSingle(value, message, field, path, false);
  }

  absl::Status DecodeList(const json::value& value, Message& message, const FieldDescriptor* field,
                          const std::string& path) {
    if (!value.is_array()) return WrongType(path, "a list", value);
    size_t index = 0;
    for (const json::value& item : value.get_array()) {
      const std::string item_path = StrCat(path, "[", index++, "]");
      if (item.is_null() && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
        return WrongType(item_path, "a value", item);
      RETURN_IF_ERROR(DecodeSingle(item.is_null() ? json::value(json::object()) : item, message,
                                   field, item_path, true));
    }
    return absl::OkStatus();
  }

  absl::Status DecodeMap(const json::value& value, Message& message, const FieldDescriptor* field,
                         const std::string& path) {
    if (!value.is_object()) return WrongType(path, "an object", value);
    for (const auto& [key, member] : value.get_object()) {
      Message* entry = message.GetReflection()->AddMessage(&message, field);
      entry->GetReflection()->SetString(entry, field->message_type()->map_key(), std::string(key));
      const FieldDescriptor* value_field = field->message_type()->map_value();
      if (member.is_null()) continue;
      RETURN_IF_ERROR(DecodeSingle(member, *entry, value_field,
                                   StrCat(path, "[", std::string_view(key.data(), key.size()), "]"),
                                   false));
    }
    return absl::OkStatus();
  }

  absl::Status DecodeSingle(const json::value& value, Message& message,
                            const FieldDescriptor* field, const std::string& path, bool add) {
    const Reflection* reflection = message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        Message* child = add ? reflection->AddMessage(&message, field)
                             : reflection->MutableMessage(&message, field);
        const Special special = SpecialKind(field->message_type());
        if (special == Special::kNone) return DecodeObject(value, *child, path, false);
        absl::Status status = SpecialFromJson(special, value, *child);
        return status.ok() ? status : AtPath(path, Message_(status));
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        if (!value.is_string())
          return WrongType(
              path, field->type() == FieldDescriptor::TYPE_BYTES ? "base64 text" : "a string",
              value);
        std::string text(value.get_string());
        if (field->type() == FieldDescriptor::TYPE_BYTES) {
          std::string bytes;
          if (!absl::Base64Unescape(text, &bytes)) return AtPath(path, "is not valid base64");
          text = std::move(bytes);
        }
        add ? reflection->AddString(&message, field, std::move(text))
            : reflection->SetString(&message, field, std::move(text));
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!value.is_bool()) return WrongType(path, "a boolean", value);
        add ? reflection->AddBool(&message, field, value.get_bool())
            : reflection->SetBool(&message, field, value.get_bool());
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_INT32: {
        int64_t number = 0;
        RETURN_IF_ERROR(Integer(value, path, std::numeric_limits<int32_t>::min(),
                                std::numeric_limits<int32_t>::max(), number));
        add ? reflection->AddInt32(&message, field, static_cast<int32_t>(number))
            : reflection->SetInt32(&message, field, static_cast<int32_t>(number));
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        int64_t number = 0;
        RETURN_IF_ERROR(Integer(value, path, std::numeric_limits<int64_t>::min(),
                                std::numeric_limits<int64_t>::max(), number));
        add ? reflection->AddInt64(&message, field, number)
            : reflection->SetInt64(&message, field, number);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        int64_t number = 0;
        RETURN_IF_ERROR(Integer(value, path, 0, std::numeric_limits<uint32_t>::max(), number));
        add ? reflection->AddUInt32(&message, field, static_cast<uint32_t>(number))
            : reflection->SetUInt32(&message, field, static_cast<uint32_t>(number));
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        if (!value.is_number()) return WrongType(path, "a number", value);
        const double number = value.is_double()  ? value.get_double()
                              : value.is_int64() ? static_cast<double>(value.get_int64())
                                                 : static_cast<double>(value.get_uint64());
        add ? reflection->AddDouble(&message, field, number)
            : reflection->SetDouble(&message, field, number);
        return absl::OkStatus();
      }
      default:
        return AtPath(path, "is of a type this codec does not know");
    }
  }

  static std::string_view Message_(const absl::Status& status) {
    return ::cubelet::Message(status);
  }

  static absl::Status Integer(const json::value& value, const std::string& path, int64_t min,
                              int64_t max, int64_t& number) {
    if (value.is_int64()) {
      number = value.get_int64();
    } else if (value.is_uint64()) {
      return AtPath(path,
                    StrCat("want a number from ", min, " to ", max, ", got ", value.get_uint64()));
    } else if (value.is_double() && std::trunc(value.get_double()) == value.get_double() &&
               std::abs(value.get_double()) < 9.0e15) {
      number = static_cast<int64_t>(value.get_double());
    } else {
      return WrongType(path, "a whole number", value);
    }
    if (number < min || number > max)
      return AtPath(path, StrCat("want a number from ", min, " to ", max, ", got ", number));
    return absl::OkStatus();
  }

  const DecodeOptions& options_;
};

// ---- encoding

json::value EncodeMessage(const Message& message);

json::value EncodeValue(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  const bool repeated = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return EncodeMessage(repeated ? reflection->GetRepeatedMessage(message, field, index)
                                    : reflection->GetMessage(message, field));
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text = repeated ? reflection->GetRepeatedString(message, field, index)
                                  : reflection->GetString(message, field);
      if (field->type() == FieldDescriptor::TYPE_BYTES) text = absl::Base64Escape(text);
      return json::string(text);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return json::value(repeated ? reflection->GetRepeatedBool(message, field, index)
                                  : reflection->GetBool(message, field));
    case FieldDescriptor::CPPTYPE_INT32:
      return json::value(repeated ? reflection->GetRepeatedInt32(message, field, index)
                                  : reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return json::value(repeated ? reflection->GetRepeatedInt64(message, field, index)
                                  : reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return json::value(repeated ? reflection->GetRepeatedUInt32(message, field, index)
                                  : reflection->GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return json::value(repeated ? reflection->GetRepeatedDouble(message, field, index)
                                  : reflection->GetDouble(message, field));
    default:
      return nullptr;
  }
}

bool IsZero(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(message, field).empty();
    case FieldDescriptor::CPPTYPE_BOOL:
      return !reflection->GetBool(message, field);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, field) == 0;
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetInt64(message, field) == 0;
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->GetUInt32(message, field) == 0;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, field) == 0;
    default:
      return false;
  }
}

json::value EncodeMap(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  std::vector<std::pair<std::string, json::value>> entries;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const Message& entry = reflection->GetRepeatedMessage(message, field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, field->message_type()->map_key()),
                         EncodeValue(entry, field->message_type()->map_value(), -1));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  json::object out;
  for (auto& [key, value] : entries) out.emplace(key, std::move(value));
  return out;
}

void EncodeFields(const Message& message, json::object& out) {
  const Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i)
    fields.push_back(message.GetDescriptor()->field(i));
  std::sort(fields.begin(), fields.end(), [](const FieldDescriptor* a, const FieldDescriptor* b) {
    return a->number() < b->number();
  });
  for (const FieldDescriptor* field : fields) {
    const std::string name(JsonName(field));
    const bool always = field->options().GetExtension(cubelet::always);
    if (IsInlined(field)) {
      if (reflection->HasField(message, field))
        EncodeFields(reflection->GetMessage(message, field), out);
    } else if (field->is_map()) {
      if (reflection->FieldSize(message, field) > 0)
        out.emplace(name, EncodeMap(message, field));
      else if (always)
        out.emplace(name, nullptr);
    } else if (field->is_repeated()) {
      json::array items;
      for (int i = 0; i < reflection->FieldSize(message, field); ++i)
        items.push_back(EncodeValue(message, field, i));
      if (!items.empty())
        out.emplace(name, std::move(items));
      else if (always)
        out.emplace(name, nullptr);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (reflection->HasField(message, field) || always)
        out.emplace(name, EncodeValue(message, field, -1));
    } else {
      const bool pointer = field->options().GetExtension(cubelet::pointer);
      const bool present = reflection->HasField(message, field);
      if (always || (pointer ? present : !IsZero(message, field)))
        out.emplace(name, EncodeValue(message, field, -1));
    }
  }
}

json::value EncodeMessage(const Message& message) {
  const Special special = SpecialKind(message.GetDescriptor());
  if (special != Special::kNone) return SpecialToJson(special, message);
  json::object out;
  EncodeFields(message, out);
  return out;
}

}  // namespace

absl::Status FromJson(const json::value& value, Message& message, const DecodeOptions& options) {
  message.Clear();
  return Decoder(options).DecodeObject(value, message, "", true);
}

json::value ToJson(const Message& message) { return EncodeMessage(message); }

json::value ToObjectJson(const Message& message, std::string_view api_version,
                         std::string_view kind) {
  json::object out;
  out.emplace("kind", json::string(kind.data(), kind.size()));
  out.emplace("apiVersion", json::string(api_version.data(), api_version.size()));
  EncodeFields(message, out);
  return out;
}

std::string Serialize(const json::value& value, bool escape_html) {
  const std::string text = json::serialize(value);
  if (!escape_html) return text;
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

absl::StatusOr<TypeMeta> PeekTypeMeta(const json::value& value) {
  if (!value.is_object())
    return absl::InvalidArgumentError(StrCat("want an object, got ", KindName(value)));
  TypeMeta meta;
  for (const auto& [name, target] :
       {std::pair("apiVersion", &meta.api_version), std::pair("kind", &meta.kind)}) {
    const json::value* member = value.get_object().if_contains(name);
    if (member == nullptr || member->is_null()) continue;
    if (!member->is_string()) return WrongType(name, "a string", *member);
    *target = std::string(member->get_string());
  }
  return meta;
}

}  // namespace cubelet::api
