// One connection: TLS, and an nghttp2 session over it. Clients that want to upgrade speak HTTP/1.1,
// one request a connection. Part of http_server.h.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/signal.h"
#include "async/task.h"
#include "fakes/api_server/http_server.h"
#include "fakes/api_server/request.h"
#include "fakes/api_server/tls_stream.h"

namespace cubelet::fakes {

class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  Http2Connection(HttpServer& server, TlsStreamPtr stream);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Until the peer or Close ends it.
  async::Task<void> Run();
  void Close();
  void SendGoAway();

 private:
  struct Stream {
    ApiRequest request;
    ApiAnswer answer;
    std::string out;  // what waits to be sent
    size_t sent = 0;
  };

  // The protocol agreed on; "" when the handshake failed.
  async::Task<std::string> Handshake();
  async::Task<void> Read();
  async::Task<void> Write(std::shared_ptr<Http2Connection> self);
  async::Task<void> Serve(std::shared_ptr<Http2Connection> self, int32_t id, ApiRequest request);
  async::Task<void> PassPartition();
  void ReadPeerCertificate();
  void MakeSession();
  void Respond(int32_t id, ApiAnswer answer);
  void Flush() { wakeup_.Ring(); }
  void Resume(int32_t id);
  void BreakOff(int32_t id);

  // Events of the session.
  void OnHeader(int32_t id, const std::string& name, std::string value);
  bool OnData(int32_t id, const uint8_t* data, size_t size);
  void OnRequestEnd(int32_t id);
  ssize_t OnSend(int32_t id, uint8_t* buffer, size_t size, uint32_t* flags);

  HttpServer& server_;
  const TlsStreamPtr stream_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Stream> streams_;
  std::optional<User> user_;
  bool bad_certificate_ = false;
  bool open_ = true;
  async::Wakeup wakeup_;
};

}  // namespace cubelet::fakes
