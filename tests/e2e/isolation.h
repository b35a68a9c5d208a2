// A world of its own for a node under test: a process in namespaces of its own for processes,
// mounts and network. Whatever the test leaves running or mounted is gone when it ends, however it
// ends, and nothing of the machine's is seen or touched: ports and addresses are free.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace cubelet::e2e {

struct World {
  std::string directory;      // empty at first
  std::string cgroup_prefix;  // cgroups at the top of any hierarchy that begin so are this world's
  std::string address;        // of the node, an IPv4 address that only this world has
};

// Makes a cgroup at the top of every hierarchy, with all controllers.
absl::Status MakeCgroup(const std::string& name);

// Runs `body` in such a world and gives its exit code. Needs root. When there can be no such world
// here, gives `unable(why)` instead, run in this process. With `keep`, or when the body fails, the
// directory stays and is named on standard error.
int RunIsolated(const std::string& name, bool keep, const std::function<int(const World&)>& body,
                const std::function<int(const std::string& why)>& unable);

}  // namespace cubelet::e2e
