// Runs a task to its end on a virtual loop, from a test's own code.
#pragma once

#include <optional>
#include <utility>

#include "async/loop.h"
#include "async/scope.h"
#include "base/check.h"

namespace cubelet::fakes {

template <typename T>
async::Task<void> StoreInto(async::Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

// Virtual time moves on in steps of `step` until the task has ended; after `limit` the test aborts.
template <typename T>
T Await(async::Loop& loop, async::Task<T> task, absl::Duration step = absl::Milliseconds(1),
        absl::Duration limit = absl::Hours(1)) {
  std::optional<T> result;
  async::TaskScope scope(loop, "await");
  scope.Spawn("task", StoreInto(std::move(task), &result));
  const absl::Time until = loop.Now() + limit;
  while (scope.size() > 0) {
    CHECK(loop.Now() < until);
    loop.RunUntil(loop.Now() + step);
  }
  CHECK(result.has_value());
  return *std::move(result);
}

}  // namespace cubelet::fakes
