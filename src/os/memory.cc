#include "os/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::os {
namespace {

struct Mapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool from_file = false;
  bool clean = false;  // nothing in it differs from the file
};

// "7f00-7f10 r-xp 00000000 08:01 123 /usr/lib/x.so", the head line of a mapping in smaps.
bool ParseHead(absl::string_view line, Mapping& mapping) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (fields.size() < 5) return false;
  const std::vector<absl::string_view> range = absl::StrSplit(fields[0], '-');
  if (range.size() != 2 || !absl::SimpleHexAtoi(range[0], &mapping.begin) ||
      !absl::SimpleHexAtoi(range[1], &mapping.end))
    return false;
  mapping.from_file = fields.size() >= 6 && absl::StartsWith(fields[5], "/") &&
                      (fields[1] == "r-xp" || fields[1] == "r--p");
  mapping.clean = true;
  return true;
}

// A page that was relocated exists here alone: dropping it would lose it.
bool TellsOfChanges(absl::string_view line) {
  if (!absl::StartsWith(line, "Anonymous:") && !absl::StartsWith(line, "Private_Dirty:"))
    return false;
  return !absl::StrContains(line, " 0 kB");
}

}  // namespace

void ReleaseColdMemory() {
  ::malloc_trim(0);
  const absl::StatusOr<std::string> smaps = ReadFile("/proc/self/smaps", 4 << 20);
  if (!smaps.ok()) return;
  std::vector<Mapping> mappings;
  for (absl::string_view line : absl::StrSplit(*smaps, '\n')) {
    Mapping head;
    if (ParseHead(line, head)) {
      mappings.push_back(head);
    } else if (!mappings.empty() && TellsOfChanges(line)) {
      mappings.back().clean = false;
    }
  }
  for (const Mapping& mapping : mappings) {
    if (mapping.from_file && mapping.clean)
      (void)::madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin,
                      MADV_DONTNEED);
  }
}

}  // namespace cubelet::os
