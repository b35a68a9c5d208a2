// What Kubernetes lets names, labels, keys and the like be made of. Pure.
//
// Each function gives what is wrong with the text, in the API server's words, one sentence a fault
// and without naming the text; nothing when it is well formed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cubelet::api {

using Faults = std::vector<std::string>;

// "my-name", at most 63 characters.
Faults Dns1123LabelFaults(std::string_view text);

// "my.name", at most 253 characters; with `underscores`, "_my.na_me" too (DNS search paths).
Faults Dns1123SubdomainFaults(std::string_view text, bool underscores = false);

// A label's key, and whatever else is a qualified name: "example.com/name" or "name".
Faults LabelKeyFaults(std::string_view text);
Faults LabelValueFaults(std::string_view text);

// The name of an environment variable: printable ASCII without '='.
Faults EnvVarNameFaults(std::string_view text);

// A key of a ConfigMap or Secret.
Faults ConfigKeyFaults(std::string_view text);

Faults PortNameFaults(std::string_view text);
Faults PortNumberFaults(int64_t port);
Faults HttpHeaderNameFaults(std::string_view text);

// IPv4 or IPv6; leading zeros in IPv4 are taken, as they always were.
Faults IpFaults(std::string_view text);

// User and group ids.
Faults IdFaults(int64_t id);

bool IsSysctlName(std::string_view text);
extern const char kSysctlFormat[];  // the expression it must match, for messages

// "must be between 1 and 255, inclusive"
std::string RangeFault(int64_t low, int64_t high);

// The start of a generated name as a name to be judged: it may end in a dash.
std::string MaskTrailingDash(std::string_view text);

}  // namespace cubelet::api
