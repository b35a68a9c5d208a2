// downwardAPI (volumes.md 3.5): files with what the pod's object says of the pod.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "volumes/plugin.h"

namespace cubelet::volumes {

// Mode of a file when neither it nor its volume names one.
inline constexpr mode_t kDefaultFileMode = 0644;

// The files of a list of items. Error: those of all items, in Go's form of several ("[a, b]").
absl::StatusOr<Payload> DownwardFiles(
    const v1::Pod& pod, const google::protobuf::RepeatedPtrField<v1::DownwardAPIVolumeFile>& items,
    mode_t default_mode, const api::DownwardContext& context);

async::Task<absl::StatusOr<Payload>> CollectDownwardApi(ContentRequest request);

// One error as it is, several as "[a, b]", OK for none; with the code of the first.
absl::Status Aggregate(const std::vector<absl::Status>& errors);

}  // namespace cubelet::volumes
