#include "node/lease.h"

namespace cubelet::node {
namespace {

metav1::MicroTime ToMicroTime(absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  metav1::MicroTime out;
  out.set_seconds(micros / 1'000'000);
  out.set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  return out;
}

void SetOwner(const v1::Node& node, metav1::ObjectMeta& meta) {
  metav1::OwnerReference& owner = *meta.add_ownerreferences();
  owner.set_apiversion("v1");
  owner.set_kind("Node");
  owner.set_name(node.metadata().name());
  owner.set_uid(node.metadata().uid());
}

}  // namespace

absl::Duration LeaseRenewInterval(int32_t duration_seconds) {
  return absl::Seconds(duration_seconds) / 4;
}

coordinationv1::Lease WantedLease(const coordinationv1::Lease* base, const std::string& node_name,
                                  int32_t duration_seconds, const v1::Node* owner, absl::Time now) {
  coordinationv1::Lease lease;
  if (base != nullptr) lease = *base;
  lease.mutable_metadata()->set_name(node_name);
  lease.mutable_metadata()->set_namespace_(kLeaseNamespace);
  if (owner != nullptr && lease.metadata().ownerreferences().empty())
    SetOwner(*owner, *lease.mutable_metadata());
  lease.mutable_spec()->set_holderidentity(node_name);
  lease.mutable_spec()->set_leasedurationseconds(duration_seconds);
  *lease.mutable_spec()->mutable_renewtime() = ToMicroTime(now);
  return lease;
}

}  // namespace cubelet::node
