// What the API server does with a pod that is created, for pods that never pass one: defaulting and
// validation. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/types.h"

namespace cubelet::api {

// Fills in the API's defaults (core/v1): restart and DNS policy, grace period, probes' numbers,
// ports' protocol, pull policies, sources' modes, requests from limits, enableServiceLinks,
// securityContext, schedulerName, ... What admission plugins add (priority, tolerations, service
// account, token volume) is not among them.
void SetDefaults(v1::Pod& pod);

// Create-validation as strict as the API server's for what static pods may hold. OK, or
// INVALID_ARGUMENT with all faults, each `<path>: Invalid value: ...`, `<path>: Required value`,
// `<path>: Duplicate value: ...`, `<path>: Unsupported value: ...: supported values: ...`, in
// Go's aggregate form (one alone as it is, several as `[a, b]`). Expects a pod with defaults.
absl::Status ValidatePod(const v1::Pod& pod);

// Static pods cannot name other objects of the API: `static pods may not reference %s`
// (pod-lifecycle.md 1.5.7).
absl::Status CheckNoApiReferences(const v1::Pod& pod);

// Always for an image of the tag latest, written or implied; otherwise IfNotPresent.
std::string DefaultPullPolicy(std::string_view image);

}  // namespace cubelet::api
