// The images of a simulated node, and the registries it pulls from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cri/types.h"

namespace cubelet::fakes {

// What a pull of an image does.
struct PullOutcome {
  absl::Duration takes;
  absl::Status error;  // OK: the image is on the node afterwards
  uint64_t bytes = 4'000'000;
};

class ImageStore {
 public:
  // Puts an image on the node. References are completed as containerd does it: "busybox" is
  // docker.io/library/busybox:latest. Gives the id, "sha256:<hex>", a function of the reference.
  std::string Add(std::string_view reference, uint64_t bytes = 4'000'000);

  // Changes an image on the node: user, pinned, ... Null if there is none.
  criv1::Image* Find(std::string_view reference_or_id);
  const criv1::Image* Find(std::string_view reference_or_id) const;

  // False if there is none.
  bool Remove(std::string_view reference_or_id);

  const std::map<std::string, criv1::Image>& images() const { return images_; }  // by id

  // What pulling `reference` does from now on.
  void SetPull(std::string_view reference, PullOutcome outcome);

  // What pulling anything else does. Unset: NOT_FOUND, in containerd's words.
  void SetOtherPulls(PullOutcome outcome) { other_pulls_ = std::move(outcome); }

  PullOutcome OutcomeOf(const std::string& reference) const;

 private:
  std::map<std::string, criv1::Image> images_;
  std::map<std::string, PullOutcome> pulls_;
  std::optional<PullOutcome> other_pulls_;
};

// "busybox" -> "docker.io/library/busybox:latest".
std::string CompleteReference(std::string_view reference);

}  // namespace cubelet::fakes
