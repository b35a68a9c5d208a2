// Objects, lists, watch events and errors as bytes, in the two forms of the API: JSON and
// application/vnd.kubernetes.protobuf (four magic bytes and an envelope). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/api_server/kinds.h"
#include "fakes/api_server/objects.h"

namespace cubelet::fakes {

enum class Media { kJson, kProtobuf };

std::string_view ContentType(Media media);
std::string_view WatchContentType(Media media);

// The first form in an Accept header that is known and asks for the objects themselves (not for
// tables of them); JSON when there is none.
Media MediaOf(std::string_view accept);

std::string Encode(Media media, std::string_view api_version, std::string_view kind,
                   const Message& message);
std::string Encode(Media media, const Kind& kind, const Message& object);
std::string EncodeList(Media media, const Kind& kind, const metav1::ListMeta& meta,
                       const std::vector<ObjectPtr>& items);
std::string EncodeStatus(Media media, const metav1::Status& status);

// One frame of a watch. `type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
std::string EncodeEvent(Media media, std::string_view type, std::string_view api_version,
                        std::string_view kind, const Message& object);

// Fills `message` from a body; JSON, YAML and protobuf by `content_type`. With `strict`, unknown
// fields are errors. Error: INVALID_ARGUMENT, or UNIMPLEMENTED for another content type.
absl::Status Decode(std::string_view content_type, std::string_view body, bool strict,
                    Message& message);

// What is answered for an error (metav1.Status), its HTTP code and reason with it.
metav1::Status StatusOf(const absl::Status& error);

}  // namespace cubelet::fakes
