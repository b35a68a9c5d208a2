#include "config/fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <limits>
#include <map>
#include <span>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "api/quantity.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "cubelet/json.pb.h"

namespace cubelet::config {
namespace {

namespace metav1 = ::k8s::io::apimachinery::pkg::apis::meta::v1;
using WireQuantity = ::k8s::io::apimachinery::pkg::api::resource::Quantity;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Messages that are values, not groups of settings.
bool IsValue(const Descriptor* type) {
  return type == metav1::Duration::descriptor() || type == WireQuantity::descriptor();
}

const FieldDescriptor* Member(const Descriptor* type, std::string_view name) {
  const FieldDescriptor* field = type->FindFieldByName(std::string(name));
  CHECK(field != nullptr);
  return field;
}

// The field at the end of `path`, with the messages on the way to it.
std::vector<const FieldDescriptor*> Resolve(std::string_view path) {
  std::vector<const FieldDescriptor*> way;
  const Descriptor* type = KubeletConfiguration::descriptor();
  for (absl::string_view name : absl::StrSplit(ToAbsl(path), '.')) {
    CHECK(type != nullptr);
    way.push_back(Member(type, ToStd(name)));
    type = way.back()->message_type();
  }
  return way;
}

struct ConstLeaf {
  const Message* message;
  const FieldDescriptor* field;
  const Reflection* reflection() const { return message->GetReflection(); }
};

struct Leaf {
  Message* message;
  const FieldDescriptor* field;
  const Reflection* reflection() const { return message->GetReflection(); }
};

ConstLeaf Find(const KubeletConfiguration& config, std::string_view path) {
  const std::vector<const FieldDescriptor*> way = Resolve(path);
  const Message* message = &config;
  for (const FieldDescriptor* field : std::span(way).first(way.size() - 1))
    message = &message->GetReflection()->GetMessage(*message, field);
  return {message, way.back()};
}

Leaf FindMutable(KubeletConfiguration& config, std::string_view path) {
  const std::vector<const FieldDescriptor*> way = Resolve(path);
  Message* message = &config;
  for (const FieldDescriptor* field : std::span(way).first(way.size() - 1))
    message = message->GetReflection()->MutableMessage(message, field);
  return {message, way.back()};
}

ValueKind KindOfType(const Descriptor* type) {
  if (type == metav1::Duration::descriptor()) return ValueKind::kDuration;
  if (type == WireQuantity::descriptor()) return ValueKind::kQuantity;
  if (type == k8s::io::api::core::v1::Taint::descriptor()) return ValueKind::kTaints;
  if (type == v1beta1::MemoryReservation::descriptor()) return ValueKind::kReservedMemory;
  if (type == v1beta1::VModuleItem::descriptor()) return ValueKind::kVmodule;
  CHECK(type == v1beta1::ShutdownGracePeriodByPodPriority::descriptor());
  return ValueKind::kPriorityPeriods;
}

ValueKind KindOfMap(const FieldDescriptor* field) {
  switch (field->message_type()->map_value()->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return ValueKind::kBoolMap;
    case FieldDescriptor::CPPTYPE_STRING:
      return ValueKind::kStringMap;
    default:
      return ValueKind::kHeaderMap;
  }
}

ValueKind KindOf(const FieldDescriptor* field) {
  if (field->is_map()) return KindOfMap(field);
  const bool list = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return ValueKind::kBool;
    case FieldDescriptor::CPPTYPE_INT32:
      return list ? ValueKind::kIntList : ValueKind::kInt32;
    case FieldDescriptor::CPPTYPE_INT64:
      return ValueKind::kInt64;
    case FieldDescriptor::CPPTYPE_UINT32:
      return ValueKind::kUint32;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return ValueKind::kDouble;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return KindOfType(field->message_type());
    default:
      return list ? ValueKind::kStringList : ValueKind::kString;
  }
}

void CollectPaths(const Descriptor* type, const std::string& prefix,
                  std::vector<std::string>& paths) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string path = prefix.empty() ? field->name() : StrCat(prefix, ".", field->name());
    const bool group = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                       !field->is_repeated() && !IsValue(field->message_type());
    if (group) {
      CollectPaths(field->message_type(), path, paths);
    } else {
      paths.push_back(path);
    }
  }
}

// ---- setting

template <typename T>
absl::Status SetInteger(const Leaf& leaf, std::string_view text,
                        void (Reflection::*set)(Message*, const FieldDescriptor*, T) const) {
  ASSIGN_OR_RETURN(const int64_t number,
                   ParseInt(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  (leaf.reflection()->*set)(leaf.message, leaf.field, static_cast<T>(number));
  return absl::OkStatus();
}

// The value of `key` in a map, added if the map has none.
Message* MapEntry(const Leaf& leaf, const std::string& key) {
  const Reflection* reflection = leaf.reflection();
  const FieldDescriptor* key_field = leaf.field->message_type()->map_key();
  for (int i = 0; i < reflection->FieldSize(*leaf.message, leaf.field); ++i) {
    Message* entry = reflection->MutableRepeatedMessage(leaf.message, leaf.field, i);
    if (entry->GetReflection()->GetString(*entry, key_field) == key) return entry;
  }
  Message* entry = reflection->AddMessage(leaf.message, leaf.field);
  entry->GetReflection()->SetString(entry, key_field, key);
  return entry;
}

absl::Status AddToMap(const Leaf& leaf, ValueKind kind, std::string_view text) {
  const char separator = kind == ValueKind::kThresholdMap ? '<'
                         : kind == ValueKind::kHeaderMap  ? ':'
                                                          : '=';
  ASSIGN_OR_RETURN(const auto pairs,
                   ParsePairs(text, separator, kind == ValueKind::kBoolMap ? "bool" : "string"));
  const FieldDescriptor* value_field = leaf.field->message_type()->map_value();
  for (const auto& [key, value] : pairs) {
    Message* entry = MapEntry(leaf, key);
    const Reflection* reflection = entry->GetReflection();
    if (kind == ValueKind::kBoolMap) {
      const absl::StatusOr<bool> parsed = ParseBool(value);
      if (!parsed.ok())
        return absl::InvalidArgumentError(StrCat("invalid value of ", key, ": ", value,
                                                 ", err: ", ::cubelet::Message(parsed.status())));
      reflection->SetBool(entry, value_field, *parsed);
    } else if (kind == ValueKind::kHeaderMap) {
      auto* list =
          static_cast<v1beta1::StringList*>(reflection->MutableMessage(entry, value_field));
      list->add_items(value);
    } else {
      reflection->SetString(entry, value_field, value);
    }
  }
  return absl::OkStatus();
}

absl::Status AddToList(const Leaf& leaf, ValueKind kind, std::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<std::string> items, ParseList(text));
  for (const std::string& item : items) {
    if (kind == ValueKind::kStringList) {
      leaf.reflection()->AddString(leaf.message, leaf.field, item);
      continue;
    }
    ASSIGN_OR_RETURN(const int64_t number, ParseInt(item, std::numeric_limits<int32_t>::min(),
                                                    std::numeric_limits<int32_t>::max()));
    leaf.reflection()->AddInt32(leaf.message, leaf.field, static_cast<int32_t>(number));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status AddObjects(const Leaf& leaf, const absl::StatusOr<std::vector<T>>& objects) {
  RETURN_IF_ERROR(objects.status());
  for (const T& object : *objects)
    leaf.reflection()->AddMessage(leaf.message, leaf.field)->CopyFrom(object);
  return absl::OkStatus();
}

absl::Status SetDuration(const Leaf& leaf, std::string_view text) {
  ASSIGN_OR_RETURN(const absl::Duration duration, ParseDuration(text));
  static_cast<metav1::Duration*>(leaf.reflection()->MutableMessage(leaf.message, leaf.field))
      ->set_duration(absl::ToInt64Nanoseconds(duration));
  return absl::OkStatus();
}

absl::Status SetQuantity(const Leaf& leaf, std::string_view text) {
  ASSIGN_OR_RETURN(const api::Quantity quantity, api::Quantity::Parse(text));
  static_cast<WireQuantity*>(leaf.reflection()->MutableMessage(leaf.message, leaf.field))
      ->set_string(quantity.ToString());
  return absl::OkStatus();
}

absl::Status SetScalar(const Leaf& leaf, ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::kBool: {
      ASSIGN_OR_RETURN(const bool value, ParseBool(text));
      leaf.reflection()->SetBool(leaf.message, leaf.field, value);
      return absl::OkStatus();
    }
    case ValueKind::kInt32:
      return SetInteger<int32_t>(leaf, text, &Reflection::SetInt32);
    case ValueKind::kInt64:
      return SetInteger<int64_t>(leaf, text, &Reflection::SetInt64);
    case ValueKind::kUint32:
      return SetInteger<uint32_t>(leaf, text, &Reflection::SetUInt32);
    case ValueKind::kDouble: {
      ASSIGN_OR_RETURN(const double value, ParseDouble(text));
      leaf.reflection()->SetDouble(leaf.message, leaf.field, value);
      return absl::OkStatus();
    }
    case ValueKind::kIp:
      RETURN_IF_ERROR(CheckIp(text));
      [[fallthrough]];
    default:
      leaf.reflection()->SetString(leaf.message, leaf.field, std::string(text));
      return absl::OkStatus();
  }
}

// ---- printing

std::string Bracketed(const std::vector<std::string>& items) {
  return StrCat("[", absl::StrJoin(items, ","), "]");
}

std::string TaintText(const k8s::io::api::core::v1::Taint& taint) {
  return taint.value().empty() ? StrCat(taint.key(), ":", taint.effect())
                               : StrCat(taint.key(), "=", taint.value(), ":", taint.effect());
}

std::string ReservationText(const v1beta1::MemoryReservation& reservation) {
  std::map<std::string, std::string> limits;
  for (const auto& [type, quantity] : reservation.limits()) limits[type] = quantity.string();
  return StrCat(reservation.numanode(), ":", absl::StrJoin(limits, ",", absl::PairFormatter("=")));
}

std::string ObjectText(const Message& object, ValueKind kind) {
  switch (kind) {
    case ValueKind::kTaints:
      return TaintText(static_cast<const k8s::io::api::core::v1::Taint&>(object));
    case ValueKind::kReservedMemory:
      return ReservationText(static_cast<const v1beta1::MemoryReservation&>(object));
    case ValueKind::kVmodule: {
      const auto& item = static_cast<const v1beta1::VModuleItem&>(object);
      return StrCat(item.filepattern(), "=", item.verbosity());
    }
    default: {
      const auto& period = static_cast<const v1beta1::ShutdownGracePeriodByPodPriority&>(object);
      return StrCat(period.priority(), "=", period.shutdowngraceperiodseconds());
    }
  }
}

std::string MapText(const ConstLeaf& leaf, ValueKind kind) {
  std::map<std::string, std::string> values;
  for (int i = 0; i < leaf.reflection()->FieldSize(*leaf.message, leaf.field); ++i) {
    const Message& entry = leaf.reflection()->GetRepeatedMessage(*leaf.message, leaf.field, i);
    const Reflection* reflection = entry.GetReflection();
    const FieldDescriptor* value_field = leaf.field->message_type()->map_value();
    std::string& value =
        values[reflection->GetString(entry, leaf.field->message_type()->map_key())];
    if (kind == ValueKind::kBoolMap) {
      value = reflection->GetBool(entry, value_field) ? "true" : "false";
    } else if (kind == ValueKind::kHeaderMap) {
      value = "<masked>";
    } else {
      value = reflection->GetString(entry, value_field);
    }
  }
  const char* separator = kind == ValueKind::kThresholdMap ? "<"
                          : kind == ValueKind::kHeaderMap  ? ":"
                                                           : "=";
  return absl::StrJoin(values, ",", absl::PairFormatter(separator));
}

std::string ListText(const ConstLeaf& leaf, ValueKind kind) {
  std::vector<std::string> items;
  for (int i = 0; i < leaf.reflection()->FieldSize(*leaf.message, leaf.field); ++i) {
    if (kind == ValueKind::kStringList) {
      items.push_back(leaf.reflection()->GetRepeatedString(*leaf.message, leaf.field, i));
    } else if (kind == ValueKind::kIntList) {
      items.push_back(StrCat(leaf.reflection()->GetRepeatedInt32(*leaf.message, leaf.field, i)));
    } else {
      items.push_back(
          ObjectText(leaf.reflection()->GetRepeatedMessage(*leaf.message, leaf.field, i), kind));
    }
  }
  const bool bare = kind == ValueKind::kVmodule || kind == ValueKind::kTaints;
  return bare ? absl::StrJoin(items, ",") : Bracketed(items);
}

std::string QuantityText(const ConstLeaf& leaf) {
  const std::string& text =
      static_cast<const WireQuantity&>(leaf.reflection()->GetMessage(*leaf.message, leaf.field))
          .string();
  return text.empty() ? "0" : text;
}

}  // namespace

ValueKind KindOfField(std::string_view path) { return KindOf(Resolve(path).back()); }

std::vector<std::string> SchemaPaths() {
  std::vector<std::string> paths;
  CollectPaths(KubeletConfiguration::descriptor(), "", paths);
  return paths;
}

bool IsSet(const KubeletConfiguration& config, std::string_view path) {
  const ConstLeaf leaf = Find(config, path);
  if (leaf.field->is_repeated()) return leaf.reflection()->FieldSize(*leaf.message, leaf.field) > 0;
  if (!leaf.reflection()->HasField(*leaf.message, leaf.field)) return false;
  if (leaf.field->options().GetExtension(cubelet::pointer)) return true;
  switch (KindOf(leaf.field)) {
    case ValueKind::kBool:
      return leaf.reflection()->GetBool(*leaf.message, leaf.field);
    case ValueKind::kString:
      return !leaf.reflection()->GetString(*leaf.message, leaf.field).empty();
    case ValueKind::kQuantity:
      return QuantityText(leaf) != "0";
    default:
      return ToNumber(config, path) != 0;
  }
}

bool IsAbsent(const KubeletConfiguration& config, std::string_view path) {
  const ConstLeaf leaf = Find(config, path);
  return leaf.field->options().GetExtension(cubelet::pointer) &&
         !leaf.reflection()->HasField(*leaf.message, leaf.field);
}

void Clear(KubeletConfiguration& config, std::string_view path) {
  const Leaf leaf = FindMutable(config, path);
  leaf.reflection()->ClearField(leaf.message, leaf.field);
}

absl::Status SetFromText(KubeletConfiguration& config, std::string_view path, ValueKind kind,
                         std::string_view text) {
  const Leaf leaf = FindMutable(config, path);
  switch (kind) {
    case ValueKind::kStringMap:
    case ValueKind::kBoolMap:
    case ValueKind::kThresholdMap:
    case ValueKind::kHeaderMap:
      return AddToMap(leaf, kind, text);
    case ValueKind::kStringList:
    case ValueKind::kIntList:
      return AddToList(leaf, kind, text);
    case ValueKind::kTaints:
      leaf.reflection()->ClearField(leaf.message, leaf.field);
      return AddObjects(leaf, ParseTaints(text));
    case ValueKind::kVmodule:
      leaf.reflection()->ClearField(leaf.message, leaf.field);
      return AddObjects(leaf, ParseVmodule(text));
    case ValueKind::kReservedMemory:
      return AddObjects(leaf, ParseReservedMemory(text));
    case ValueKind::kDuration:
      return SetDuration(leaf, text);
    case ValueKind::kQuantity:
      return SetQuantity(leaf, text);
    default:
      return SetScalar(leaf, kind, text);
  }
}

std::string ToText(const KubeletConfiguration& config, std::string_view path, ValueKind kind) {
  const ConstLeaf leaf = Find(config, path);
  if (leaf.field->is_map()) return MapText(leaf, kind);
  if (leaf.field->is_repeated()) return ListText(leaf, kind);
  switch (kind) {
    case ValueKind::kBool:
      return leaf.reflection()->GetBool(*leaf.message, leaf.field) ? "true" : "false";
    case ValueKind::kDuration:
      return FormatGoDuration(absl::Nanoseconds(ToNumber(config, path)));
    case ValueKind::kQuantity:
      return QuantityText(leaf);
    case ValueKind::kDouble:
      return StrCat(leaf.reflection()->GetDouble(*leaf.message, leaf.field));
    case ValueKind::kString:
    case ValueKind::kIp:
      return leaf.reflection()->GetString(*leaf.message, leaf.field);
    default:
      return StrCat(ToNumber(config, path));
  }
}

int64_t ToNumber(const KubeletConfiguration& config, std::string_view path) {
  const ConstLeaf leaf = Find(config, path);
  switch (leaf.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return leaf.reflection()->GetInt32(*leaf.message, leaf.field);
    case FieldDescriptor::CPPTYPE_INT64:
      return leaf.reflection()->GetInt64(*leaf.message, leaf.field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return leaf.reflection()->GetUInt32(*leaf.message, leaf.field);
    default:
      CHECK(leaf.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
            leaf.field->message_type() == metav1::Duration::descriptor());
      return static_cast<const metav1::Duration&>(
                 leaf.reflection()->GetMessage(*leaf.message, leaf.field))
          .duration();
  }
}

}  // namespace cubelet::config
