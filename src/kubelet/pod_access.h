// What the server asks to reach into pods: their logs, commands in their containers, their ports.
#pragma once

#include <memory>

#include "cri/runtime.h"
#include "kubelet/agent.h"
#include "server/backend.h"

namespace cubelet::kubelet {

// Fills that part of `backend`. All are borrowed; `agent` may hold nothing yet, and then no pod is
// known.
void ServePodAccess(server::Backend& backend, const std::unique_ptr<Agent>& agent,
                    cri::Runtime& runtime);

}  // namespace cubelet::kubelet
