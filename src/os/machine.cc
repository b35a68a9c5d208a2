#include "os/machine.h"

#include <sys/utsname.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::os {
namespace {

constexpr int kMaxCpu = 1 << 16;
constexpr size_t kMaxFactBytes = 1 << 20;
constexpr char kHugePages[] = "/sys/kernel/mm/hugepages";

// The value of a line like "MemTotal:  123 kB", in bytes.
std::optional<int64_t> MemInfoValue(std::string_view text, std::string_view key) {
  for (absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    if (!absl::ConsumePrefix(&line, ToAbsl(key)) || !absl::ConsumePrefix(&line, ":")) continue;
    absl::ConsumeSuffix(&line, "kB");
    int64_t kib;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &kib) && kib >= 0 && kib < (1LL << 50))
      return kib << 10;
  }
  return std::nullopt;
}

// The trimmed content of the first of the files that has any.
std::string FirstContent(std::initializer_list<const char*> paths) {
  for (const char* path : paths) {
    absl::StatusOr<std::string> text = ReadFile(path, kMaxFactBytes);
    if (!text.ok()) continue;
    // Device tree properties end in a NUL.
    const std::string_view until_nul = std::string_view(*text).substr(0, text->find('\0'));
    std::string trimmed(absl::StripAsciiWhitespace(ToAbsl(until_nul)));
    if (!trimmed.empty()) return trimmed;
  }
  return "";
}

utsname Uname() {
  utsname name = {};
  ::uname(&name);
  return name;
}

}  // namespace

absl::StatusOr<MemoryFacts> ParseMemInfo(std::string_view text) {
  const std::optional<int64_t> total = MemInfoValue(text, "MemTotal");
  if (!total) return absl::InvalidArgumentError("read memory information: no MemTotal in it");
  return MemoryFacts{*total, MemInfoValue(text, "SwapTotal").value_or(0)};
}

absl::StatusOr<MemoryFacts> ReadMemInfo() {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/meminfo", kMaxFactBytes));
  return ParseMemInfo(text);
}

absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text) {
  std::vector<bool> listed;  // by number: ranges may repeat each other without end
  const absl::string_view list = absl::StripAsciiWhitespace(ToAbsl(text));
  for (absl::string_view part : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> range =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    int first, last;
    if (!absl::SimpleAtoi(range.first, &first) ||
        !absl::SimpleAtoi(absl::StrContains(part, '-') ? range.second : range.first, &last) ||
        first < 0 || last < first || last >= kMaxCpu)
      return absl::InvalidArgumentError(
          StrCat("read a list of processors: ", GoQuote(ToStd(part)), " is not a range"));
    listed.resize(std::max(listed.size(), static_cast<size_t>(last) + 1));
    std::fill(listed.begin() + first, listed.begin() + last + 1, true);
  }
  std::vector<int> cpus;
  for (size_t cpu = 0; cpu < listed.size(); ++cpu) {
    if (listed[cpu]) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

absl::StatusOr<int> CountCpus() {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile("/sys/devices/system/cpu/online", kMaxFactBytes));
  ASSIGN_OR_RETURN(const std::vector<int> cpus, ParseCpuList(text));
  if (cpus.empty()) return absl::InternalError("count processors: none is online");
  return static_cast<int>(cpus.size());
}

absl::StatusOr<int64_t> ReadMaxTasks() {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const char* path : {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"}) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFactBytes));
    int64_t limit;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &limit) || limit <= 0)
      return absl::InternalError(StrCat("read ", path, ": ", GoQuote(text), " is not a limit"));
    least = std::min(least, limit);
  }
  return least;
}

int64_t ParseHugePageName(std::string_view name) {
  absl::string_view rest = ToAbsl(name);
  int64_t kib;
  if (!absl::ConsumePrefix(&rest, "hugepages-") || !absl::ConsumeSuffix(&rest, "kB") ||
      !absl::SimpleAtoi(rest, &kib) || kib <= 0 || kib >= (1LL << 40))
    return 0;
  return kib << 10;
}

absl::StatusOr<std::vector<HugePageSize>> ReadHugePageSizes() {
  std::vector<HugePageSize> sizes;
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(kHugePages);
  if (absl::IsNotFound(names.status())) return sizes;
  RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    HugePageSize size{.page_bytes = ParseHugePageName(name)};
    if (size.page_bytes == 0) continue;
    ASSIGN_OR_RETURN(const std::string count,
                     ReadFile(StrCat(kHugePages, "/", name, "/nr_hugepages"), kMaxFactBytes));
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(count), &size.pages))
      return absl::InvalidArgumentError(StrCat(
          "read ", kHugePages, "/", name, "/nr_hugepages: ", GoQuote(count), " is not a number"));
    sizes.push_back(size);
  }
  std::sort(sizes.begin(), sizes.end(), [](const HugePageSize& a, const HugePageSize& b) {
    return a.page_bytes < b.page_bytes;
  });
  return sizes;
}

KernelRelease ParseKernelRelease(std::string_view release) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(ToAbsl(release), absl::ByAnyChar(".-+"));
  KernelRelease version;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &version.major) ||
      !absl::SimpleAtoi(parts[1], &version.minor))
    return {};
  return version;
}

KernelRelease KernelVersion() { return ParseKernelRelease(Uname().release); }

std::string KernelReleaseText() { return Uname().release; }

std::string HostName() { return absl::AsciiStrToLower(Uname().nodename); }

std::string Architecture() {
  const std::string machine = Uname().machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "i386" || machine == "i686") return "386";
  if (absl::StartsWith(machine, "armv")) return "arm";
  return machine;  // ppc64le, s390x, riscv64: the same in both
}

std::string ParseOsImage(std::string_view text) {
  for (absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "PRETTY_NAME=")) continue;
    const bool quoted = line.size() >= 2 && (line.front() == '"' || line.front() == '\'') &&
                        line.back() == line.front();
    if (!quoted) return std::string(line);
    std::string value;
    const absl::string_view inner = line.substr(1, line.size() - 2);
    for (size_t i = 0; i < inner.size(); ++i) {
      // In double quotes a backslash protects the next character, as in a shell.
      if (line.front() == '"' && inner[i] == '\\' && i + 1 < inner.size()) ++i;
      value += inner[i];
    }
    return value;
  }
  return "Linux";
}

std::string ReadOsImage() {
  return ParseOsImage(FirstContent({"/etc/os-release", "/usr/lib/os-release"}));
}

std::string ReadMachineId() {
  return FirstContent({"/etc/machine-id", "/var/lib/dbus/machine-id"});
}

std::string ReadBootId() { return FirstContent({"/proc/sys/kernel/random/boot_id"}); }

std::string ReadSystemUuid() {
  return FirstContent({"/sys/class/dmi/id/product_uuid", "/proc/device-tree/system-id",
                       "/proc/device-tree/vm,uuid", "/etc/machine-id", "/var/lib/dbus/machine-id"});
}

}  // namespace cubelet::os
