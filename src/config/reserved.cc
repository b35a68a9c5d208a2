#include "config/reserved.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::config {
namespace {

constexpr std::string_view kResources[] = {"cpu", "memory", "ephemeral-storage", "pid"};

// More than any machine has; keeps "0-2000000000" from filling memory.
constexpr int kMaxCpu = 1 << 16;

absl::StatusOr<Reserved> ParseReserved(
    const google::protobuf::Map<std::string, std::string>& settings) {
  Reserved reserved;
  for (const auto& [resource, text] : settings) {
    if (std::ranges::find(kResources, resource) == std::end(kResources))
      return absl::InvalidArgumentError(StrCat("cannot reserve ", GoQuote(resource), " resource"));
    const absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(text);
    if (!quantity.ok())
      return Annotate(quantity.status(), StrCat("failed to parse quantity ", GoQuote(text), " for ",
                                                GoQuote(resource), " resource"));
    if (quantity->Sign() < 0)
      return absl::InvalidArgumentError(
          StrCat("resource quantity for ", GoQuote(resource), " cannot be negative: ", text));
    reserved[resource] = *quantity;
  }
  return reserved;
}

bool ParseCpu(absl::string_view text, int& cpu) {
  return absl::SimpleAtoi(text, &cpu) && cpu >= 0 && cpu < kMaxCpu;
}

}  // namespace

absl::StatusOr<std::set<int>> ParseCpuSet(std::string_view text) {
  if (text.empty()) return std::set<int>();
  std::vector<bool> listed(kMaxCpu);  // ranges may repeat each other without end
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(part, absl::MaxSplits('-', 1));
    int first = 0, last = 0;
    const bool ok = ParseCpu(ends[0], first) && ParseCpu(ends.back(), last) && first <= last;
    if (!ok)
      return absl::InvalidArgumentError(
          StrCat(GoQuote(ToStd(part)), " is neither a CPU nor a range of CPUs"));
    std::fill(listed.begin() + first, listed.begin() + last + 1, true);
  }
  std::set<int> cpus;
  for (int cpu = 0; cpu < kMaxCpu; ++cpu) {
    if (listed[static_cast<size_t>(cpu)]) cpus.insert(cpus.end(), cpu);
  }
  return cpus;
}

absl::StatusOr<Reservations> ReservationsOf(const KubeletConfiguration& config) {
  absl::StatusOr<Reserved> kube = ParseReserved(config.kubereserved());
  if (!kube.ok()) return Annotate(kube.status(), "kubeReserved");
  absl::StatusOr<Reserved> system = ParseReserved(config.systemreserved());
  if (!system.ok()) return Annotate(system.status(), "systemReserved");
  const absl::StatusOr<std::set<int>> cpus = ParseCpuSet(config.reservedsystemcpus());
  if (!cpus.ok()) return Annotate(cpus.status(), "reservedSystemCPUs");
  if (!cpus->empty()) {
    kube->erase("cpu");
    (*system)["cpu"] = api::Quantity::FromInt(static_cast<int64_t>(cpus->size()));
  }
  return Reservations{.kube = *std::move(kube), .system = *std::move(system)};
}

}  // namespace cubelet::config
