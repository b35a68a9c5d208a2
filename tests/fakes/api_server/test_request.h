// Requests for tests of the API without a transport.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "api/codec.h"
#include "api/yaml.h"
#include "async/loop.h"
#include "fakes/api_server/api.h"
#include "fakes/await.h"

namespace cubelet::fakes {

class FakeApiTest : public testing::Test {
 protected:
  // Asks as a client that speaks JSON. `target` is a path with its query; `body` YAML or JSON.
  ApiAnswer Ask(std::string method, const std::string& target, const std::string& body = "",
                std::string content_type = "application/json") {
    ApiRequest request;
    request.method = std::move(method);
    const size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = target.substr(question + 1);
    if (!body.empty()) request.body = api::Serialize(*api::ParseYaml(body));
    request.content_type = std::move(content_type);
    request.accept = "application/json";
    return Await(*loop_, api_.Serve(std::move(request)));
  }

  // The member at a JSON pointer of an answer's body, as text; "-" when it is not there.
  static std::string At(const ApiAnswer& answer, const std::string& pointer) {
    const auto body = api::ParseJson(answer.body);
    EXPECT_TRUE(body.ok()) << answer.body;
    if (!body.ok()) return "-";
    boost::system::error_code error;
    const boost::json::value* value = body->find_pointer(pointer, error);
    if (value == nullptr) return "-";
    return value->is_string() ? std::string(value->get_string().c_str()) : api::Serialize(*value);
  }

  void CreatePod(const std::string& name, const std::string& more = "") {
    const ApiAnswer answer = Ask(
        "POST", "/api/v1/namespaces/default/pods",
        "{metadata: {name: " + name + more + "}, spec: {containers: [{name: main, image: i}]}}");
    ASSERT_EQ(answer.code, 201) << answer.body;
  }

  std::unique_ptr<async::Loop> loop_ =
      async::Loop::Virtual(absl::FromUnixSeconds(1'790'000'000), 7);
  FakeApi api_{*loop_};
};

inline constexpr const char* kPods = "/api/v1/namespaces/default/pods";

}  // namespace cubelet::fakes
