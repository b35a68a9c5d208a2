#include "fakes/api_server/faults.h"

#include "base/strings.h"

namespace cubelet::fakes {

ApiFault ApiFault::Answer(int code, absl::Duration retry_after) {
  ApiFault fault;
  fault.code = code;
  fault.retry_after = retry_after;
  return fault;
}

ApiFault ApiFault::Late(absl::Duration delay) {
  ApiFault fault;
  fault.delay = delay;
  return fault;
}

ApiFault ApiFault::Stale() {
  ApiFault fault;
  fault.stale = true;
  return fault;
}

ApiFault ApiFault::LoseAnswer() {
  ApiFault fault;
  fault.lose_answer = true;
  return fault;
}

ApiFault ApiFault::Cut() {
  ApiFault fault;
  fault.cut = true;
  return fault;
}

ApiFault ApiFault::CutAfter(size_t bytes) {
  ApiFault fault;
  fault.cut_after = bytes;
  return fault;
}

ApiFaults::Predicate ApiFaults::Method(std::string method, std::string part) {
  return [method = std::move(method), part = std::move(part)](const ApiRequest& request) {
    return (method.empty() || request.method == method) &&
           StrCat(request.path, "?", request.query).find(part) != std::string::npos;
  };
}

ApiFault ApiFaults::For(const ApiRequest& request) {
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (rule->matches && !rule->matches(request)) continue;
    const ApiFault fault = rule->what;
    if (rule->times > 0 && --rule->times == 0) rules_.erase(rule);
    return fault;
  }
  return {};
}

}  // namespace cubelet::fakes
