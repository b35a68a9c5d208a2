// The server's implementation, in a test file so that it is built into the test program alone.
#include "sources/test_server.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <optional>
#include <set>
#include <tuple>

#include "base/strings.h"

namespace cubelet::sources {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

struct TestServer::State {
  State(async::Loop& loop, async::TaskScope& work)
      : acceptor(loop.io(), tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        loop(&loop),
        scope(&work) {}

  tcp::acceptor acceptor;
  async::Loop* loop;
  async::TaskScope* scope;
  std::unique_ptr<asio::ssl::context> tls;
  std::map<std::string, std::string> answers;
  std::set<std::string> silent;
  std::vector<std::string> requests;
};

namespace {

using StatePtr = std::shared_ptr<TestServer::State>;

template <typename Stream>
async::Task<void> Talk(StatePtr state, Stream* stream) {
  std::string request;
  auto [error, size] = co_await asio::async_read_until(
      *stream, asio::dynamic_buffer(request, 1 << 20), "\r\n\r\n", kAsTuple);
  if (error) co_return;
  state->requests.push_back(request);
  const size_t start = request.find(' ') + 1;
  const std::string target = request.substr(start, request.find(' ', start) - start);
  if (state->silent.contains(target)) co_await state->loop->Sleep(absl::Hours(1));
  const std::string answer = state->answers[target];
  std::tie(error, size) = co_await asio::async_write(*stream, asio::buffer(answer), kAsTuple);
}

async::Task<void> Serve(StatePtr state, tcp::socket socket) {
  if (state->tls == nullptr) {
    co_await Talk(state, &socket);
    co_return;
  }
  asio::ssl::stream<tcp::socket> stream(std::move(socket), *state->tls);
  auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
  if (error) co_return;
  co_await Talk(state, &stream);
  std::tie(error) = co_await stream.async_shutdown(kAsTuple);
}

async::Task<void> Accept(StatePtr state) {
  while (true) {
    auto [error, socket] = co_await state->acceptor.async_accept(kAsTuple);
    if (error) co_return;
    state->scope->Spawn("connection", Serve(state, std::move(socket)));
  }
}

}  // namespace

TestServer::TestServer(async::Loop& loop, async::TaskScope& scope,
                       const TestCertificate* certificate)
    : state_(std::make_shared<State>(loop, scope)) {
  if (certificate != nullptr) {
    state_->tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    state_->tls->use_certificate_file(certificate->ca_file(), asio::ssl::context::pem);
    state_->tls->use_private_key_file(certificate->key_file(), asio::ssl::context::pem);
  }
  scope.Spawn("server", Accept(state_));
}

uint16_t TestServer::port() const { return state_->acceptor.local_endpoint().port(); }

void TestServer::SetAnswer(const std::string& target, std::string bytes) {
  state_->answers[target] = std::move(bytes);
}

void TestServer::SetSilent(const std::string& target) { state_->silent.insert(target); }

const std::vector<std::string>& TestServer::requests() const { return state_->requests; }

void TestServer::Stop() { state_->acceptor.close(); }

TestCertificate::TestCertificate(const std::string& dns_name)
    : certificate_file_(StrCat(testing::TempDir(), "/sources-", ::getpid(), ".crt")),
      key_file_(StrCat(testing::TempDir(), "/sources-", ::getpid(), ".key")) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  const std::string names = "DNS:" + dns_name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_file_.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_file_.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TestCertificate::~TestCertificate() {
  ::unlink(certificate_file_.c_str());
  ::unlink(key_file_.c_str());
}

}  // namespace cubelet::sources
