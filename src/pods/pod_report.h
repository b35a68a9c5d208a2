// A pod with what is known of it, for those who ask or tell others.
#pragma once

#include <memory>

#include "api/types.h"
#include "status/explain.h"

namespace cubelet::pods {

struct PodReport {
  PodPtr pod;
  std::shared_ptr<const v1::PodStatus> status;  // never null
  status::Circumstances circumstances;
  bool terminating = false;
  // Containers of it may run, now or later: its end cannot be told yet.
  bool may_run = false;
  // It has ended and nothing is left of it but its object: containers stopped, volumes unmounted,
  // cgroup removed.
  bool finished = false;
};

}  // namespace cubelet::pods
