// PUT /debug/flags/v: the verbosity of the log, from now on.
#include "absl/strings/numbers.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {

async::Task<Response> ServeDebugFlags(const Services*, Request request) {
  if (request.method != "PUT") co_return Text(406, "unsupported http method");
  int32_t level = 0;
  if (!absl::SimpleAtoi(request.body, &level)) {
    co_return Text(
        400, StrCat("failed set klog.logging.verbosity ", request.body,
                    ": strconv.ParseInt: parsing ", GoQuote(request.body), ": invalid syntax"));
  }
  SetVerbosity(level);
  LOG_INFO("Changed the verbosity of the log", {{"verbosity", level}});
  co_return Text(200, StrCat("successfully set klog.logging.verbosity to ", level));
}

}  // namespace cubelet::server
