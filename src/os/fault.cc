#include "os/fault.h"

#include <utility>

namespace cubelet::os {
namespace {

FaultHook& Hook() {
  static FaultHook hook;
  return hook;
}

}  // namespace

void SetFaultHookForTest(FaultHook hook) { Hook() = std::move(hook); }

int InjectedFault(std::string_view operation, std::string_view path) {
  const FaultHook& hook = Hook();
  return hook ? hook(operation, path) : 0;
}

}  // namespace cubelet::os
