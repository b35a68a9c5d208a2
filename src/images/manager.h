// Brings the image of a container onto the node: pull policies, limits, back-off and the events and
// reasons that go with them (containers.md 5.1, 5.2). Image volumes are ensured in the same way
// (5.6).
//
// Pulls are anonymous. Of an image that is present, every pod may make use.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "api/types.h"
#include "async/backoff.h"
#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"
#include "base/metrics.h"
#include "cri/runtime.h"
#include "images/pull_backoff.h"

namespace cubelet::images {

struct Options {
  bool serialize_pulls = true;   // serializeImagePulls
  int max_parallel_pulls = 0;    // maxParallelImagePulls; 0: no limit
  double registry_pull_qps = 5;  // 0: no limit
  int registry_burst = 10;
  absl::Duration backoff_initial = absl::Seconds(10);
  absl::Duration backoff_max = absl::Seconds(300);
};

struct Request {
  PodPtr pod;
  api::ObjectReference target;  // what the events are about: the container of the pod
  std::string image;            // as written in the spec
  std::string pull_policy;      // "Always", "IfNotPresent", "Never"
  criv1::PodSandboxConfig sandbox;
  std::string runtime_handler;
};

struct Result {
  // OK: `image_ref` is what the runtime calls the image. Otherwise `reason` is the waiting reason
  // ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
  // "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed") and the status'
  // message the detail.
  absl::Status status;
  std::string image_ref;
  std::string reason;
  // In back-off: when the next try is due (wall time); InfinitePast otherwise.
  absl::Time retry_at = absl::InfinitePast();
};

class Manager {
 public:
  Manager(async::Loop& loop, cri::Images& images, api::EventRecorder& recorder, Options options);

  // Ensures the image; records Pulling, Pulled, Failed, BackOff and the others as specified. Waits
  // for its turn where pulls are limited: in order, one at a time when serialized, otherwise up to
  // the limit. Cancelling the awaiting task cancels the pull. Any policy but Never and IfNotPresent
  // pulls always.
  async::Task<Result> Ensure(Request request);

  // Forgets the back-off of a pod that is gone.
  void ForgetPod(const std::string& uid);

  // Pulls and requests are counted there from now on; without it they are not counted.
  void SetMetrics(Metrics* metrics) { metrics_ = metrics; }

 private:
  struct Pulled {
    std::string image_ref;
    absl::Duration took;  // without the wait for a turn
    uint64_t bytes = 0;
  };

  async::Task<absl::StatusOr<std::string>> FindLocal(criv1::ImageSpec spec);
  async::Task<Result> Pull(Request request, criv1::ImageSpec spec);
  async::Task<absl::StatusOr<Pulled>> PullInTurn(criv1::ImageSpec spec,
                                                 criv1::PodSandboxConfig sandbox);
  Result InBackOff(const Request& request, const PullBackoff::Hold& hold);
  Result PullFailed(const Request& request, const absl::Status& status);
  void Normal(const Request& request, const char* reason, std::string message);
  void Warning(const Request& request, const char* reason, std::string message);
  void CountRequest(const Request& request, const char* present_locally, bool pull);

  async::Loop& loop_;
  cri::Images& images_;
  api::EventRecorder& recorder_;
  const Options options_;
  PullBackoff backoff_;
  async::RateLimiter rate_;
  std::optional<async::Semaphore> turns_;  // none: pulls are not limited
  Metrics* metrics_ = nullptr;
};

}  // namespace cubelet::images
