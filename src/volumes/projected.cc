#include "volumes/projected.h"

#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "volumes/config_map.h"
#include "volumes/downward_api.h"
#include "volumes/secret.h"

namespace cubelet::volumes {
namespace {

using Files = async::Task<absl::StatusOr<Payload>>;

constexpr mode_t kOwnersOnly = 0600;

Files TokenFile(ContentRequest request, v1::ServiceAccountTokenProjection projection,
                mode_t default_mode) {
  CO_ASSIGN_OR_RETURN(std::string token,
                      co_await request.objects->GetToken(request.pod, projection));
  const bool owned = request.fs_user.has_value() || FsGroupOf(*request.pod).has_value();
  Payload payload;
  payload[projection.path()] = {.data = std::move(token),
                                .mode = owned ? kOwnersOnly : default_mode,
                                .owner = request.fs_user};
  co_return payload;
}

absl::Status Refuse(const v1::VolumeProjection& projection) {
  if (projection.has_clustertrustbundle())
    return absl::UnimplementedError(
        "ClusterTrustBundle projection is not supported by this kubelet");
  if (projection.has_podcertificate())
    return absl::UnimplementedError("PodCertificate projection is not supported by this kubelet");
  return absl::InvalidArgumentError("a projected source names nothing to project");
}

// `projection` is of the request's volume.
Files SourceFiles(ContentRequest request, const v1::VolumeProjection* projection, mode_t mode) {
  KeyFileOptions options;
  options.default_mode = mode;
  if (projection->has_downwardapi())
    co_return DownwardFiles(*request.pod, projection->downwardapi().items(), mode, request.context);
  if (projection->has_configmap()) {
    const v1::ConfigMapProjection& source = projection->configmap();
    options.items = &source.items();
    options.optional = source.optional();
    co_return co_await ConfigMapFiles(std::move(request), source.localobjectreference().name(),
                                      options);
  }
  if (projection->has_secret()) {
    const v1::SecretProjection& source = projection->secret();
    options.items = &source.items();
    options.optional = source.optional();
    co_return co_await SecretFiles(std::move(request), source.localobjectreference().name(),
                                   options);
  }
  if (projection->has_serviceaccounttoken())
    co_return co_await TokenFile(std::move(request), projection->serviceaccounttoken(), mode);
  co_return Refuse(*projection);
}

}  // namespace

async::Task<absl::StatusOr<Payload>> CollectProjected(ContentRequest request) {
  const v1::ProjectedVolumeSource& source = request.volume->volumesource().projected();
  const mode_t mode =
      source.has_defaultmode() ? static_cast<mode_t>(source.defaultmode()) : kDefaultFileMode;
  Payload payload;
  std::vector<absl::Status> errors;
  for (const v1::VolumeProjection& projection : source.sources()) {
    if (request.objects == nullptr && !projection.has_downwardapi()) {
      co_return absl::FailedPreconditionError(StrCat("cannot setup projected volume ",
                                                     request.volume->name(),
                                                     " because kube client is not configured"));
    }
    absl::StatusOr<Payload> files = co_await SourceFiles(request, &projection, mode);
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
