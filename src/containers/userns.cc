#include "containers/userns.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::containers {
namespace {

constexpr uint32_t kUnit = 65536;
constexpr uint64_t kAllIds = uint64_t{1} << 32;
constexpr size_t kMaxFileBytes = 64 << 10;
constexpr char kPrefix[] = "user namespace";

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(StrCat(kPrefix, ": ", what));
}

std::optional<uint32_t> NumberAt(const boost::json::object& object, const char* key) {
  const boost::json::value* value = object.if_contains(key);
  if (value == nullptr) return 0;
  boost::json::error_code error;
  const auto number = value->to_number<uint32_t>(error);
  if (error) return std::nullopt;
  return number;
}

// The one mapping that `key` of the file's object holds.
absl::StatusOr<UserNamespace> MappingAt(const boost::json::object& file, const char* key) {
  const boost::json::value* list = file.if_contains(key);
  const boost::json::array* items = list == nullptr ? nullptr : list->if_array();
  if (items == nullptr || items->size() != 1 || !items->front().is_object())
    return Bad(StrCat(key, ": want a list of one mapping"));
  const boost::json::object& mapping = items->front().get_object();
  const auto host_id = NumberAt(mapping, "hostId");
  const auto container_id = NumberAt(mapping, "containerId");
  const auto length = NumberAt(mapping, "length");
  if (!host_id || !container_id || !length)
    return Bad(StrCat(key, ": hostId, containerId and length must be 32 bit numbers"));
  if (*container_id != 0) return Bad(StrCat(key, ": containerId is ", *container_id, ", want 0"));
  if (*length == 0) return Bad(StrCat(key, ": length is 0"));
  return UserNamespace{.host_id = *host_id, .length = *length};
}

}  // namespace

bool WantsUserNamespace(const v1::Pod& pod) {
  return pod.spec().has_hostusers() && !pod.spec().hostusers();
}

absl::Status CheckUserNamespaceSupport(const v1::Pod& pod, const NodeContext& node,
                                       std::string_view handler) {
  if (!WantsUserNamespace(pod)) return absl::OkStatus();
  const auto features = node.handlers.find(std::string(handler));
  const bool known = features != node.handlers.end();
  if (known && features->second.user_namespaces) return absl::OkStatus();
  const std::string who =
      handler.empty() ? "runtime" : StrCat("RuntimeClass handler ", GoQuote(handler));
  return absl::FailedPreconditionError(StrCat(
      "can't set `spec.hostUsers: false`, ", who, " does not support user namespaces",
      known || handler.empty() ? "" : StrCat(": the handler ", GoQuote(handler), " is not known")));
}

std::string EncodeUserNamespace(const UserNamespace& user_namespace) {
  const boost::json::array mappings{boost::json::object{
      {"hostId", user_namespace.host_id}, {"containerId", 0}, {"length", user_namespace.length}}};
  return api::Serialize(boost::json::object{{"uidMappings", mappings}, {"gidMappings", mappings}});
}

absl::StatusOr<UserNamespace> DecodeUserNamespace(std::string_view text) {
  const auto value = api::ParseJson(text, {.max_bytes = kMaxFileBytes, .max_depth = 8});
  if (!value.ok()) return Annotate(value.status(), kPrefix);
  if (!value->is_object()) return Bad("want an object");
  ASSIGN_OR_RETURN(const UserNamespace users, MappingAt(value->get_object(), "uidMappings"));
  ASSIGN_OR_RETURN(const UserNamespace groups, MappingAt(value->get_object(), "gidMappings"));
  if (users != groups) return Bad("uidMappings and gidMappings differ");
  return users;
}

UserNamespaceRange DefaultUserNamespaceRange(uint32_t ids_per_pod) {
  const uint64_t slots = kAllIds / ids_per_pod;
  return {.first = ids_per_pod, .count = (slots - 1) * ids_per_pod, .ids_per_pod = ids_per_pod};
}

absl::StatusOr<UserNamespaceAllocator> UserNamespaceAllocator::Create(
    const UserNamespaceRange& range, int max_pods) {
  const uint32_t unit = range.ids_per_pod;
  if (unit == 0 || unit % kUnit != 0)
    return absl::InvalidArgumentError(
        StrCat("userNamespaces.idsPerPod ", unit, " is not a multiple of ", kUnit));
  if (range.first % unit != 0)
    return absl::InvalidArgumentError(
        StrCat("kubelet user assigned ID ", range.first, " is not a multiple of ", unit));
  if (range.first < unit)
    return absl::InvalidArgumentError(
        StrCat("kubelet user assigned ID ", range.first, " must be greater or equal to ", unit));
  if (range.count % unit != 0)
    return absl::InvalidArgumentError(
        StrCat("kubelet user assigned IDs length ", range.count, " is not a multiple of ", unit));
  if (range.first > kAllIds || range.count > kAllIds - range.first)
    return absl::InvalidArgumentError(StrCat("kubelet user assigned IDs ", range.first, " and ",
                                             range.count, " on: user ids end at ", kAllIds));
  const uint64_t slots = range.count / unit;
  if (max_pods > 0 && slots < static_cast<uint64_t>(max_pods))
    return absl::InvalidArgumentError(
        StrCat("kubelet user assigned IDs are not enough to support ", max_pods, " pods"));
  return UserNamespaceAllocator(range, slots);
}

UserNamespace UserNamespaceAllocator::At(size_t slot) const {
  return {.host_id = static_cast<uint32_t>(range_.first + slot * range_.ids_per_pod),
          .length = range_.ids_per_pod};
}

absl::StatusOr<UserNamespace> UserNamespaceAllocator::Allocate(std::string_view uid) {
  if (const auto held = slots_.find(std::string(uid)); held != slots_.end())
    return At(held->second);
  for (size_t slot = 0; slot < used_.size(); ++slot) {
    if (used_[slot]) continue;
    used_[slot] = true;
    slots_.emplace(uid, slot);
    return At(slot);
  }
  return absl::ResourceExhaustedError(
      "create user namespace: could not find an empty slot to allocate a user namespace");
}

absl::Status UserNamespaceAllocator::Record(std::string_view uid,
                                            const UserNamespace& user_namespace) {
  const uint64_t host_id = user_namespace.host_id;
  if (user_namespace.length != range_.ids_per_pod)
    return Bad(StrCat("length is ", user_namespace.length, ", want ", range_.ids_per_pod));
  if (host_id < range_.first || host_id >= range_.first + range_.count ||
      (host_id - range_.first) % range_.ids_per_pod != 0)
    return Bad(StrCat("host id ", host_id, " is no start of a pod's range"));
  const size_t slot = (host_id - range_.first) / range_.ids_per_pod;
  const auto held = slots_.find(std::string(uid));
  if (held != slots_.end() && held->second == slot) return absl::OkStatus();
  if (held != slots_.end()) return Bad(StrCat("pod ", uid, " has another range already"));
  if (used_[slot]) return Bad(StrCat("host id ", host_id, " is another pod's"));
  used_[slot] = true;
  slots_.emplace(uid, slot);
  return absl::OkStatus();
}

void UserNamespaceAllocator::Release(std::string_view uid) {
  const auto held = slots_.find(std::string(uid));
  if (held == slots_.end()) return;
  used_[held->second] = false;
  slots_.erase(held);
}

}  // namespace cubelet::containers
