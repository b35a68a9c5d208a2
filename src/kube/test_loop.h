// A real loop for tests that speak with a TestServer. Included by tests only.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "kube/api_client.h"
#include "kube/test_server.h"

namespace cubelet::kube {

class LoopTest : public testing::Test {
 protected:
  LoopTest() : loop_(async::Loop::Real()), work_(*loop_, "work"), test_(*loop_, "test") {}

  // Runs the test's coroutine, then ends the client, the servers and everything in `work_`.
  void Run(async::Task<void> body) {
    test_.Spawn("test", Finish(std::move(body)));
    loop_->Run();
  }

  ApiClient* MakeClient(ApiClientOptions options) {
    options.proxy = {};
    auto client = ApiClient::Make(*loop_, std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    return client_.get();
  }

  // Until `done` or ten seconds have passed, which is a failure.
  async::Task<bool> Eventually(std::function<bool()> done) {
    const absl::Duration limit = loop_->Monotonic() + absl::Seconds(10);
    while (!done()) {
      if (loop_->Monotonic() > limit) {
        ADD_FAILURE() << "did not happen within ten seconds";
        co_return false;
      }
      co_await loop_->Sleep(absl::Milliseconds(2));
    }
    co_return true;
  }

  std::unique_ptr<async::Loop> loop_;
  async::TaskScope work_;
  async::TaskScope test_;
  std::unique_ptr<ApiClient> client_;

 private:
  async::Task<void> Finish(async::Task<void> body) {
    co_await std::move(body);
    co_await work_.Close();
    if (client_ != nullptr) co_await client_->Close();
    loop_->Stop();
  }
};

}  // namespace cubelet::kube
