// What an API server does to objects that are created, updated and deleted, beside storing them:
// defaults, status kept apart from the rest, generations, and how pods go. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fakes/api_server/kinds.h"
#include "fakes/api_server/objects.h"

namespace cubelet::fakes {

// `name_space` is that of the request's path. Errors: the object names another one; a pod that is
// not valid.
absl::Status PrepareCreation(const Kind& kind, const std::string& name_space, Message& object);

// Makes `object` what is to be stored in place of `stored`: what clients cannot change is taken
// from there, and of the rest only what `subresource` ("" is the object itself) is for. Error:
// ABORTED when a uid is given that is not the stored one.
absl::Status PrepareUpdate(const Kind& kind, std::string_view subresource, const Message& stored,
                           Message& object);

struct DeleteRequest {
  std::optional<int64_t> grace_period_seconds;
  std::string uid;               // precondition; "" for none
  std::string resource_version;  // the same
};

absl::Status CheckPreconditions(const DeleteRequest& request, const Kind& kind,
                                const Message& object);

// Whether the object goes at once. Otherwise `object` (a copy of what is stored) is changed to what
// is stored instead: a pod that ends gracefully, an object with finalizers.
bool GoesAtOnce(const DeleteRequest& request, absl::Time now, Message& object);

// Whether an object that was updated goes now: it is being deleted and the last thing that held it
// is gone.
bool GoesNow(const Message& object);

}  // namespace cubelet::fakes
