#include "api/patch_strategies.h"

#include <google/protobuf/descriptor.h>

#include <array>

#include "api/codec_types.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

struct Strategy {
  std::string_view message;  // the last part of its name
  std::string_view field;
  std::string_view key;
  bool retain_keys = false;
};

constexpr auto kMergedLists = std::to_array<Strategy>({
    {"ObjectMeta", "finalizers", ""},
    {"ObjectMeta", "ownerReferences", "uid"},
    {"PodSpec", "containers", "name"},
    {"PodSpec", "ephemeralContainers", "name"},
    {"PodSpec", "hostAliases", "ip"},
    {"PodSpec", "imagePullSecrets", "name"},
    {"PodSpec", "initContainers", "name"},
    {"PodSpec", "resourceClaims", "name", true},
    {"PodSpec", "schedulingGates", "name"},
    {"PodSpec", "topologySpreadConstraints", "topologyKey"},
    {"PodSpec", "volumes", "name", true},
    {"Container", "env", "name"},
    {"Container", "ports", "containerPort"},
    {"Container", "volumeDevices", "devicePath"},
    {"Container", "volumeMounts", "mountPath"},
    {"EphemeralContainerCommon", "env", "name"},
    {"EphemeralContainerCommon", "ports", "containerPort"},
    {"EphemeralContainerCommon", "volumeDevices", "devicePath"},
    {"EphemeralContainerCommon", "volumeMounts", "mountPath"},
    {"PodStatus", "conditions", "type"},
    {"PodStatus", "hostIPs", "ip"},
    {"PodStatus", "podIPs", "ip"},
    {"PodStatus", "resourceClaimStatuses", "name", true},
    {"ContainerStatus", "allocatedResourcesStatus", "name"},
    {"ContainerStatus", "volumeMounts", "mountPath"},
    {"NodeSpec", "podCIDRs", ""},
    {"NodeStatus", "addresses", "type"},
    {"NodeStatus", "conditions", "type"},
    {"ServiceSpec", "ports", "port"},
    {"ServiceStatus", "conditions", "type"},
    {"ServiceAccount", "secrets", "name"},
    {"NamespaceStatus", "conditions", "type"},
    {"PersistentVolumeClaimStatus", "conditions", "type"},
    {"CSINodeSpec", "drivers", "name"},
});

// Members of EphemeralContainer and of a probe stand in their parent's object: the strategy is that
// of the message which has the field.
const Descriptor* OwnerOf(const MemberInfo& member) {
  return member.field->descriptor->containing_type();
}

const Strategy* FindStrategy(const Descriptor* owner, std::string_view name) {
  for (const Strategy& strategy : kMergedLists) {
    if (strategy.field == name && strategy.message == owner->name()) return &strategy;
  }
  return nullptr;
}

const Descriptor* TypeOfItems(const FieldInfo& field) {
  const FieldDescriptor* descriptor = field.descriptor;
  const bool object = descriptor->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (!object || descriptor->is_map() || field.special != Special::kNone) return nullptr;
  return descriptor->message_type();
}

}  // namespace

PatchField FindPatchField(const Descriptor* parent, std::string_view name) {
  if (parent == nullptr) return {};
  const MemberInfo* member = TypeInfo::Of(parent).Find(name);
  if (member == nullptr) return {};
  PatchField found{.type = TypeOfItems(*member->field)};
  const FieldDescriptor* field = member->field->descriptor;
  if (!field->is_repeated() || field->is_map()) return found;
  if (const Strategy* strategy = FindStrategy(OwnerOf(*member), name)) {
    found.merge = true;
    found.key = strategy->key;
    found.retain_keys = strategy->retain_keys;
  }
  return found;
}

}  // namespace cubelet::api
