// How strategic merge patches treat the fields of the API's types: which lists are merged item by
// item and by which key, and where a patch names the members that stay. Facts of the API
// (patchStrategy and patchMergeKey of its types); a list that is not named here is replaced whole.
#pragma once

#include <string_view>

namespace google::protobuf {
class Descriptor;
}

namespace cubelet::api {

struct PatchField {
  // The message that the member, or each item of the list, is; null when it is none, or when its
  // members are free (a map, raw JSON).
  const google::protobuf::Descriptor* type = nullptr;

  bool merge = false;        // a list: items are merged, not the whole replaced
  bool retain_keys = false;  // a patch of an item names all members that stay ($retainKeys)
  std::string_view key;      // the member that tells items apart; "" for a list of strings
};

// The member `name` (as in JSON) of `parent`; nothing is special about one that is not known, or of
// a null `parent`.
PatchField FindPatchField(const google::protobuf::Descriptor* parent, std::string_view name);

}  // namespace cubelet::api
