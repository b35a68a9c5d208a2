// Selecting objects by their labels: LabelSelector objects, their string form, and the node
// selector terms of a pod's node affinity. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"

namespace cubelet::api {

using LabelMap = google::protobuf::Map<std::string, std::string>;

// All of a list of requirements on labels; none at all select everything.
class Selector {
 public:
  enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGt, kLt };

  // Selects everything, or nothing.
  static Selector Everything() { return Selector(); }
  static Selector Nothing();

  // "a=b,c!=d,e in (x, y),f notin (z),g,!h,i>5". Error: where the text is wrong and what was
  // expected, or what is wrong with a key or value.
  static absl::StatusOr<Selector> Parse(std::string_view text);

  // An empty object selects everything. (One that is absent selects nothing: that is the caller's
  // to know.)
  static absl::StatusOr<Selector> From(const metav1::LabelSelector& selector);

  // NotIn also selects objects without the label; Gt and Lt only those whose value is a number.
  bool Matches(const LabelMap& labels) const;

  // Adds a requirement. Error: a key that is no label key, values that do not fit the operator.
  absl::Status Add(std::string key, Operator op, std::vector<std::string> values);

  // The canonical string form, requirements in order of their keys.
  std::string ToString() const;

 private:
  struct Requirement {
    std::string key;
    Operator op;
    std::set<std::string> values;
  };

  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

// Whether any of the terms selects the node. A term without requirements, or with one that is not
// well formed, selects none.
bool MatchesNodeSelector(const v1::NodeSelector& selector, const v1::Node& node);

// spec.nodeSelector and the required node affinity of the pod against the node.
bool MatchesNodeAffinity(const v1::Pod& pod, const v1::Node& node);

}  // namespace cubelet::api
