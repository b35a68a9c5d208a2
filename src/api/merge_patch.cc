#include "api/merge_patch.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/patch_strategies.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromPrimitiveList = "$deleteFromPrimitiveList/";

absl::StatusOr<json::object> DiffObjects(const json::object& from, const json::object& to,
                                         const Descriptor* type, bool retain_keys);

json::value Sorted(json::value value) {
  if (auto* array = value.if_array()) {
    for (json::value& item : *array) item = Sorted(std::move(item));
  } else if (auto* object = value.if_object()) {
    std::map<std::string, json::value> members;
    for (auto& [key, member] : *object) members.emplace(key, Sorted(std::move(member)));
    object->clear();
    for (auto& [key, member] : members) object->emplace(key, std::move(member));
  }
  return value;
}

// The text by which an item is found again, for strings and numbers alike.
absl::StatusOr<std::string> KeyOf(const json::value& item, std::string_view key) {
  const json::object* object = item.if_object();
  const json::value* member = object == nullptr ? nullptr : object->if_contains(key);
  if (member == nullptr || member->is_structured() || member->is_null())
    return absl::InvalidArgumentError(
        StrCat("an item lacks the key ", GoQuote(key), " by which it is merged"));
  return Serialize(*member);
}

absl::StatusOr<std::vector<std::string>> KeysOf(const json::array& list, std::string_view key) {
  std::vector<std::string> keys;
  keys.reserve(list.size());
  for (const json::value& item : list) {
    ASSIGN_OR_RETURN(keys.emplace_back(), KeyOf(item, key));
  }
  return keys;
}

json::array OnlyKeys(const json::array& list, std::string_view key) {
  json::array keys;
  for (const json::value& item : list) keys.push_back(json::object{{key, item.at(key)}});
  return keys;
}

// Items of `from` that `to` lacks, as directives in the order of their keys.
json::array Deletions(const json::array& from, const std::vector<std::string>& from_keys,
                      const std::vector<std::string>& to_keys, std::string_view key) {
  std::map<std::string, json::value> gone;
  for (size_t i = 0; i < from.size(); ++i) {
    if (std::find(to_keys.begin(), to_keys.end(), from_keys[i]) != to_keys.end()) continue;
    gone[from_keys[i]] = json::object{{kDirective, "delete"}, {key, from[i].at(key)}};
  }
  json::array directives;
  for (auto& [text, directive] : gone) directives.push_back(std::move(directive));
  return directives;
}

absl::Status DiffListOfObjects(const json::array& from, const json::array& to,
                               std::string_view name, const PatchField& field,
                               json::object& patch) {
  ASSIGN_OR_RETURN(const std::vector<std::string> from_keys, KeysOf(from, field.key));
  ASSIGN_OR_RETURN(const std::vector<std::string> to_keys, KeysOf(to, field.key));
  json::array changes;
  for (size_t i = 0; i < to.size(); ++i) {
    const auto old = std::find(from_keys.begin(), from_keys.end(), to_keys[i]);
    if (old == from_keys.end()) {
      changes.push_back(to[i]);
      continue;
    }
    const json::object& before = from[static_cast<size_t>(old - from_keys.begin())].get_object();
    ASSIGN_OR_RETURN(json::object change,
                     DiffObjects(before, to[i].get_object(), field.type, field.retain_keys));
    if (change.empty()) continue;
    change[field.key] = to[i].at(field.key);
    changes.push_back(std::move(change));
  }
  for (json::value& deletion : Deletions(from, from_keys, to_keys, field.key))
    changes.push_back(std::move(deletion));
  if (!changes.empty() || from_keys != to_keys)
    patch[StrCat(kSetElementOrder, name)] = OnlyKeys(to, field.key);
  if (!changes.empty()) patch[name] = std::move(changes);
  return absl::OkStatus();
}

json::array Without(const json::array& list, const json::array& others) {
  json::array rest;
  for (const json::value& item : list) {
    if (std::find(others.begin(), others.end(), item) == others.end()) rest.push_back(item);
  }
  return rest;
}

void DiffListOfStrings(const json::array& from, const json::array& to, std::string_view name,
                       json::object& patch) {
  json::array added = Without(to, from);
  json::array gone = Without(from, to);
  patch[StrCat(kSetElementOrder, name)] = to;
  if (!added.empty()) patch[name] = std::move(added);
  if (!gone.empty()) patch[StrCat(kDeleteFromPrimitiveList, name)] = std::move(gone);
}

absl::Status DiffMember(const json::value& from, const json::value& to, std::string_view name,
                        const PatchField& field, json::object& patch) {
  if (from.is_object() && to.is_object()) {
    ASSIGN_OR_RETURN(json::object change,
                     DiffObjects(from.get_object(), to.get_object(), field.type, false));
    if (!change.empty()) patch[name] = std::move(change);
    return absl::OkStatus();
  }
  if (from == to) return absl::OkStatus();
  if (field.merge && from.is_array() && to.is_array()) {
    if (!field.key.empty())
      return DiffListOfObjects(from.get_array(), to.get_array(), name, field, patch);
    DiffListOfStrings(from.get_array(), to.get_array(), name, patch);
    return absl::OkStatus();
  }
  patch[name] = to;
  return absl::OkStatus();
}

json::array MembersThatStay(const json::object& to) {
  std::vector<std::string> names;
  for (const auto& [name, value] : to) {
    if (!value.is_null()) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return json::array(names.begin(), names.end());
}

absl::StatusOr<json::object> DiffObjects(const json::object& from, const json::object& to,
                                         const Descriptor* type, bool retain_keys) {
  json::object patch;
  for (const auto& [key, value] : to) {
    const json::value* before = from.if_contains(key);
    if (before == nullptr) {
      patch[key] = value;
      continue;
    }
    const std::string_view name(key.data(), key.size());
    RETURN_IF_ERROR(
        Annotate(DiffMember(*before, value, name, FindPatchField(type, name), patch), name));
  }
  for (const auto& [key, value] : from) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  if (retain_keys && !patch.empty()) patch[kRetainKeys] = MembersThatStay(to);
  return patch;
}

}  // namespace

absl::StatusOr<json::object> CreateTwoWayMergePatch(const json::object& from,
                                                    const json::object& to,
                                                    const Descriptor* type) {
  ASSIGN_OR_RETURN(json::object patch, DiffObjects(from, to, type, false));
  return Sorted(std::move(patch)).get_object();
}

absl::StatusOr<json::object> CreateTwoWayMergePatch(const google::protobuf::Message& from,
                                                    const google::protobuf::Message& to) {
  return CreateTwoWayMergePatch(ToJson(from).get_object(), ToJson(to).get_object(),
                                to.GetDescriptor());
}

absl::StatusOr<json::object> PodStatusPatch(const std::string& uid, const v1::PodStatus& from,
                                            const v1::PodStatus& to) {
  ASSIGN_OR_RETURN(json::object status, CreateTwoWayMergePatch(from, to));
  if (status.empty()) return status;
  return json::object{{"metadata", json::object{{"uid", uid}}}, {"status", std::move(status)}};
}

absl::StatusOr<json::object> NodeStatusPatch(const v1::NodeStatus& from, const v1::NodeStatus& to) {
  ASSIGN_OR_RETURN(json::object status, CreateTwoWayMergePatch(from, to));
  if (status.empty()) return status;
  // Of two addresses of one type the loss of one shows in the order alone.
  if (status.contains("addresses") || status.contains(StrCat(kSetElementOrder, "addresses"))) {
    status.erase(StrCat(kSetElementOrder, "addresses"));
    json::array addresses;
    for (const v1::NodeAddress& address : to.addresses()) addresses.push_back(ToJson(address));
    addresses.push_back(json::object{{kDirective, "replace"}});
    status["addresses"] = std::move(addresses);
  }
  return json::object{{"status", Sorted(std::move(status))}};
}

}  // namespace cubelet::api
