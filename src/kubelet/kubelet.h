// The composition root: owns every service of the process, starts them in named phases, and stops
// them in the reverse order of their start.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "config/config.h"

namespace cubelet::kubelet {

class Kubelet {
 public:
  explicit Kubelet(config::Config config);
  ~Kubelet();

  // Runs until SIGTERM or SIGINT, or until a phase fails: then its error. Containers run on either
  // way.
  absl::Status Run();

 private:
  struct Services;
  std::unique_ptr<Services> services_;
};

}  // namespace cubelet::kubelet
