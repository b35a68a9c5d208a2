// A server on 127.0.0.1 for the tests of this folder: it hears what a client sends and answers as
// the test says. Runs on the loop of the test, in a scope of the test's.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/loop.h"
#include "async/scope.h"

namespace cubelet::probes {

struct Reply {
  std::string text;
  enum class Then { kClose, kHang, kReset } then = Then::kClose;
};

class FakeServer {
 public:
  // Given the text of a request up to its blank line.
  using Handler = std::function<Reply(const std::string& request)>;

  // Listens at a free port of the loopback address, or at `endpoint`.
  FakeServer(async::Loop& loop, async::TaskScope& scope, Handler handler, bool tls = false,
             boost::asio::ip::tcp::endpoint endpoint = {boost::asio::ip::address_v4::loopback(), 0})
      : loop_(loop),
        scope_(scope),
        handler_(std::move(handler)),
        acceptor_(loop.io(), std::move(endpoint)) {
    if (tls) context_ = MakeContext();
    scope_.Spawn("accept", Accept());
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const std::vector<std::string>& requests() const { return requests_; }
  int connections() const { return connections_; }

 private:
  using Tcp = boost::asio::ip::tcp;
  static constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

  // A certificate that nobody would believe.
  static std::unique_ptr<boost::asio::ssl::context> MakeContext() {
    auto context =
        std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context->native_handle(), certificate);
    SSL_CTX_use_PrivateKey(context->native_handle(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
  }

  async::Task<void> Accept() {
    while (true) {
      Tcp::socket socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      ++connections_;
      if (context_ == nullptr) {
        scope_.Spawn("serve", Serve(std::make_shared<Tcp::socket>(std::move(socket))));
      } else {
        scope_.Spawn("serve tls", ServeTls(std::move(socket)));
      }
    }
  }

  async::Task<void> ServeTls(Tcp::socket socket) {
    using Stream = boost::asio::ssl::stream<Tcp::socket>;
    auto stream = std::make_shared<Stream>(std::move(socket), *context_);
    auto [error] = co_await stream->async_handshake(Stream::server, kTuple);
    if (!error) co_await Serve(stream);
  }

  template <typename Stream>
  async::Task<void> Serve(std::shared_ptr<Stream> stream) {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      char buffer[1024];
      auto [error, got] = co_await stream->async_read_some(boost::asio::buffer(buffer), kTuple);
      if (error) co_return;
      request.append(buffer, got);
    }
    requests_.push_back(request);
    Reply reply = handler_(request);
    co_await boost::asio::async_write(*stream, boost::asio::buffer(reply.text), kTuple);
    if (reply.then == Reply::Then::kHang) co_await loop_.Sleep(absl::Hours(1));
    if (reply.then == Reply::Then::kReset) {
      stream->lowest_layer().set_option(boost::asio::socket_base::linger(true, 0));
      stream->lowest_layer().close();
    }
  }

  async::Loop& loop_;
  async::TaskScope& scope_;
  Handler handler_;
  std::unique_ptr<boost::asio::ssl::context> context_;
  Tcp::acceptor acceptor_;
  std::vector<std::string> requests_;
  int connections_ = 0;
};

// Runs a task to its end on a real loop and gives its value. `servers` is closed before.
template <typename T>
class Runner {
 public:
  static T Run(async::Loop& loop, async::TaskScope& servers, async::Task<T> task) {
    std::unique_ptr<T> result;
    async::TaskScope scope(loop, "test");
    scope.Spawn("test", Body(&loop, &servers, std::move(task), &result));
    loop.Run();
    return std::move(*result);
  }

 private:
  static async::Task<void> Body(async::Loop* loop, async::TaskScope* servers, async::Task<T> task,
                                std::unique_ptr<T>* result) {
    *result = std::make_unique<T>(co_await std::move(task));
    co_await servers->Close();
    loop->Stop();
  }
};

}  // namespace cubelet::probes
