// An HTTP server that says what a test tells it to, byte for byte, plain or over TLS.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/scope.h"

namespace cubelet::sources {

// A key and a certificate for one DNS name, signed by itself, as files that go with the object.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& dns_name);
  ~TestCertificate();
  const std::string& ca_file() const { return certificate_file_; }
  const std::string& key_file() const { return key_file_; }

 private:
  std::string certificate_file_;
  std::string key_file_;
};

class TestServer {
 public:
  // Listens on 127.0.0.1 at a free port until `scope` is closed. The state of answers and requests
  // lives as long as its tasks, not as long as this object.
  TestServer(async::Loop& loop, async::TaskScope& scope,
             const TestCertificate* certificate = nullptr);

  uint16_t port() const;
  // What is sent for a request of this target, after which the connection is closed.
  void SetAnswer(const std::string& target, std::string bytes);
  // Never answers requests of this target.
  void SetSilent(const std::string& target);
  const std::vector<std::string>& requests() const;
  void Stop();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cubelet::sources
