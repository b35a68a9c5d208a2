// The three kinds of patches an API server applies, on JSON values. Pure.
//
// Errors are INVALID_ARGUMENT and name the place, except a JSON patch whose `test` does not hold:
// FAILED_PRECONDITION.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "absl/status/statusor.h"

namespace google::protobuf {
class Descriptor;
}

namespace cubelet::fakes {

// application/strategic-merge-patch+json: lists with a merge key are merged item by item, and the
// directives $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList are obeyed.
absl::StatusOr<boost::json::object> ApplyStrategicMergePatch(
    boost::json::object original, const boost::json::object& patch,
    const google::protobuf::Descriptor* type);

// application/merge-patch+json (RFC 7386).
boost::json::value ApplyMergePatch(boost::json::value original, const boost::json::value& patch);

// application/json-patch+json (RFC 6902).
absl::StatusOr<boost::json::value> ApplyJsonPatch(boost::json::value original,
                                                  const boost::json::array& patch);

}  // namespace cubelet::fakes
