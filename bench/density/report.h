// The figures as one line of JSON.
#pragma once

#include <string>

#include "flags.h"
#include "measure.h"

namespace cubelet::density {

std::string ReportJson(const Flags& flags, const Figures& figures);

}  // namespace cubelet::density
