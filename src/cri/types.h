// The runtime's wire types under a short name.
#pragma once

#include "runtime/v1/api.pb.h"

namespace cubelet {
namespace criv1 = ::runtime::v1;
}
