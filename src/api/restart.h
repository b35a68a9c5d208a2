// Whether a container that has ended may be started again (pod-lifecycle.md 7.2.6). Pure.
#pragma once

#include <string>

#include "api/types.h"

namespace cubelet::api {

// What a container's restart policy, its rules and the pod's policy say about an instance that
// exited with `exit_code`. The pod's deletion is the caller's to look at.
bool RestartsAfter(const v1::Pod& pod, const v1::Container& container, int exit_code);

// The policy in force without a look at exit codes: the container's own if it has one, otherwise
// the pod's; "Always" when neither is set.
std::string EffectiveRestartPolicy(const v1::Pod& pod, const v1::Container& container);

// An exit with that code makes all containers of the pod start anew (a rule with action
// RestartAllContainers matches).
bool RestartsAllContainers(const v1::Container& container, int exit_code);

// Whether any container of the pod has such a rule.
bool HasRestartAllRule(const v1::Pod& pod);

}  // namespace cubelet::api
