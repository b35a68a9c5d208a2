// What the admission plugins of an API server add to pods that are created: the service account
// with its token volume, priority, and tolerations of nodes that are away for a while. Pure.
#pragma once

#include <string>

#include "api/types.h"

namespace cubelet::fakes {

// `suffix` makes the volume's name unlike others ("x8k2p"). Mirror pods get no service account.
void AdmitPod(const std::string& suffix, v1::Pod& pod);

}  // namespace cubelet::fakes
