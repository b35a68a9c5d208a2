#include "volumes/secret.h"

#include <map>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "volumes/downward_api.h"

namespace cubelet::volumes {

async::Task<absl::StatusOr<Payload>> SecretFiles(ContentRequest request, std::string name,
                                                 KeyFileOptions options) {
  const auto object =
      co_await request.objects->GetSecret(request.pod->metadata().namespace_(), name);
  if (options.optional && absl::IsNotFound(object.status())) co_return Payload();
  CO_RETURN_IF_ERROR(object.status());
  const std::map<std::string, std::string> data((*object)->data().begin(), (*object)->data().end());
  co_return KeyFiles(data, options, "references non-existent secret key");
}

async::Task<absl::StatusOr<Payload>> CollectSecret(ContentRequest request) {
  if (request.objects == nullptr)
    co_return absl::FailedPreconditionError(StrCat("cannot setup secret volume ",
                                                   request.volume->name(),
                                                   " because kube client is not configured"));
  const v1::SecretVolumeSource& source = request.volume->volumesource().secret();
  KeyFileOptions options;
  options.items = &source.items();
  options.default_mode =
      source.has_defaultmode() ? static_cast<mode_t>(source.defaultmode()) : kDefaultFileMode;
  options.optional = source.optional();
  co_return co_await SecretFiles(std::move(request), source.secretname(), options);
}

}  // namespace cubelet::volumes
