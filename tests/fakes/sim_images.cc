// The calls about images.
#include <utility>

#include "base/strings.h"
#include "fakes/sim_runtime.h"
#include "fakes/sim_serve.h"

namespace cubelet::fakes {

using async::Task;

Task<absl::StatusOr<criv1::ListImagesResponse>> SimRuntime::ListImages() {
  using Result = absl::StatusOr<criv1::ListImagesResponse>;
  return Serve<Result>(MakeCall("ListImages"), [this](const Fault& fault) -> Result {
    criv1::ListImagesResponse response;
    if (fault.kind == Fault::Kind::kEmptyList) return response;
    for (const auto& [id, image] : image_store_.images()) *response.add_images() = image;
    return response;
  });
}

Task<absl::StatusOr<criv1::ImageStatusResponse>> SimRuntime::ImageStatus(criv1::ImageSpec image) {
  using Result = absl::StatusOr<criv1::ImageStatusResponse>;
  const std::string name = image.image();
  return Serve<Result>(MakeCall("ImageStatus", name), [this, name](const Fault&) -> Result {
    criv1::ImageStatusResponse response;
    const criv1::Image* found = image_store_.Find(name);
    if (found != nullptr) *response.mutable_image() = *found;
    return response;
  });
}

Task<absl::StatusOr<std::string>> SimRuntime::PullImage(criv1::ImageSpec image, criv1::AuthConfig,
                                                        criv1::PodSandboxConfig sandbox) {
  using Result = absl::StatusOr<std::string>;
  const std::string name = image.image();
  const PullOutcome outcome = image_store_.OutcomeOf(name);
  Call call = MakeCall("PullImage", name);
  call.pod_uid = sandbox.metadata().uid();
  call.takes = outcome.takes;
  call.deadline = absl::InfiniteDuration();
  return Serve<Result>(std::move(call), [this, name, outcome](const Fault&) -> Result {
    if (!outcome.error.ok()) return outcome.error;
    Note("image present", name, "");
    return image_store_.Add(name, outcome.bytes);
  });
}

Task<absl::Status> SimRuntime::RemoveImage(criv1::ImageSpec image) {
  const std::string name = image.image();
  return Serve<absl::Status>(MakeCall("RemoveImage", name), [this, name](const Fault&) {
    if (image_store_.Remove(name)) Note("image removed", name, "");
    return absl::OkStatus();
  });
}

Task<absl::StatusOr<criv1::ImageFsInfoResponse>> SimRuntime::ImageFsInfo() {
  using Result = absl::StatusOr<criv1::ImageFsInfoResponse>;
  return Serve<Result>(MakeCall("ImageFsInfo"), [this](const Fault&) -> Result {
    criv1::ImageFsInfoResponse response;
    criv1::FilesystemUsage usage = image_fs_;
    usage.set_timestamp(absl::ToUnixNanos(loop_.Now()));
    *response.add_image_filesystems() = usage;
    *response.add_container_filesystems() = usage;
    return response;
  });
}

}  // namespace cubelet::fakes
