// The options of the managers of CPUs, memory and topology.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "api/quantity.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/validation.h"
#include "config/value_text.h"

namespace cubelet::config {
namespace {

struct CpuOption {
  std::string_view name;
  std::string_view gate;   // "" for stable options
  std::string_view level;  // as messages name it
};

constexpr CpuOption kCpuOptions[] = {
    {"full-pcpus-only", "", ""},
    {"strict-cpu-reservation", "", ""},
    {"prefer-align-cpus-by-uncorecache", "", ""},
    {"distribute-cpus-across-numa", "CPUManagerPolicyBetaOptions", "Beta"},
    {"align-by-socket", "CPUManagerPolicyAlphaOptions", "Alpha"},
    {"distribute-cpus-across-cores", "CPUManagerPolicyAlphaOptions", "Alpha"},
};

constexpr std::pair<std::string_view, std::string_view> kExclusions[] = {
    {"full-pcpus-only", "distribute-cpus-across-cores"},
    {"distribute-cpus-across-numa", "distribute-cpus-across-cores"},
    {"prefer-align-cpus-by-uncorecache", "distribute-cpus-across-cores"},
    {"prefer-align-cpus-by-uncorecache", "distribute-cpus-across-numa"},
};

constexpr int64_t kMinNumaNodes = 8;

using Options = google::protobuf::Map<std::string, std::string>;

void CheckCpuOption(const std::string& name, const std::string& text, const FeatureGates& gates,
                    Faults& faults) {
  const auto option = std::ranges::find(kCpuOptions, name, &CpuOption::name);
  if (option == std::end(kCpuOptions))
    return faults.Add(StrCat("unknown CPU Manager Policy option: ", GoQuote(name)));
  faults.AddIf(!option->gate.empty() && !gates.Enabled(option->gate),
               StrCat("CPU Manager Policy ", option->level,
                      "-level Options not enabled, but option ", GoQuote(name), " provided"));
  const absl::StatusOr<bool> value = ParseBool(text);
  if (!value.ok())
    faults.Add(StrCat("bad value for option ", GoQuote(name), ": ", Message(value.status())));
}

bool IsOn(const Options& options, std::string_view name) {
  const auto option = options.find(std::string(name));
  return option != options.end() && ParseBool(option->second).value_or(false);
}

void ValidateCpuOptions(const KubeletConfiguration& config, const FeatureGates& gates,
                        Faults& faults) {
  const Options& options = config.cpumanagerpolicyoptions();
  if (options.empty()) return;
  if (config.cpumanagerpolicy() != "static")
    return faults.Add(StrCat(NameOf("cpuManagerPolicyOptions"), " requires ",
                             NameOf("cpuManagerPolicy"), " static"));
  for (const auto& [name, text] : options) CheckCpuOption(name, text, gates, faults);
  for (const auto& [first, second] : kExclusions)
    faults.AddIf(IsOn(options, first) && IsOn(options, second),
                 StrCat("static policy options ", first, " and ", second,
                        " can not be used at the same time"));
  faults.AddIf(
      IsOn(options, "align-by-socket") && config.topologymanagerpolicy() == "single-numa-node",
      StrCat("static policy option align-by-socket can not be used with ",
             NameOf("topologyManagerPolicy"), " single-numa-node"));
}

void ValidateTopologyOptions(const KubeletConfiguration& config, Faults& faults) {
  for (const auto& [name, text] : config.topologymanagerpolicyoptions()) {
    if (name == "prefer-closest-numa-nodes") {
      const absl::StatusOr<bool> value = ParseBool(text);
      if (!value.ok())
        faults.Add(StrCat("bad value for option ", GoQuote(name), ": ", Message(value.status())));
    } else if (name == "max-allowable-numa-nodes") {
      int64_t nodes = 0;
      if (!absl::SimpleAtoi(text, &nodes)) {
        faults.Add(StrCat("unable to convert policy option to integer ", GoQuote(name), ": ",
                          GoQuote(text)));
      } else if (nodes < kMinNumaNodes) {
        faults.Add(StrCat("the minimum value of ", GoQuote(name), " should not be less than ",
                          kMinNumaNodes));
      }
    } else {
      faults.Add(StrCat("unknown Topology Manager Policy option: ", GoQuote(name)));
    }
  }
}

void ValidateReservedMemory(const KubeletConfiguration& config, Faults& faults) {
  std::set<std::pair<int, std::string>> seen;
  for (const v1beta1::MemoryReservation& reservation : config.reservedmemory()) {
    const std::string subject =
        StrCat(NameOf("reservedMemory"), " of NUMA node ", reservation.numanode());
    faults.AddIf(reservation.numanode() < 0, StrCat(subject, ": there is no such node"));
    for (const auto& [type, amount] : reservation.limits()) {
      faults.AddIf(
          type != "memory" && !type.starts_with("hugepages-"),
          StrCat(subject, ": ", GoQuote(type), " is neither memory nor a size of hugepages"));
      faults.AddIf(api::Quantity::ParseOrZero(amount.string()).Sign() <= 0,
                   StrCat(subject, ": ", type, " ", amount.string(), " must be greater than 0"));
      faults.AddIf(!seen.emplace(reservation.numanode(), type).second,
                   StrCat(subject, ": ", type, " is given twice"));
    }
  }
}

}  // namespace

void ValidateManagers(const KubeletConfiguration& config, const FeatureGates& gates,
                      Faults& faults) {
  ValidateCpuOptions(config, gates, faults);
  ValidateTopologyOptions(config, faults);
  ValidateReservedMemory(config, faults);
}

}  // namespace cubelet::config
