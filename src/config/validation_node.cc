// Cgroups, reservations, eviction, swap: what the node gives to pods.
#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/eviction.h"
#include "config/reserved.h"
#include "config/validation.h"

namespace cubelet::config {
namespace {

constexpr std::string_view kEnforcements[] = {
    "none",
    "pods",
    "system-reserved",
    "system-reserved-compressible",
    "kube-reserved",
    "kube-reserved-compressible",
};
constexpr int64_t kIdsUnit = 65536;
constexpr int64_t kIds = int64_t{1} << 32;

std::string Enforce() { return NameOf("enforceNodeAllocatable"); }

// What one of system-reserved and kube-reserved asks for.
void ValidateReservedCgroup(const std::set<std::string>& enforced, const std::string& name,
                            std::string_view cgroup_field, const std::string& cgroup,
                            Faults& faults) {
  const std::string compressible = name + "-compressible";
  faults.AddIf(
      enforced.contains(name) && enforced.contains(compressible),
      StrCat(Enforce(), " must not hold both ", GoQuote(name), " and ", GoQuote(compressible)));
  for (const std::string& enforcement : {name, compressible})
    faults.AddIf(enforced.contains(enforcement) && cgroup.empty(),
                 StrCat(NameOf(cgroup_field), " must be specified when ", GoQuote(enforcement),
                        " contained in ", Enforce()));
}

void ValidateEnforcement(const KubeletConfiguration& config, Faults& faults) {
  std::set<std::string> enforced;
  for (const std::string& name : config.enforcenodeallocatable()) {
    faults.AddIf(std::ranges::find(kEnforcements, name) == std::end(kEnforcements),
                 StrCat("option ", GoQuote(name), " specified for ", Enforce(),
                        ". Valid options are \"pods\", \"system-reserved\", "
                        "\"system-reserved-compressible\", \"kube-reserved\", "
                        "\"kube-reserved-compressible\" and \"none\""));
    faults.AddIf(!enforced.insert(name).second,
                 StrCat("duplicated enforcement ", GoQuote(name), " specified in ", Enforce()));
  }
  faults.AddIf(enforced.contains("none") && enforced.size() > 1,
               StrCat(Enforce(),
                      " may not contain additional enforcements when \"none\" is "
                      "specified"));
  enforced.erase("none");
  faults.AddIf(
      !enforced.empty() && !config.cgroupsperqos(),
      StrCat(Enforce(), " is not supported unless ", NameOf("cgroupsPerQOS"), " is set to true"));
  ValidateReservedCgroup(enforced, "system-reserved", "systemReservedCgroup",
                         config.systemreservedcgroup(), faults);
  ValidateReservedCgroup(enforced, "kube-reserved", "kubeReservedCgroup",
                         config.kubereservedcgroup(), faults);
}

void ValidateReservations(const KubeletConfiguration& config, Faults& faults) {
  const absl::StatusOr<Reservations> reservations = ReservationsOf(config);
  if (!reservations.ok()) faults.Add(std::string(Message(reservations.status())));
  faults.AddIf(!config.reservedsystemcpus().empty() &&
                   (!config.systemreservedcgroup().empty() || !config.kubereservedcgroup().empty()),
               StrCat("can't use ", NameOf("reservedSystemCPUs"), " with ",
                      NameOf("systemReservedCgroup"), " or ", NameOf("kubeReservedCgroup")));
}

void ValidateCgroups(const KubeletConfiguration& config, Faults& faults) {
  const std::string& system = config.systemcgroups();
  faults.AddIf(!system.empty() && config.cgrouproot().empty(),
               StrCat(NameOf("systemCgroups"), " was specified and ", NameOf("cgroupRoot"),
                      " was not specified"));
  faults.AddIf(system == "/", StrCat(NameOf("systemCgroups"), " cannot be root (\"/\")"));
}

void ValidateCpuQuota(const KubeletConfiguration& config, const FeatureGates& gates,
                      Faults& faults) {
  const absl::Duration period = ToDuration(config.cpucfsquotaperiod());
  const std::string subject = StrCat(NameOf("cpuCFSQuotaPeriod"), " ", FormatGoDuration(period));
  faults.AddIf(period != absl::Milliseconds(100) && !gates.Enabled("CustomCPUCFSQuotaPeriod"),
               StrCat(subject, " requires feature gate CustomCPUCFSQuotaPeriod"));
  faults.AddIf(period < absl::Milliseconds(1) || period > absl::Seconds(1),
               StrCat(subject, " must be between 1ms and 1sec, inclusive"));
}

void ValidateMemory(const KubeletConfiguration& config, const FeatureGates& gates, const Host& host,
                    Faults& faults) {
  const double factor = config.memorythrottlingfactor();
  faults.AddIf(!(factor > 0 && factor <= 1),
               StrCat("memoryThrottlingFactor ", factor,
                      " must be greater than 0 and less than or equal to 1.0"));
  faults.AddIf(
      config.memoryreservationpolicy() == "TieredReservation" && !gates.Enabled("MemoryQoS"),
      "memoryReservationPolicy \"TieredReservation\" requires feature gate MemoryQoS");
  faults.AddIf(config.memoryswap().swapbehavior() == "LimitedSwap" && !host.cgroup_v2,
               "memorySwap.swapBehavior \"LimitedSwap\" requires cgroup v2");
  faults.AddIf(
      config.has_singleprocessoomkill() && !config.singleprocessoomkill() && !host.cgroup_v2,
      "singleProcessOOMKill must not be false when cgroup v1 is used");
}

void ValidateQosReserved(const KubeletConfiguration& config, const FeatureGates& gates,
                         Faults& faults) {
  if (config.qosreserved().empty()) return;
  faults.AddIf(!gates.Enabled("QOSReserved"),
               StrCat(NameOf("qosReserved"), " requires feature gate QOSReserved"));
  for (const auto& [resource, text] : config.qosreserved()) {
    int percent = -1;
    const bool ok = resource == "memory" && text.ends_with('%') &&
                    absl::SimpleAtoi(text.substr(0, text.size() - 1), &percent) && percent >= 0 &&
                    percent <= 100;
    faults.AddIf(!ok, StrCat(NameOf("qosReserved"), " ", GoQuote(StrCat(resource, "=", text)),
                             " must be memory=N% with N from 0 to 100"));
  }
}

void ValidateUserNamespaces(const KubeletConfiguration& config, Faults& faults) {
  if (!config.usernamespaces().has_idsperpod()) return;
  const int64_t ids = config.usernamespaces().idsperpod();
  faults.AddIf(ids < kIdsUnit || ids % kIdsUnit != 0 || ids >= kIds,
               StrCat("userNamespaces.idsPerPod ", ids, " must be a multiple of ", kIdsUnit,
                      " and less than ", kIds));
}

bool IsPlainPath(std::string_view path) {
  if (path.size() < 2 || path[0] != '/') return false;
  for (absl::string_view part : absl::StrSplit(ToAbsl(path.substr(1)), '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return std::ranges::all_of(path, [](char c) { return c > 0 && c < 0x7f; });
}

}  // namespace

void ValidateNodeResources(const KubeletConfiguration& config, const FeatureGates& gates,
                           const Host& host, Faults& faults) {
  ValidateCgroups(config, faults);
  ValidateEnforcement(config, faults);
  ValidateReservations(config, faults);
  ValidateCpuQuota(config, gates, faults);
  ValidateMemory(config, gates, host, faults);
  ValidateQosReserved(config, gates, faults);
  ValidateUserNamespaces(config, faults);
  const auto thresholds = EvictionThresholds(config);
  if (!thresholds.ok()) faults.Add(std::string(Message(thresholds.status())));
  faults.AddIf(!IsPlainPath(config.podlogsdir()),
               StrCat("podLogsDir ", GoQuote(config.podlogsdir()),
                      " must be an absolute path in ASCII without trailing slash, \".\" and "
                      "\"..\""));
}

}  // namespace cubelet::config
