// Errors are values: absl::Status and absl::StatusOr, passed up with the two macros below.
//
// A message says what was tried, on what, and what came back, in words an operator can act on,
// without a final period:
//   mount volume "data": source /srv/data does not exist
// Each layer adds its verb and object with Annotate; a function logs an error or returns it, never
// both.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cubelet {

// "<context>: <message>", with the code and payloads of `status`; OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// The error of a failed system call: "<context>: <strerror>", with a code that fits `error` (an
// errno value).
absl::Status ErrnoError(std::string_view context, int error = errno);

// The first error of the two; OK when both are.
absl::Status FirstError(const absl::Status& first, const absl::Status& second);

}  // namespace cubelet

#define CUBELET_CONCAT_INNER(a, b) a##b
#define CUBELET_CONCAT(a, b) CUBELET_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr): returns the status from this function if it is not OK. Not for coroutines:
// see CO_RETURN_IF_ERROR.
#define RETURN_IF_ERROR(expr)                                                           \
  do {                                                                                  \
    if (absl::Status status_macro_ = (expr); !status_macro_.ok()) return status_macro_; \
  } while (false)

// ASSIGN_OR_RETURN(auto value, expr): `expr` gives an absl::StatusOr; its error is returned, its
// value assigned.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(CUBELET_CONCAT(status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                          \
  if (!tmp.ok()) return tmp.status();         \
  lhs = *std::move(tmp)

// The same for coroutines. `expr` may hold a co_await.
#define CO_RETURN_IF_ERROR(expr)                                                           \
  do {                                                                                     \
    if (absl::Status status_macro_ = (expr); !status_macro_.ok()) co_return status_macro_; \
  } while (false)
#define CO_ASSIGN_OR_RETURN(lhs, expr) \
  CO_ASSIGN_OR_RETURN_IMPL(CUBELET_CONCAT(status_or_, __LINE__), lhs, expr)
#define CO_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) co_return tmp.status();         \
  lhs = *std::move(tmp)
