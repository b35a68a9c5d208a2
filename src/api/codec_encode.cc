// Messages to JSON values.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "api/codec.h"
#include "api/codec_special.h"
#include "api/codec_types.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

json::value EncodeMessage(const Message& message, Special special);

json::value EncodeText(const std::string& text, const FieldDescriptor* field) {
  if (field->type() != FieldDescriptor::TYPE_BYTES) return json::string(text);
  return json::string(absl::Base64Escape(text));
}

// The item at `index` of a list, or the field itself for -1.
json::value EncodeValue(const Message& message, const FieldDescriptor* field, Special special,
                        int index) {
  const Reflection* reflection = message.GetReflection();
  const bool item = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return EncodeMessage(item ? reflection->GetRepeatedMessage(message, field, index)
                                : reflection->GetMessage(message, field),
                           special);
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return EncodeText(
          item ? reflection->GetRepeatedStringReference(message, field, index, &scratch)
               : reflection->GetStringReference(message, field, &scratch),
          field);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return item ? reflection->GetRepeatedBool(message, field, index)
                  : reflection->GetBool(message, field);
    case FieldDescriptor::CPPTYPE_INT32:
      return item ? reflection->GetRepeatedInt32(message, field, index)
                  : reflection->GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return item ? reflection->GetRepeatedInt64(message, field, index)
                  : reflection->GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return item ? reflection->GetRepeatedUInt32(message, field, index)
                  : reflection->GetUInt32(message, field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return item ? reflection->GetRepeatedUInt64(message, field, index)
                  : reflection->GetUInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return item ? reflection->GetRepeatedDouble(message, field, index)
                  : reflection->GetDouble(message, field);
    default:
      return nullptr;
  }
}

bool IsZero(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  std::string scratch;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetStringReference(message, field, &scratch).empty();
    case FieldDescriptor::CPPTYPE_BOOL:
      return !reflection->GetBool(message, field);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, field) == 0;
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetInt64(message, field) == 0;
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->GetUInt32(message, field) == 0;
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->GetUInt64(message, field) == 0;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, field) == 0;
    default:
      return false;
  }
}

json::value EncodeMap(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* key_field = field->message_type()->map_key();
  const FieldDescriptor* value_field = field->message_type()->map_value();
  const Special special = value_field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
                              ? SpecialKind(value_field->message_type())
                              : Special::kNone;
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const Message& entry = reflection->GetRepeatedMessage(message, field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, key_field), &entry);
  }
  std::sort(entries.begin(), entries.end());
  json::object out;
  out.reserve(entries.size());
  for (const auto& [key, entry] : entries)
    out.emplace(key, EncodeValue(*entry, value_field, special, -1));
  return out;
}

json::value EncodeList(const Message& message, const FieldInfo& field) {
  const int size = message.GetReflection()->FieldSize(message, field.descriptor);
  json::array items;
  items.reserve(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i)
    items.push_back(EncodeValue(message, field.descriptor, field.special, i));
  return items;
}

// Whether a field that is no list or map has something to be written.
bool IsPresent(const Message& message, const FieldInfo& field) {
  const bool has = message.GetReflection()->HasField(message, field.descriptor);
  if (field.descriptor->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
    return field.pointer ? has : !IsZero(message, field.descriptor);
  // On the wire a time that was never set is an empty message.
  return has &&
         !IsZeroTime(field.special, message.GetReflection()->GetMessage(message, field.descriptor));
}

void EncodeFields(const Message& message, json::object& out) {
  const Reflection* reflection = message.GetReflection();
  for (const FieldInfo& field : TypeInfo::Of(message.GetDescriptor()).fields()) {
    const FieldDescriptor* descriptor = field.descriptor;
    if (field.inlined) {
      EncodeFields(reflection->GetMessage(message, descriptor), out);
    } else if (descriptor->is_repeated()) {
      if (reflection->FieldSize(message, descriptor) > 0) {
        out.emplace(field.name, descriptor->is_map() ? EncodeMap(message, descriptor)
                                                     : EncodeList(message, field));
      } else if (field.always) {
        out.emplace(field.name, nullptr);
      }
    } else if (IsPresent(message, field) || (field.always && !field.pointer)) {
      out.emplace(field.name, EncodeValue(message, descriptor, field.special, -1));
    } else if (field.always) {
      out.emplace(field.name, nullptr);
    }
  }
}

json::value EncodeMessage(const Message& message, Special special) {
  if (special != Special::kNone) return SpecialToJson(special, message);
  json::object out;
  EncodeFields(message, out);
  return out;
}

}  // namespace

json::value ToJson(const Message& message) {
  return EncodeMessage(message, SpecialKind(message.GetDescriptor()));
}

json::value ToObjectJson(const Message& message, std::string_view api_version,
                         std::string_view kind) {
  json::object out;
  out.emplace("kind", json::string(kind.data(), kind.size()));
  out.emplace("apiVersion", json::string(api_version.data(), api_version.size()));
  EncodeFields(message, out);
  return out;
}

}  // namespace cubelet::api
