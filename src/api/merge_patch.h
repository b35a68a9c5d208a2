// Strategic merge patches: what changes one object into another, in the form the API machinery
// makes, so that what we send cannot be told from the original's. Pure.
//
//   ASSIGN_OR_RETURN(json::object patch, PodStatusPatch(uid, reported, wanted));
//   if (!patch.empty()) ... PATCH .../status, Serialize(patch)
//
// Content type: application/strategic-merge-patch+json.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "api/types.h"

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace cubelet::api {

// The patch from one JSON object of type `type` to another (the two-way merge patch). Members that
// are gone are null; lists with a merge key carry the items that differ, `$patch: delete` for those
// that are gone, and the order of all (`$setElementOrder/<field>`); other lists stand whole; lists
// of strings that are merged name what goes in `$deleteFromPrimitiveList/<field>`. Keys are sorted.
// Empty when the two are equal. Error: an item of a list lacks the key by which it is merged.
absl::StatusOr<boost::json::object> CreateTwoWayMergePatch(
    const boost::json::object& from, const boost::json::object& to,
    const google::protobuf::Descriptor* type);

// The same for two messages of one type.
absl::StatusOr<boost::json::object> CreateTwoWayMergePatch(const google::protobuf::Message& from,
                                                           const google::protobuf::Message& to);

// The patch of a pod's status (pod-lifecycle.md 11.7): the difference, and metadata.uid so that it
// never meets another pod of that name. Empty when the status is the same.
absl::StatusOr<boost::json::object> PodStatusPatch(const std::string& uid,
                                                   const v1::PodStatus& from,
                                                   const v1::PodStatus& to);

// The patch of a node's status (node.md 2.1.3): the difference; addresses that differ replace the
// whole list, as there may be two of one type. Empty when the status is the same.
absl::StatusOr<boost::json::object> NodeStatusPatch(const v1::NodeStatus& from,
                                                    const v1::NodeStatus& to);

}  // namespace cubelet::api
