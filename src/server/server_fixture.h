// A server on real sockets for tests, with a backend that a case fills. Included by tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "async/scope.h"
#include "base/strings.h"
#include "server/server.h"
#include "server/test_client.h"

namespace cubelet::server {

// A server on real sockets: it runs in the test's thread, the client in one of its own.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::signal(SIGPIPE, SIG_IGN);  // of the client: OpenSSL writes without MSG_NOSIGNAL
    directory_ = StrCat(testing::TempDir(), "/server_test.", ::getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    backend_.pods = [] { return std::string("{\"kind\":\"PodList\"}\n"); };
    backend_.running_pods = []() -> async::Task<absl::StatusOr<std::string>> {
      co_return std::string("{}");
    };
    backend_.configz = [] { return std::string(8 << 20, 'x'); };
    backend_.status = [] { return "{\"pods\":[]}\n"; };
    backend_.find_pod = [](const std::string&, const std::string&) { return std::nullopt; };
    backend_.find_container = [](const std::string&, const std::string&) { return std::nullopt; };
    backend_.running_container = [](const std::string&, const std::string&) {
      return std::nullopt;
    };
    backend_.ready_sandbox = [](const std::string&) { return std::nullopt; };
    backend_.open_stream = [](StreamRequest) -> async::Task<absl::StatusOr<std::string>> {
      co_return absl::UnavailableError("there is no runtime");
    };
    backend_.run_command =
        [](std::string, std::vector<std::string>) -> async::Task<absl::StatusOr<std::string>> {
      co_return absl::UnavailableError("there is no runtime");
    };
    options_.node_name = "lab";
    options_.address = "127.0.0.1";
    options_.port = 0;
    options_.read_only_port = 0;
    options_.healthz_port = 0;
    options_.status_socket = directory_ + "/run/status.sock";
    options_.webhook_authentication_enabled = false;
    options_.authorization_mode = "AlwaysAllow";
    options_.anonymous_enabled = true;
    options_.cert_dir = directory_ + "/pki";
    options_.serving_names = {"lab", {}, {"127.0.0.1"}};
  }
  ~ServerTest() override { std::filesystem::remove_all(directory_); }

  // Runs `client` against a server with options_ until it returns.
  void Serve(const std::function<void()>& client) {
    loop_ = async::Loop::Real();
    auto made = Server::Create(*loop_, options_, backend_, metrics_, nullptr);
    ASSERT_TRUE(made.ok()) << made.status();
    server_ = *std::move(made);
    ASSERT_TRUE(server_->Start().ok());
    async::TaskScope stop(*loop_, "stop");
    // The healthz port is opened by a task: the client starts when it is there.
    std::thread thread;
    loop_->AddTimer(absl::Milliseconds(1), [&] {
      thread = std::thread([&] {
        client();
        loop_->Post([&] { stop.Spawn("stop", StopAll()); });
      });
    });
    loop_->Run();
    thread.join();
    server_.reset();
  }
  async::Task<void> StopAll() {
    co_await server_->Stop();
    loop_->Stop();
  }

  // Answers "done" once `*finish` is set.
  async::Task<absl::StatusOr<std::string>> WaitFor(std::atomic<bool>* finish) {
    begun_ = true;
    while (!*finish) co_await loop_->Sleep(absl::Milliseconds(1));
    co_return std::string("done");
  }

  // Runs `fn` on the loop's thread and waits for it.
  template <typename F>
  auto OnLoop(F fn) {
    std::promise<decltype(fn())> promise;
    loop_->Post([&] { promise.set_value(fn()); });
    return promise.get_future().get();
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
    return path;
  }

  std::string directory_;
  Metrics metrics_;
  Backend backend_;
  Options options_;
  std::unique_ptr<async::Loop> loop_;
  std::unique_ptr<Server> server_;
  bool begun_ = false;  // loop's thread
};

}  // namespace cubelet::server
