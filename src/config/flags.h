// From the command line to values and back: what the rows of the flag table stand for.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "config/flag_syntax.h"

namespace cubelet::config {

// The defaults of the flags that are no fields.
NodeFlags DefaultNodeFlags();

// Sets fields, members and ignored flags in the order given. The first time a list or a map is
// given replaces what was there, more times add. Error: `invalid argument "x" for "--port" flag:
// ...`.
absl::Status ApplyFlags(const std::vector<Occurrence>& flags, Config& config);

// The same for flags that are fields alone, over what files have set. Feature gates of the files
// that no flag names stay.
absl::Status ApplyFieldFlags(const std::vector<Occurrence>& flags, KubeletConfiguration& kubelet);

// A sentence for each deprecated flag given.
std::vector<std::string> DeprecationWarnings(const std::vector<Occurrence>& flags);

// The value in force.
std::string FlagText(const FlagSpec& flag, const Config& config);

// Rules on the flags that are no fields. Errors name the flag and the value.
absl::Status ValidateNodeFlags(const NodeFlags& flags);

}  // namespace cubelet::config
