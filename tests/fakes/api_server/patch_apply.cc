#include "fakes/api_server/patch_apply.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/codec.h"
#include "api/patch_strategies.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromPrimitiveList = "$deleteFromPrimitiveList/";

std::string_view View(json::string_view text) { return {text.data(), text.size()}; }

std::string DirectiveOf(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* directive = object == nullptr ? nullptr : object->if_contains(kDirective);
  if (directive == nullptr || !directive->is_string()) return "";
  return std::string(View(directive->get_string()));
}

bool IsDirectiveKey(std::string_view key) { return !key.empty() && key[0] == '$'; }

// What a list merged by a key is made of while patches are applied to it.
class MergedList {
 public:
  MergedList(json::array items, std::string key) : items_(std::move(items)), key_(std::move(key)) {}

  absl::Status CheckKeys(const json::array& list) const {
    for (const json::value& item : list) {
      if (!item.is_object() || !item.get_object().contains(key_))
        return absl::InvalidArgumentError(
            StrCat(api::Serialize(item), " does not contain declared merge key: ", key_));
    }
    return absl::OkStatus();
  }

  json::value* Find(const json::value& like) {
    for (json::value& item : items_) {
      if (item.is_object() && SameKey(item, like)) return &item;
    }
    return nullptr;
  }

  void Remove(const json::value& like) {
    json::array kept;
    for (json::value& item : items_) {
      if (!SameKey(item, like)) kept.push_back(std::move(item));
    }
    items_ = std::move(kept);
  }

  void Append(json::value item) { items_.push_back(std::move(item)); }

  // Items that `order` names stand in its order; the others keep their place before what followed
  // them in `before`.
  void Order(const json::array& order, const json::array& before) {
    std::vector<json::value> named;
    for (const json::value& wanted : order) {
      if (const json::value* item = Find(wanted)) named.push_back(*item);
    }
    std::vector<json::value> others;
    for (const json::value& item : items_) {
      if (PlaceIn(order, item) == order.size()) others.push_back(item);
    }
    json::array merged;
    size_t next = 0;
    for (json::value& item : named) {
      const size_t place = PlaceIn(before, item);
      while (next < others.size() && place < before.size() && PlaceIn(before, others[next]) < place)
        merged.push_back(std::move(others[next++]));
      merged.push_back(std::move(item));
    }
    while (next < others.size()) merged.push_back(std::move(others[next++]));
    items_ = std::move(merged);
  }

  json::array Take() { return std::move(items_); }

 private:
  const json::value* KeyOf(const json::value& item) const {
    return key_.empty() ? &item : item.is_object() ? item.get_object().if_contains(key_) : nullptr;
  }
  bool SameKey(const json::value& a, const json::value& b) const {
    const json::value* left = KeyOf(a);
    const json::value* right = KeyOf(b);
    return left != nullptr && right != nullptr && *left == *right;
  }
  size_t PlaceIn(const json::array& list, const json::value& item) const {
    size_t place = 0;
    while (place < list.size() && !SameKey(list[place], item)) ++place;
    return place;
  }

  json::array items_;
  const std::string key_;
};

absl::StatusOr<json::object> PatchObject(json::object original, const json::object& patch,
                                         const Descriptor* type);

// A value that is new has no directives in what is stored.
absl::StatusOr<json::value> WithoutDirectives(const json::value& value, const Descriptor* type) {
  if (!value.is_object()) return value;
  ASSIGN_OR_RETURN(json::object clean, PatchObject({}, value.get_object(), type));
  return json::value(std::move(clean));
}

absl::StatusOr<json::array> PatchItems(const json::array& original, const json::array& patch,
                                       const json::array* order, const api::PatchField& field) {
  MergedList list(original, std::string(field.key));
  bool replace = false;
  for (const json::value& item : patch) replace = replace || DirectiveOf(item) == "replace";
  if (replace) list.Take().clear();
  for (const json::value& item : patch) {
    const std::string directive = DirectiveOf(item);
    if (directive == "replace") continue;
    RETURN_IF_ERROR(list.CheckKeys(json::array{item}));
    if (directive == "delete") {
      list.Remove(item);
    } else if (json::value* found = list.Find(item)) {
      ASSIGN_OR_RETURN(*found, PatchObject(found->get_object(), item.get_object(), field.type));
    } else {
      ASSIGN_OR_RETURN(json::value added, WithoutDirectives(item, field.type));
      list.Append(std::move(added));
    }
  }
  if (order != nullptr) list.Order(*order, original);
  return list.Take();
}

json::array PatchStrings(const json::array& original, const json::array* patch,
                         const json::array* gone, const json::array* order) {
  MergedList list(original, "");
  if (gone != nullptr) {
    for (const json::value& item : *gone) list.Remove(item);
  }
  json::array items = list.Take();
  if (patch != nullptr) {
    for (const json::value& item : *patch) {
      if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
    }
  }
  if (order == nullptr) return items;
  json::array sorted;
  for (const json::value& item : *order) {
    if (std::find(items.begin(), items.end(), item) != items.end()) sorted.push_back(item);
  }
  for (const json::value& item : items) {
    if (std::find(sorted.begin(), sorted.end(), item) == sorted.end()) sorted.push_back(item);
  }
  return sorted;
}

const json::array* ListIn(const json::object& object, const std::string& key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

absl::Status PatchList(json::object& result, const json::object& patch, const std::string& name,
                       const api::PatchField& field) {
  const json::value* old = result.if_contains(name);
  const json::array original = old != nullptr && old->is_array() ? old->get_array() : json::array();
  const json::array* items = ListIn(patch, name);
  const json::array* order = ListIn(patch, StrCat(kSetElementOrder, name));
  if (field.key.empty()) {
    result[name] =
        PatchStrings(original, items, ListIn(patch, StrCat(kDeleteFromPrimitiveList, name)), order);
    return absl::OkStatus();
  }
  const json::array none;
  ASSIGN_OR_RETURN(json::array list,
                   PatchItems(original, items == nullptr ? none : *items, order, field));
  result[name] = std::move(list);
  return absl::OkStatus();
}

absl::Status PatchMember(json::object& result, const json::object& patch, const std::string& name,
                         const json::value& change, const Descriptor* type) {
  const api::PatchField field = api::FindPatchField(type, name);
  if (change.is_null() || DirectiveOf(change) == "delete") {
    result.erase(name);
    return absl::OkStatus();
  }
  if (field.merge && change.is_array()) return PatchList(result, patch, name, field);
  const json::value* old = result.if_contains(name);
  if (change.is_object()) {
    json::object before = old != nullptr && old->is_object() ? old->get_object() : json::object();
    ASSIGN_OR_RETURN(result[name], PatchObject(std::move(before), change.get_object(), field.type));
    return absl::OkStatus();
  }
  result[name] = change;
  return absl::OkStatus();
}

// Orders and deletions of lists that the patch does not name otherwise.
absl::Status PatchListsByDirective(json::object& result, const json::object& patch,
                                   const Descriptor* type) {
  for (const std::string_view prefix : {kSetElementOrder, kDeleteFromPrimitiveList}) {
    for (const auto& [key, value] : patch) {
      const std::string_view text = View(key);
      if (!text.starts_with(prefix)) continue;
      const std::string name(text.substr(prefix.size()));
      if (patch.contains(name) || !result.contains(name)) continue;
      const api::PatchField field = api::FindPatchField(type, name);
      if (field.merge) RETURN_IF_ERROR(PatchList(result, patch, name, field));
    }
  }
  return absl::OkStatus();
}

void RetainKeys(json::object& result, const json::object& patch) {
  const json::array* kept = ListIn(patch, std::string(kRetainKeys));
  if (kept == nullptr) return;
  json::object rest;
  for (const auto& [key, value] : result) {
    if (std::find(kept->begin(), kept->end(), json::value(key)) != kept->end()) rest[key] = value;
  }
  result = std::move(rest);
}

absl::StatusOr<json::object> PatchObject(json::object original, const json::object& patch,
                                         const Descriptor* type) {
  if (DirectiveOf(patch) == "replace") original.clear();
  RetainKeys(original, patch);
  for (const auto& [key, change] : patch) {
    const std::string name(View(key));
    if (IsDirectiveKey(name)) continue;
    RETURN_IF_ERROR(Annotate(PatchMember(original, patch, name, change, type), name));
  }
  RETURN_IF_ERROR(PatchListsByDirective(original, patch, type));
  return original;
}

}  // namespace

absl::StatusOr<json::object> ApplyStrategicMergePatch(json::object original,
                                                      const json::object& patch,
                                                      const Descriptor* type) {
  return PatchObject(std::move(original), patch, type);
}

json::value ApplyMergePatch(json::value original, const json::value& patch) {
  if (!patch.is_object()) return patch;
  if (!original.is_object()) original = json::object();
  json::object& result = original.get_object();
  for (const auto& [key, change] : patch.get_object()) {
    if (change.is_null()) {
      result.erase(key);
    } else {
      result[key] = ApplyMergePatch(result[key], change);
    }
  }
  return original;
}

}  // namespace cubelet::fakes
