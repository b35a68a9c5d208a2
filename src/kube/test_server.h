// An HTTP/2 server over TLS that does what a test tells it to, faults of the transport included.
// Included by tests only; its code is in test_server_test.cc.
//
//   TestServer server(loop, scope);
//   server.OnRequest([](const TestRequest& request) { return TestReply{.body = "hello"}; });
//   server.Push("/watch", "more");   // to the streams of a reply with `open`
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/scope.h"
#include "kube/http2_stream.h"
#include "kube/kubeconfig.h"
#include "kube/test_pki.h"

namespace cubelet::kube {

struct TestRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
  std::string client;  // common name of the client's certificate
};

struct TestReply {
  int code = 200;
  Headers headers;
  std::string body;
  bool open = false;    // the stream is not ended after the body
  bool silent = false;  // nothing is sent at all
  bool refuse = false;  // RST_STREAM with REFUSED_STREAM
};

struct TestServerOptions {
  std::string names = "IP:127.0.0.1";  // in the certificate
  bool http2 = true;                   // agreed to in the handshake
  uint32_t max_streams = 100;
};

class TestServer {
 public:
  using Handler = std::function<TestReply(const TestRequest&)>;
  struct State;

  TestServer(async::Loop& loop, async::TaskScope& scope, TestServerOptions options = {});
  ~TestServer();

  // How to reach it: address, authority, no credentials.
  ClusterAccess Access() const;
  TestAuthority& authority();
  uint16_t port() const;

  void OnRequest(Handler handler);
  const std::vector<TestRequest>& requests() const;
  int accepted() const;  // connections since the start
  int open() const;      // that are up

  // On the open streams of this target: more of the body; its end; RST_STREAM.
  void Push(const std::string& target, std::string bytes);
  void End(const std::string& target);
  void Reset(const std::string& target);

  // On all connections.
  void Goaway();                 // after which the streams go on
  void Cut();                    // TCP is closed
  void Freeze();                 // nothing is read or sent any more
  void Send(std::string bytes);  // as they are, between frames

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cubelet::kube
