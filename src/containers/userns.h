// User namespaces of pods with hostUsers: false: which range of host ids each one has, and the file
// that remembers it (node.md 7, containers.md 1.9). Pure; the caller reads and writes the files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "api/types.h"
#include "containers/node_context.h"

namespace cubelet::containers {

// Ids 0..length-1 inside the pod are ids host_id..host_id+length-1 of the host, users and groups
// alike.
struct UserNamespace {
  uint32_t host_id = 0;
  uint32_t length = 0;

  bool operator==(const UserNamespace&) const = default;
};

// Whether the pod wants a user namespace of its own (hostUsers is false).
bool WantsUserNamespace(const v1::Pod& pod);

// Error when it does and the runtime handler cannot give it one. To be asked before a range is
// allocated.
absl::Status CheckUserNamespaceSupport(const v1::Pod& pod, const NodeContext& node,
                                       std::string_view handler);

// The content of <pod directory>/userns, and its reading. Errors: `user namespace: ...`.
std::string EncodeUserNamespace(const UserNamespace& user_namespace);
absl::StatusOr<UserNamespace> DecodeUserNamespace(std::string_view text);

// The host ids that pods may be given.
struct UserNamespaceRange {
  uint64_t first = 0;
  uint64_t count = 0;
  uint32_t ids_per_pod = 0;  // userNamespaces.idsPerPod
};

// All ids but the first `ids_per_pod` (> 0): what is used when no user "kubelet" has a range.
UserNamespaceRange DefaultUserNamespaceRange(uint32_t ids_per_pod);

// Which pod has which part of the range. First fit: the lowest free slot is given.
class UserNamespaceAllocator {
 public:
  // Error: sizes that are no multiples of 65536 or of each other, or a range too small for
  // `max_pods`.
  static absl::StatusOr<UserNamespaceAllocator> Create(const UserNamespaceRange& range,
                                                       int max_pods);

  // The pod's range: the one it has, or a new one. RESOURCE_EXHAUSTED when none is free.
  absl::StatusOr<UserNamespace> Allocate(std::string_view uid);

  // Takes note of a range read from the pod's file. Error: not one of our slots, or another pod's.
  absl::Status Record(std::string_view uid, const UserNamespace& user_namespace);

  // Gives the pod's range back; nothing happens when it has none.
  void Release(std::string_view uid);

 private:
  UserNamespaceAllocator(const UserNamespaceRange& range, size_t slots)
      : range_(range), used_(slots) {}

  UserNamespace At(size_t slot) const;

  UserNamespaceRange range_;
  std::vector<bool> used_;
  absl::flat_hash_map<std::string, size_t> slots_;  // by pod uid
};

}  // namespace cubelet::containers
