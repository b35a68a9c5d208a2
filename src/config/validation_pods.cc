// The lives of pods and of the node: shutdown, restarts, logs, taints.
#include <algorithm>

#include "api/quantity.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/names.h"
#include "config/validation.h"

namespace cubelet::config {
namespace {

constexpr char kTotal[] = "shutdownGracePeriod";
constexpr char kCritical[] = "shutdownGracePeriodCriticalPods";
constexpr char kByPriority[] = "shutdownGracePeriodByPodPriority";

void ValidateShutdownPeriod(const char* name, absl::Duration period, const FeatureGates& gates,
                            Faults& faults) {
  if (period == absl::ZeroDuration()) return;
  faults.AddIf(
      !gates.Enabled("GracefulNodeShutdown"),
      StrCat(name, " ", FormatGoDuration(period), " requires feature gate GracefulNodeShutdown"));
  faults.AddIf(period < absl::Seconds(1), StrCat(name, " ", FormatGoDuration(period),
                                                 " must be either zero or otherwise >= 1 sec"));
}

void ValidateShutdown(const KubeletConfiguration& config, const FeatureGates& gates,
                      Faults& faults) {
  const absl::Duration total = ToDuration(config.shutdowngraceperiod());
  const absl::Duration critical = ToDuration(config.shutdowngraceperiodcriticalpods());
  ValidateShutdownPeriod(kTotal, total, gates, faults);
  ValidateShutdownPeriod(kCritical, critical, gates, faults);
  faults.AddIf(critical > total, StrCat(kTotal, " ", FormatGoDuration(total), " must be >= ",
                                        kCritical, " ", FormatGoDuration(critical)));
  const auto& groups = config.shutdowngraceperiodbypodpriority();
  if (groups.empty()) return;
  faults.AddIf(
      !gates.Enabled("GracefulNodeShutdownBasedOnPodPriority"),
      StrCat(kByPriority, " requires feature gate GracefulNodeShutdownBasedOnPodPriority"));
  faults.AddIf(total != absl::ZeroDuration() || critical != absl::ZeroDuration(),
               StrCat("cannot specify both ", kByPriority, " and ", kTotal, " or ", kCritical));
  for (const v1beta1::ShutdownGracePeriodByPodPriority& group : groups)
    faults.AddIf(group.shutdowngraceperiodseconds() < 0,
                 StrCat(kByPriority, " of priority ", group.priority(), ": ",
                        group.shutdowngraceperiodseconds(), " seconds must not be negative"));
}

void ValidateCrashLoopBackOff(const KubeletConfiguration& config, const FeatureGates& gates,
                              Faults& faults) {
  static constexpr char kName[] = "crashLoopBackOff.maxContainerRestartPeriod";
  const bool given = config.crashloopbackoff().has_maxcontainerrestartperiod();
  const bool enabled = gates.Enabled("KubeletCrashLoopBackOffMax");
  faults.AddIf(given && !enabled,
               StrCat(kName, " requires feature gate KubeletCrashLoopBackOffMax"));
  faults.AddIf(!given && enabled,
               StrCat(kName, " must be set when feature gate KubeletCrashLoopBackOffMax is on"));
  if (!given || !enabled) return;
  const absl::Duration period = ToDuration(config.crashloopbackoff().maxcontainerrestartperiod());
  faults.AddIf(period < absl::Seconds(1) || period > absl::Seconds(300),
               StrCat(kName, " ", FormatGoDuration(period),
                      " must be between 1 and 300 seconds, inclusive"));
}

void ValidateContainerLogs(const KubeletConfiguration& config, Faults& faults) {
  const absl::StatusOr<api::Quantity> size = api::Quantity::Parse(config.containerlogmaxsize());
  if (!size.ok())
    faults.Add(StrCat(NameOf("containerLogMaxSize"), " ", GoQuote(config.containerlogmaxsize()),
                      ": ", Message(size.status())));
  const absl::Duration interval = ToDuration(config.containerlogmonitorinterval());
  faults.AddIf(interval < absl::Seconds(3),
               StrCat("containerLogMonitorInterval ", FormatGoDuration(interval),
                      " must be greater than or equal to 3s"));
}

bool IsTaintEffect(std::string_view effect) {
  return effect == "NoSchedule" || effect == "PreferNoSchedule" || effect == "NoExecute";
}

void ValidateTaints(const KubeletConfiguration& config, Faults& faults) {
  for (const auto& taint : config.registerwithtaints()) {
    const std::string subject =
        StrCat(NameOf("registerWithTaints"), " ",
               GoQuote(StrCat(taint.key(), "=", taint.value(), ":", taint.effect())));
    faults.AddIf(taint.has_timeadded(), StrCat(subject, ": taint.TimeAdded is not nil"));
    faults.AddIf(!IsQualifiedName(taint.key()), StrCat(subject, ": the key is not a name"));
    faults.AddIf(!IsLabelValue(taint.value()), StrCat(subject, ": the value is not a label value"));
    faults.AddIf(!IsTaintEffect(taint.effect()),
                 StrCat(subject, ": the effect must be NoSchedule, PreferNoSchedule or NoExecute"));
  }
}

}  // namespace

void ValidatePodLifecycle(const KubeletConfiguration& config, const FeatureGates& gates,
                          Faults& faults) {
  faults.AddIf(config.runonce(),
               StrCat(NameOf("runOnce"), " true: this mode was removed and must not be set"));
  ValidateShutdown(config, gates, faults);
  ValidateCrashLoopBackOff(config, gates, faults);
  ValidateContainerLogs(config, faults);
  ValidateTaints(config, faults);
}

}  // namespace cubelet::config
