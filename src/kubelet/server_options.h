// The servers' options from the configuration. Pure.
#pragma once

#include "config/config.h"
#include "kubelet/machine.h"
#include "server/options.h"

namespace cubelet::kubelet {

server::Options MakeServerOptions(const config::Config& config, const Machine& machine);

}  // namespace cubelet::kubelet
