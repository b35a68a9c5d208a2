// The command line's syntax, which is pflag's: --name=value, --name value, -n value, -nvalue,
// -n=value, booleans without a value, words separated by '-' or '_', "--" before what is no flag.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/flag_table.h"

namespace cubelet::config {

struct Occurrence {
  const FlagSpec* flag;
  std::string value;
};

struct CommandLine {
  std::vector<Occurrence> flags;        // in order
  std::vector<std::string> positional;  // what is no flag
};

// Errors: `unknown flag: --x`, `unknown shorthand flag: 'x' in -xy`, `flag needs an argument: --x`,
// `bad flag syntax: --=x`.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& args);

}  // namespace cubelet::config
