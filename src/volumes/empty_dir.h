// emptyDir (volumes.md 4.1): a directory of the pod's own, on disk, in memory, or of huge pages.
// Content volumes stand on one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/quantity.h"
#include "api/types.h"
#include "volumes/mounter.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

inline constexpr char kMediumDefault[] = "";
inline constexpr char kMediumMemory[] = "Memory";

// The size of a tmpfs in bytes: the least of what is set of the node's allocatable memory, the
// pod's memory limit and `size_limit_bytes`. 0: no bound of ours.
int64_t TmpfsSize(const v1::Pod& pod, int64_t node_allocatable_bytes, int64_t size_limit_bytes);

// "size=8388608,noswap"
std::string TmpfsOptions(int64_t size_bytes, bool noswap);

// The size of the pages for a medium "HugePages" or "HugePages-<size>": what the pod's containers
// request. Errors: as volumes.md 4.1.4 words them.
absl::StatusOr<api::Quantity> HugePageSize(const v1::Pod& pod, const std::string& medium);

// Brings request.directory up on `medium`, gives it to the pod's group and leaves the marker
// `ready` in request.state_directory. What is up already is left as it is. Blocks.
absl::Status SetUpEmptyDir(const VolumeRequest& request, const std::string& medium,
                           int64_t size_limit_bytes, Mounter& mounter);

// The same for the emptyDir that request.volume describes.
absl::Status SetUpEmptyDirVolume(const VolumeRequest& request, Mounter& mounter);

// Takes an emptyDir down with all its content: first the marker, then mounts, then the directory.
// `mounts` are Mounter::MountPointsUnder of the directory or one above it. OK when there is none.
// Error: something inside cannot be unmounted or removed. Blocks.
absl::Status TearDownEmptyDir(const std::string& directory, const std::string& state_directory,
                              const std::vector<std::string>& mounts, Mounter& mounter);

// Whether `path` is `directory` or below it.
bool IsAtOrBelow(std::string_view path, std::string_view directory);

}  // namespace cubelet::volumes
