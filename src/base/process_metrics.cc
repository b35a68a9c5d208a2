#include "base/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/fd.h"
#include "base/metrics.h"
#include "base/strings.h"

namespace cubelet {
namespace {

// Files of /proc are small and made up when read; one that is larger than this is no such file.
constexpr size_t kMaxProcFile = 256 << 10;

std::string ReadProc(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (fd.valid() && text.size() < kMaxProcFile) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

// The fields of /proc/self/stat from the third on; the second is the name and may hold spaces.
std::vector<std::string> StatFields() {
  const std::string text = ReadProc("/proc/self/stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(text.substr(name_end + 1), ' ', absl::SkipWhitespace());
}

// Field `number` (counted as in proc(5)) of `fields`.
double Field(const std::vector<std::string>& fields, size_t number) {
  double value = 0;
  if (number - 3 >= fields.size() || !absl::SimpleAtod(fields[number - 3], &value)) return 0;
  return value;
}

double TicksPerSecond() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

double BootTime() {
  for (absl::string_view line : absl::StrSplit(ReadProc("/proc/stat"), '\n')) {
    double seconds = 0;
    if (line.substr(0, 6) == "btime " && absl::SimpleAtod(line.substr(6), &seconds)) return seconds;
  }
  return 0;
}

double Limit(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);
}

double OpenDescriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = 0;
  while (const dirent* entry = ::readdir(directory)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(directory);
  return count;
}

// The value under `name` in the two IpExt lines of /proc/self/net/netstat (names, then values).
double IpExtCounter(const std::string& text, std::string_view name) {
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.substr(0, 7) != "IpExt: ") continue;
    std::vector<std::string> columns = absl::StrSplit(line, ' ');
    if (names.empty()) {
      names = std::move(columns);
      continue;
    }
    for (size_t i = 0; i < names.size() && i < columns.size(); ++i) {
      double value = 0;
      if (names[i] == name && absl::SimpleAtod(columns[i], &value)) return value;
    }
  }
  return 0;
}

}  // namespace

double ProcessStartTime() {
  const double boot = BootTime(), ticks = Field(StatFields(), 22);
  return boot == 0 || ticks == 0 ? 0 : boot + ticks / TicksPerSecond();
}

void UpdateProcessMetrics(Metrics& metrics) {
  if (const std::vector<std::string> stat = StatFields(); !stat.empty()) {
    const double ticks = Field(stat, 14) + Field(stat, 15);
    metrics.SetCounter("process_cpu_seconds_total", {}, ticks / TicksPerSecond());
    metrics.SetGauge("process_virtual_memory_bytes", {}, Field(stat, 23));
    metrics.SetGauge("process_resident_memory_bytes", {},
                     Field(stat, 24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  if (const double start = ProcessStartTime(); start != 0)
    metrics.SetGauge("process_start_time_seconds", {}, start);
  metrics.SetGauge("process_virtual_memory_max_bytes", {}, Limit(RLIMIT_AS));
  metrics.SetGauge("process_max_fds", {}, Limit(RLIMIT_NOFILE));
  metrics.SetGauge("process_open_fds", {}, OpenDescriptors());
  const std::string netstat = ReadProc("/proc/self/net/netstat");
  metrics.SetCounter("process_network_receive_bytes_total", {}, IpExtCounter(netstat, "InOctets"));
  metrics.SetCounter("process_network_transmit_bytes_total", {},
                     IpExtCounter(netstat, "OutOctets"));
}

}  // namespace cubelet
