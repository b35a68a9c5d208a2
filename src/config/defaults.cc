#include "config/defaults.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "config/field_table.h"

namespace cubelet::config {
namespace {

constexpr std::pair<const char*, const char*> kEvictionHard[] = {
    {"imagefs.available", "15%"}, {"imagefs.inodesFree", "5%"}, {"memory.available", "100Mi"},
    {"nodefs.available", "10%"},  {"nodefs.inodesFree", "5%"},
};

constexpr int64_t kMaxRestartPeriod = int64_t{300} * 1'000'000'000;

void ApplyEvictionHard(KubeletConfiguration& config, const GivenEmpty& given_empty) {
  const bool unset = config.evictionhard().empty() && !given_empty.eviction_hard;
  if (!unset && !config.mergedefaultevictionsettings()) return;
  for (const auto& [signal, value] : kEvictionHard)
    config.mutable_evictionhard()->insert({signal, value});
}

// Fields whose default depends on another one; before the table gives that one its default.
void ApplyDependent(KubeletConfiguration& config, const FeatureGates& gates) {
  if (!IsSet(config, "nodeStatusReportFrequency") && IsSet(config, "nodeStatusUpdateFrequency"))
    *config.mutable_nodestatusreportfrequency() = config.nodestatusupdatefrequency();
  if (!config.has_serializeimagepulls())
    config.set_serializeimagepulls(config.maxparallelimagepulls() < 2);
  if (config.podpidslimit() < 0) config.set_podpidslimit(-1);
  if (config.imagepullcredentialsverificationpolicy().empty() &&
      gates.Enabled("KubeletEnsureSecretPulledImages"))
    config.set_imagepullcredentialsverificationpolicy("NeverVerifyPreloadedImages");
  if (!config.crashloopbackoff().has_maxcontainerrestartperiod() &&
      gates.Enabled("KubeletCrashLoopBackOffMax"))
    config.mutable_crashloopbackoff()->mutable_maxcontainerrestartperiod()->set_duration(
        kMaxRestartPeriod);
}

}  // namespace

void ApplyDefaults(KubeletConfiguration& config, const FeatureGates& gates, DefaultSet set,
                   const GivenEmpty& given_empty) {
  ApplyDependent(config, gates);
  for (const FieldSpec& field : Fields()) {
    const bool legacy = set == DefaultSet::kLegacy && !field.legacy_fallback.empty();
    const std::string_view fallback = legacy ? field.legacy_fallback : field.fallback;
    if (fallback.empty() || IsSet(config, field.path)) continue;
    if (field.path == "enforceNodeAllocatable" && given_empty.enforce_node_allocatable) continue;
    const absl::Status status = SetFromText(config, field.path, KindOfField(field.path), fallback);
    CHECK(status.ok());
  }
  if (set == DefaultSet::kFile) ApplyEvictionHard(config, given_empty);
}

}  // namespace cubelet::config
