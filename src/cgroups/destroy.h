// The end of a cgroup: what runs inside is killed, and all directories go. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace cubelet::cgroups {

// Removes the cgroup that has these directories (one per hierarchy; absent ones are passed over)
// with everything below it. What still runs inside is killed: at once by the kernel where it can
// (cgroup.kill), otherwise process by process. Waits about a second in all for the kernel to let
// go. Error: UNAVAILABLE, naming the directory that is still busy; trying again is fine.
absl::Status DestroyCgroup(const std::vector<std::string>& directories);

}  // namespace cubelet::cgroups
