// Whether files have changed since they were last read, for the price of a stat each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cubelet::certs {

// Tells one content of a path from the next: a replaced, rewritten or re-linked file (as the
// kubelet's own volumes replace theirs) has another stamp. A file that is not there has the empty
// one.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_nanos = 0;
  int64_t changed_nanos = 0;

  bool operator==(const FileStamp&) const = default;
};

FileStamp StampOf(const std::string& path);
std::vector<FileStamp> StampsOf(const std::vector<std::string>& paths);

}  // namespace cubelet::certs
