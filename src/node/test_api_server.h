// An API server that has one Node and one Lease and knows nothing else, as a kube::Client. It can
// be told to refuse. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/yaml.h"
#include "async/loop.h"
#include "base/strings.h"
#include "kube/client.h"
#include "kube/object_codec.h"
#include "kube/resources.h"

namespace cubelet::node {

class TestApiServer final : public kube::Client {
 public:
  explicit TestApiServer(async::Loop& loop) : loop_(loop) {}

  async::Task<absl::StatusOr<kube::Answer>> Do(kube::Request request) override {
    co_await loop_.Sleep(absl::Milliseconds(1));
    const std::string what = StrCat(request.method, " ", request.path);
    asked.push_back(what);
    times.push_back(loop_.Now());
    requests.push_back(request);
    if (cut_off) co_return absl::UnavailableError("connection refused");
    if (!refusals.empty() && refusals.front().first == what) {
      const int code = refusals.front().second;
      refusals.pop_front();
      co_return Refusal(code);
    }
    co_return request.path.starts_with("/api/v1/nodes") ? OnNode(request) : OnLease(request);
  }

  async::Task<absl::StatusOr<std::unique_ptr<kube::WatchStream>>> Watch(kube::Request) override {
    co_return absl::UnimplementedError("no watch");
  }
  void CloseConnections() override {}
  void RetireConnections() override { ++retired; }

  // What was asked since the last call, one a line.
  std::string TakeAsked() {
    std::string text;
    for (const std::string& what : std::exchange(asked, {})) StrAppend(&text, what, "\n");
    return text;
  }

  std::optional<v1::Node> node;
  std::optional<coordinationv1::Lease> lease;
  bool cut_off = false;
  std::deque<std::pair<std::string, int>> refusals;  // request and code, in this order
  std::vector<std::string> asked;
  std::vector<absl::Time> times;
  std::vector<kube::Request> requests;
  std::vector<std::string> patches;
  int retired = 0;

 private:
  static kube::Answer Refusal(int code) {
    metav1::Status status;
    status.set_status("Failure");
    status.set_code(code);
    status.set_reason(code == 403   ? "Forbidden"
                      : code == 404 ? "NotFound"
                      : code == 409 ? "Conflict"
                                    : "InternalError");
    status.set_message(StrCat("refused with ", code));
    return {code, kube::kProtobufType, kube::EncodeObject(status, "v1", "Status"), {}};
  }
  static kube::Answer Exists() {
    metav1::Status status;
    status.set_status("Failure");
    status.set_code(409);
    status.set_reason("AlreadyExists");
    return {409, kube::kProtobufType, kube::EncodeObject(status, "v1", "Status"), {}};
  }

  kube::Answer NodeAnswer(int code) {
    return {code, kube::kProtobufType, kube::EncodeObject(*node, "v1", "Node"), {}};
  }
  void Touch(metav1::ObjectMeta& meta) { meta.set_resourceversion(StrCat(++version_)); }

  kube::Answer OnNode(const kube::Request& request) {
    if (request.method == "POST") {
      if (node) return Exists();
      node.emplace();
      EXPECT_TRUE(
          kube::DecodeObject({request.content_type, request.body}, *node, "v1", "Node").ok());
      node->mutable_metadata()->set_uid("node-uid");
      Touch(*node->mutable_metadata());
      return NodeAnswer(201);
    }
    if (!node) return Refusal(404);
    if (request.method == "PATCH") {
      patches.push_back(request.body);
      Merge(request.body);
      Touch(*node->mutable_metadata());
    }
    return NodeAnswer(200);
  }

  // Not a strategic merge: enough for the conditions, labels and annotations that the tests change.
  void Merge(const std::string& body) {
    const boost::json::value patch = *api::ParseJson(body);
    if (const auto* metadata = patch.as_object().if_contains("metadata")) {
      for (const auto& [name, value] : metadata->at("labels").as_object())
        (*node->mutable_metadata()->mutable_labels())[std::string(name)] =
            value.as_string().c_str();
    }
    const auto* status = patch.as_object().if_contains("status");
    const auto* conditions =
        status == nullptr ? nullptr : status->as_object().if_contains("conditions");
    if (conditions == nullptr) return;
    for (const boost::json::value& change : conditions->as_array()) {
      for (v1::NodeCondition& condition : *node->mutable_status()->mutable_conditions()) {
        if (change.at("type").as_string() != boost::json::string_view(condition.type())) continue;
        boost::json::value merged = api::ToJson(condition);
        for (const auto& [name, value] : change.as_object()) merged.as_object()[name] = value;
        EXPECT_TRUE(api::FromJson(merged, condition).ok());
      }
    }
  }

  kube::Answer OnLease(const kube::Request& request) {
    if (request.method == "GET" && !lease) return Refusal(404);
    if (request.method == "PUT" && !lease) return Refusal(404);
    if (request.method != "GET") {
      coordinationv1::Lease written;
      EXPECT_TRUE(kube::DecodeObject({request.content_type, request.body}, written,
                                     "coordination.k8s.io/v1", "Lease")
                      .ok());
      if (lease && lease->metadata().resourceversion() != written.metadata().resourceversion())
        return Refusal(409);
      lease = written;
      Touch(*lease->mutable_metadata());
    }
    return {request.method == "POST" ? 201 : 200,
            kube::kProtobufType,
            kube::EncodeObject(*lease, "coordination.k8s.io/v1", "Lease"),
            {}};
  }

  async::Loop& loop_;
  int version_ = 0;
};

}  // namespace cubelet::node
