// Objects in the two forms an API server speaks: protobuf in Kubernetes' envelope (four bytes and a
// runtime.Unknown), and JSON. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kube/client.h"

namespace google::protobuf {
class Message;
}

namespace cubelet::kube {

// The protobuf form.
std::string EncodeObject(const google::protobuf::Message& message, std::string_view api_version,
                         std::string_view kind);

// Fills `message`. Errors: another kind than `kind` (unless that is ""), bytes that are none of the
// two forms; `api_version` is for messages.
absl::Status DecodeObject(const Encoded& encoded, google::protobuf::Message& message,
                          std::string_view api_version, std::string_view kind);

// A WatchEvent, without an envelope as watches carry it.
absl::StatusOr<WatchEvent> DecodeWatchEvent(const Encoded& encoded);

// Whether a Content-Type is that of the protobuf form, whatever its parameters.
bool IsProtobuf(std::string_view content_type);

}  // namespace cubelet::kube
