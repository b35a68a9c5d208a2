// What an API server refuses, as absl::Status with the server's metav1.Status as payload.
//
//   absl::StatusOr<...> pod = co_await Get<v1::Pod>(...);
//   if (kube::IsNotFound(pod.status())) ...
//
// (With the namespace, as Abseil has functions of the same names.)
// The message is the server's own ("pods \"web\" not found"). The helpers go by the server's reason
// and tell refusals of the server from look-alikes of other origin.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/types.h"
#include "kube/client.h"

namespace cubelet::kube {

// OK for codes below 300. Otherwise the error in the answer, or one made of its code and the
// beginning of its text.
absl::Status StatusOf(const Answer& answer);

// The error of a metav1.Status, however it came.
absl::Status ToStatus(const metav1::Status& status);

// The server's word behind an error, if it was the server's.
std::optional<metav1::Status> ServerStatus(const absl::Status& error);

// The HTTP code of a refusal; 0 for any other error.
int CodeOf(const absl::Status& error);

bool IsNotFound(const absl::Status& error);
bool IsAlreadyExists(const absl::Status& error);
bool IsConflict(const absl::Status& error);
bool IsInvalid(const absl::Status& error);
bool IsBadRequest(const absl::Status& error);
bool IsUnauthorized(const absl::Status& error);
bool IsForbidden(const absl::Status& error);
bool IsTooManyRequests(const absl::Status& error);
bool IsServerTimeout(const absl::Status& error);
// The resource version is too old: Gone or Expired.
bool IsGone(const absl::Status& error);
// The namespace is being deleted (cause NamespaceTerminating).
bool IsNamespaceTerminating(const absl::Status& error);
// The server is behind the resource version that was asked for (cause ResourceVersionTooLarge).
bool IsTooLargeResourceVersion(const absl::Status& error);

// How long the server asks to wait; 0 when it does not.
absl::Duration RetryAfter(const absl::Status& error);

}  // namespace cubelet::kube
