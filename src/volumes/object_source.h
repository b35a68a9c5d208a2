// Where content volumes get what only an API server has. Made real by pods::PodObjects; tests have
// their own.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "async/task.h"

namespace cubelet::volumes {

class ObjectSource {
 public:
  virtual ~ObjectSource() = default;

  // Errors: NOT_FOUND, `configmap "x" not found`; any other when that cannot be told now.
  virtual async::Task<absl::StatusOr<std::shared_ptr<const v1::ConfigMap>>> GetConfigMap(
      std::string name_space, std::string name) = 0;

  // The same with `secret "x" not found`.
  virtual async::Task<absl::StatusOr<std::shared_ptr<const v1::Secret>>> GetSecret(
      std::string name_space, std::string name) = 0;

  // A token of the pod's service account, bound to the pod. Errors: volumes.md 3.6.3.
  virtual async::Task<absl::StatusOr<std::string>> GetToken(
      PodPtr pod, v1::ServiceAccountTokenProjection projection) = 0;
};

}  // namespace cubelet::volumes
