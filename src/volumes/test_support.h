// For tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/events.h"
#include "api/types.h"
#include "api/yaml.h"
#include "async/loop.h"
#include "async/scope.h"
#include "base/strings.h"

namespace cubelet::volumes {

// A pod from the YAML of its spec.
inline PodPtr MakePod(std::string_view spec) {
  auto pod = std::make_shared<v1::Pod>();
  const std::string text = StrCat(
      "metadata: {name: web, namespace: shop, uid: uid-1, labels: {app: web, tier: front}}\n",
      "spec:\n", spec);
  const absl::StatusOr<boost::json::value> value = api::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  if (!value.ok()) return pod;
  const absl::Status decoded = api::FromJson(*value, *pod, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << decoded;
  return pod;
}

class FakeRecorder final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override {
    EXPECT_EQ(object.kind, "Pod");
    events.push_back(
        StrCat(type == api::EventType::kWarning ? "Warning " : "Normal ", reason, " ", message));
  }
  std::vector<std::string> events;
};

template <typename T>
async::Task<void> StoreResult(async::Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

// Runs a task to its end on a virtual loop.
template <typename T>
T Await(async::Loop& loop, async::Task<T> task) {
  std::optional<T> result;
  async::TaskScope scope(loop, "test");
  scope.Spawn("await", StoreResult<T>(std::move(task), &result));
  loop.Run();
  if (!result) std::abort();
  return *std::move(result);
}

}  // namespace cubelet::volumes
