// JSON text as Go's encoder writes it. Internal to the codec; Serialize is in codec.h.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace cubelet::api {

// A number's text: plain decimals from 1e-6 up to 1e21, an exponent beyond. REQUIRES: is_number().
std::string NumberText(const boost::json::value& value);

}  // namespace cubelet::api
