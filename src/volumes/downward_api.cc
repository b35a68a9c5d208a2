#include "volumes/downward_api.h"

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::volumes {
namespace {

absl::StatusOr<std::string> ItemValue(const v1::Pod& pod, const v1::DownwardAPIVolumeFile& item,
                                      const api::DownwardContext& context) {
  if (item.has_fieldref()) return api::FieldValue(pod, item.fieldref().fieldpath(), context);
  if (item.has_resourcefieldref())
    return api::ResourceValue(pod, item.resourcefieldref(), "", context);
  return absl::InvalidArgumentError(
      StrCat("item ", GoQuote(item.path()), " names neither a field nor a resource"));
}

}  // namespace

absl::StatusOr<Payload> DownwardFiles(
    const v1::Pod& pod, const google::protobuf::RepeatedPtrField<v1::DownwardAPIVolumeFile>& items,
    mode_t default_mode, const api::DownwardContext& context) {
  Payload payload;
  std::vector<absl::Status> errors;
  for (const v1::DownwardAPIVolumeFile& item : items) {
    absl::StatusOr<std::string> value = ItemValue(pod, item, context);
    if (!value.ok()) {
      errors.push_back(value.status());
      continue;
    }
    payload[item.path()] = {
        .data = *std::move(value),
        .mode = item.has_mode() ? static_cast<mode_t>(item.mode()) : default_mode};
  }
  RETURN_IF_ERROR(Aggregate(errors));
  return payload;
}

async::Task<absl::StatusOr<Payload>> CollectDownwardApi(ContentRequest request) {
  const v1::DownwardAPIVolumeSource& source = request.volume->volumesource().downwardapi();
  const mode_t mode =
      source.has_defaultmode() ? static_cast<mode_t>(source.defaultmode()) : kDefaultFileMode;
  co_return DownwardFiles(*request.pod, source.items(), mode, request.context);
}

absl::Status Aggregate(const std::vector<absl::Status>& errors) {
  if (errors.empty()) return absl::OkStatus();
  if (errors.size() == 1) return errors.front();
  std::string text;
  for (const absl::Status& error : errors)
    StrAppend(&text, text.empty() ? "[" : ", ", Message(error));
  return absl::Status(errors.front().code(), StrCat(text, "]"));
}

}  // namespace cubelet::volumes
