// The files of one log on disk: rotating, compressing, deleting (containers.md 7.2). Blocking
// calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::pods {

// The name that the live log gets: "<log>.<YYYYMMDD-HHMMSS>" in local time, later than every name
// in `rotated` so that two rotations within a second do not meet. Pure.
std::string RotatedName(const std::string& log_path, const std::vector<std::string>& rotated,
                        absl::Time now, absl::TimeZone zone);

// Rotated files of the log, oldest first; leftovers of an interrupted compression are removed.
absl::StatusOr<std::vector<std::string>> CleanRotated(const std::string& log_path);

// Deletes the oldest of `rotated` until at most `keep` are left.
absl::Status DeleteOldest(std::vector<std::string>& rotated, size_t keep);

// Compresses a file to `<path>.gz` and removes it.
absl::Status CompressLog(const std::string& path);

}  // namespace cubelet::pods
