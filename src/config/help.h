// What --help prints.
#pragma once

#include <string>

namespace cubelet::config {

// All flags in groups, each with its default, what it is for, and what to use instead if it is
// deprecated.
std::string HelpText();

}  // namespace cubelet::config
