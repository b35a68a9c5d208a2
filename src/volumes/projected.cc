#include "volumes/projected.h"

#include "base/status.h"
#include "base/strings.h"
#include "volumes/downward_api.h"

namespace cubelet::volumes {

async::Task<absl::StatusOr<Payload>> CollectProjected(ContentRequest request) {
  const v1::ProjectedVolumeSource& source = request.volume->volumesource().projected();
  const mode_t mode =
      source.has_defaultmode() ? static_cast<mode_t>(source.defaultmode()) : kDefaultFileMode;
  Payload payload;
  std::vector<absl::Status> errors;
  for (const v1::VolumeProjection& projection : source.sources()) {
    if (!projection.has_downwardapi()) {
      co_return absl::FailedPreconditionError(StrCat("cannot setup projected volume ",
                                                     request.volume->name(),
                                                     " because kube client is not configured"));
    }
    absl::StatusOr<Payload> files =
        DownwardFiles(*request.pod, projection.downwardapi().items(), mode, request.context);
    if (!files.ok()) {
      errors.push_back(files.status());
      continue;
    }
    for (auto& [path, file] : *files) payload.insert_or_assign(path, std::move(file));
  }
  CO_RETURN_IF_ERROR(Aggregate(errors));
  co_return payload;
}

}  // namespace cubelet::volumes
