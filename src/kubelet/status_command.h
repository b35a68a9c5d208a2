// `kubelet status`: asks the kubelet that runs on this node how its pods are doing, and why.
#pragma once

#include <string>
#include <vector>

namespace cubelet::kubelet {

// `args` are those after "status". Prints to standard output, errors to standard error; gives the
// exit code: 0, 1 when no kubelet answers, 2 for wrong arguments.
int RunStatusCommand(const std::vector<std::string>& args);

}  // namespace cubelet::kubelet
