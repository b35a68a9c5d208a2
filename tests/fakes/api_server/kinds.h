// The kinds of objects the fake API server knows: one table for routing, discovery and storage.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace cubelet::fakes {

struct Kind {
  std::string_view group;  // "" is core
  std::string_view version;
  std::string_view kind;
  std::string_view resource;  // plural
  std::string_view singular;
  std::vector<std::string_view> short_names;
  bool namespaced = false;
  const google::protobuf::Descriptor* descriptor = nullptr;
  std::vector<std::string_view> subresources;
  bool review = false;  // answered to a POST, never stored

  // "v1", "coordination.k8s.io/v1".
  std::string ApiVersion() const;
  // "pods", "leases.coordination.k8s.io": how error messages call it.
  std::string QualifiedResource() const;
  bool Has(std::string_view subresource) const;
};

const std::vector<Kind>& AllKinds();

// Null when there is none.
const Kind* FindKind(std::string_view group, std::string_view version, std::string_view resource);
const Kind* FindKind(const google::protobuf::Descriptor* descriptor);

}  // namespace cubelet::fakes
