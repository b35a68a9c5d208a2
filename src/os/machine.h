// Facts about the machine: parsers over the kernel's texts, and readers that fetch the text.
// Readers block shortly (small kernel files).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::os {

struct MemoryFacts {
  int64_t total_bytes = 0;
  int64_t swap_total_bytes = 0;  // 0: no swap
};

// /proc/meminfo. Error: MemTotal is missing.
absl::StatusOr<MemoryFacts> ParseMemInfo(std::string_view text);
absl::StatusOr<MemoryFacts> ReadMemInfo();

// A list as kernel files have it: "0-3,8" is 0 1 2 3 8; "" is none. Error: names the part.
absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text);

// Processors that are online.
absl::StatusOr<int> CountCpus();

// How many processes and threads the kernel has room for: the lesser of its two limits.
absl::StatusOr<int64_t> ReadMaxTasks();

struct HugePageSize {
  int64_t page_bytes = 0;
  int64_t pages = 0;  // reserved now
};

// "hugepages-2048kB" as bytes; 0 if it is not such a name.
int64_t ParseHugePageName(std::string_view name);

// The sizes the kernel has, ascending; none without support for huge pages.
absl::StatusOr<std::vector<HugePageSize>> ReadHugePageSizes();

struct KernelRelease {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelRelease&) const = default;
};

// The first two numbers of a release ("6.1.0-13-amd64"); 0.0 when it does not begin with them.
KernelRelease ParseKernelRelease(std::string_view release);
KernelRelease KernelVersion();

std::string KernelReleaseText();  // `uname -r`
std::string HostName();           // of the kernel, in lower case
std::string Architecture();       // as Kubernetes and Go name it: "amd64", "arm64"

// PRETTY_NAME of an os-release(5) text, "Linux" without one.
std::string ParseOsImage(std::string_view text);
std::string ReadOsImage();

// /etc/machine-id, "" without one; the same for D-Bus's copy.
std::string ReadMachineId();
// /proc/sys/kernel/random/boot_id, "" without one.
std::string ReadBootId();
// The firmware's UUID, on machines without one the machine id.
std::string ReadSystemUuid();

}  // namespace cubelet::os
