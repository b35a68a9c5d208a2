#include "volumes/config_map.h"

#include <map>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "volumes/downward_api.h"

namespace cubelet::volumes {

async::Task<absl::StatusOr<Payload>> ConfigMapFiles(ContentRequest request, std::string name,
                                                    KeyFileOptions options) {
  const auto object =
      co_await request.objects->GetConfigMap(request.pod->metadata().namespace_(), name);
  if (options.optional && absl::IsNotFound(object.status())) co_return Payload();
  CO_RETURN_IF_ERROR(object.status());
  std::map<std::string, std::string> data((*object)->data().begin(), (*object)->data().end());
  data.insert((*object)->binarydata().begin(), (*object)->binarydata().end());
  co_return KeyFiles(data, options, "configmap references non-existent config key");
}

async::Task<absl::StatusOr<Payload>> CollectConfigMap(ContentRequest request) {
  if (request.objects == nullptr)
    co_return absl::FailedPreconditionError(StrCat("cannot setup configMap volume ",
                                                   request.volume->name(),
                                                   " because kube client is not configured"));
  const v1::ConfigMapVolumeSource& source = request.volume->volumesource().configmap();
  KeyFileOptions options;
  options.items = &source.items();
  options.default_mode =
      source.has_defaultmode() ? static_cast<mode_t>(source.defaultmode()) : kDefaultFileMode;
  options.optional = source.optional();
  co_return co_await ConfigMapFiles(std::move(request), source.localobjectreference().name(),
                                    options);
}

}  // namespace cubelet::volumes
