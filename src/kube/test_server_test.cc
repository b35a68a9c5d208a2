#include "kube/test_server.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <map>
#include <utility>

#include "async/signal.h"
#include "base/check.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

struct ServerStream {
  TestRequest request;
  std::string body;  // to be sent
  bool open = false;
};

std::string ClientOf(SSL* session) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session),
                                                                &X509_free);
  if (certificate == nullptr) return "";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof name);
  return name;
}

}  // namespace

struct ServerConnection {
  ServerConnection(async::Loop& loop, TestServer::State* owner, tcp::socket socket,
                   ssl::context& context)
      : state(owner), stream(std::move(socket), context), output(loop) {}
  ~ServerConnection() { nghttp2_session_del(session); }

  TestServer::State* state;
  ssl::stream<tcp::socket> stream;
  async::Wakeup output;
  nghttp2_session* session = nullptr;
  std::map<int32_t, ServerStream> streams;
  std::string raw;  // to be sent as it is
  std::string client;
  bool frozen = false;
  bool closed = false;

  void Close() {
    closed = true;
    boost::system::error_code ignored;
    stream.lowest_layer().close(ignored);
    output.Ring();
  }
};

struct TestServer::State : std::enable_shared_from_this<TestServer::State> {
  State(async::Loop& l, async::TaskScope& s, TestServerOptions o)
      : loop(l),
        scope(s),
        options(std::move(o)),
        context(ssl::context::tls_server),
        acceptor(l.io()) {}

  async::Loop& loop;
  async::TaskScope& scope;
  const TestServerOptions options;
  TestAuthority authority;
  ssl::context context;
  tcp::acceptor acceptor;
  Handler handler;
  std::vector<TestRequest> requests;
  std::vector<std::shared_ptr<ServerConnection>> connections;
  int accepted = 0;

  void Answer(ServerConnection& connection, int32_t id);
  template <typename F>
  void ForStreams(const std::string& target, F f) {
    for (const auto& connection : connections) {
      if (connection->closed) continue;
      for (auto& [id, stream] : connection->streams) {
        if (!stream.open || stream.request.target != target) continue;
        f(*connection, id, stream);
        connection->output.Ring();
      }
    }
  }
};

namespace {

struct ServerCallbacks {
  static ServerConnection& Self(void* user) { return *static_cast<ServerConnection*>(user); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    TestRequest& request = Self(user).streams[frame->hd.stream_id].request;
    const std::string key(View(name, name_size)), text(View(value, value_size));
    if (key == ":method") request.method = text;
    if (key == ":path") request.target = text;
    request.headers.emplace_back(key, text);
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Self(user).streams[id].request.body += View(data, size);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
      Self(user).state->Answer(Self(user), frame->hd.stream_id);
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
    Self(user).streams.erase(id);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t* buffer, size_t size,
                          uint32_t* flags, nghttp2_data_source*, void* user) {
    ServerStream& stream = Self(user).streams[id];
    const size_t count = std::min(size, stream.body.size());
    if (count == 0 && stream.open) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(buffer, stream.body.data(), count);
    stream.body.erase(0, count);
    if (stream.body.empty() && !stream.open) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

async::Task<void> ReadLoop(std::shared_ptr<ServerConnection> self) {
  std::string buffer(16 << 10, '\0');
  while (!self->closed) {
    const auto [error, size] =
        co_await self->stream.async_read_some(asio::buffer(buffer), kAsTuple);
    if (error) break;
    if (self->frozen) continue;
    if (nghttp2_session_mem_recv(self->session, reinterpret_cast<const uint8_t*>(buffer.data()),
                                 size) < 0)
      break;
    self->output.Ring();
  }
  self->Close();
}

async::Task<void> WriteLoop(std::shared_ptr<ServerConnection> self) {
  while (!self->closed) {
    std::string output = std::exchange(self->raw, {});
    const uint8_t* data = nullptr;
    while (!self->frozen) {
      const ssize_t size = nghttp2_session_mem_send(self->session, &data);
      if (size <= 0) break;
      output += View(data, static_cast<size_t>(size));
    }
    if (output.empty()) {
      co_await self->output.Wait();
      continue;
    }
    const auto [error, size] =
        co_await asio::async_write(self->stream, asio::buffer(output), kAsTuple);
    if (error) self->Close();
  }
}

async::Task<void> Serve(std::shared_ptr<TestServer::State> state,
                        std::shared_ptr<ServerConnection> connection) {
  const auto [error] =
      co_await connection->stream.async_handshake(ssl::stream_base::server, kAsTuple);
  if (error) co_return connection->Close();
  connection->client = ClientOf(connection->stream.native_handle());
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, ServerCallbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, ServerCallbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, ServerCallbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, ServerCallbacks::OnClose);
  nghttp2_session_server_new(&connection->session, callbacks, connection.get());
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, state->options.max_streams}};
  nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 1);
  state->scope.Spawn("test-server-write", WriteLoop(connection));
  co_await ReadLoop(connection);
}

async::Task<void> Accept(std::shared_ptr<TestServer::State> state) {
  while (true) {
    auto [error, socket] = co_await state->acceptor.async_accept(kAsTuple);
    if (error) co_return;
    ++state->accepted;
    auto connection = std::make_shared<ServerConnection>(state->loop, state.get(),
                                                         std::move(socket), state->context);
    state->connections.push_back(connection);
    state->scope.Spawn("test-server", Serve(state, connection));
  }
}

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char*,
                   unsigned int, void*) {
  static constexpr unsigned char kHttp2[] = {'h', '2'};
  *out = kHttp2;
  *length = sizeof kHttp2;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void TestServer::State::Answer(ServerConnection& connection, int32_t id) {
  ServerStream& stream = connection.streams[id];
  stream.request.client = connection.client;
  requests.push_back(stream.request);
  const TestReply reply = handler ? handler(stream.request) : TestReply{.code = 404};
  if (reply.silent) return;
  if (reply.refuse) {
    nghttp2_submit_rst_stream(connection.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  stream.body = reply.body;
  stream.open = reply.open;
  const std::string code = StrCat(reply.code);
  std::vector<nghttp2_nv> fields = {Field(":status", code)};
  for (const auto& [name, value] : reply.headers) fields.push_back(Field(name, value));
  nghttp2_data_provider body{};
  body.read_callback = ServerCallbacks::ReadBody;
  nghttp2_submit_response(connection.session, id, fields.data(), fields.size(), &body);
}

TestServer::TestServer(async::Loop& loop, async::TaskScope& scope, TestServerOptions options)
    : state_(std::make_shared<State>(loop, scope, std::move(options))) {
  const TestPem pem = state_->authority.Issue("server", state_->options.names);
  state_->context.use_certificate_chain(asio::buffer(pem.certificate));
  state_->context.use_private_key(asio::buffer(pem.key), ssl::context::pem);
  state_->context.set_verify_mode(ssl::verify_peer);
  state_->context.add_certificate_authority(asio::buffer(state_->authority.Pem()));
  if (state_->options.http2)
    SSL_CTX_set_alpn_select_cb(state_->context.native_handle(), SelectProtocol, nullptr);
  const tcp::endpoint any(asio::ip::make_address("127.0.0.1"), 0);
  state_->acceptor.open(any.protocol());
  state_->acceptor.bind(any);
  state_->acceptor.listen();
  scope.Spawn("test-server-accept", Accept(state_));
}

TestServer::~TestServer() {
  Cut();
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

ClusterAccess TestServer::Access() const {
  ClusterAccess access;
  access.server = StrCat("https://127.0.0.1:", port());
  access.authority.data = state_->authority.Pem();
  return access;
}

TestAuthority& TestServer::authority() { return state_->authority; }
uint16_t TestServer::port() const { return state_->acceptor.local_endpoint().port(); }
void TestServer::OnRequest(Handler handler) { state_->handler = std::move(handler); }
const std::vector<TestRequest>& TestServer::requests() const { return state_->requests; }
int TestServer::accepted() const { return state_->accepted; }

int TestServer::open() const {
  return static_cast<int>(std::count_if(state_->connections.begin(), state_->connections.end(),
                                        [](const auto& c) { return !c->closed; }));
}

void TestServer::Push(const std::string& target, std::string bytes) {
  state_->ForStreams(target, [&](ServerConnection& connection, int32_t id, ServerStream& stream) {
    stream.body += bytes;
    nghttp2_session_resume_data(connection.session, id);
  });
}

void TestServer::End(const std::string& target) {
  state_->ForStreams(target, [&](ServerConnection& connection, int32_t id, ServerStream& stream) {
    stream.open = false;
    nghttp2_session_resume_data(connection.session, id);
  });
}

void TestServer::Reset(const std::string& target) {
  state_->ForStreams(target, [](ServerConnection& connection, int32_t id, ServerStream&) {
    nghttp2_submit_rst_stream(connection.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  });
}

void TestServer::Goaway() {
  for (const auto& connection : state_->connections) {
    if (connection->closed) continue;
    nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(connection->session),
                          NGHTTP2_NO_ERROR, nullptr, 0);
    connection->output.Ring();
  }
}

void TestServer::Cut() {
  for (const auto& connection : state_->connections) connection->Close();
}

void TestServer::Freeze() {
  for (const auto& connection : state_->connections) connection->frozen = true;
}

void TestServer::Send(std::string bytes) {
  for (const auto& connection : state_->connections) {
    if (connection->closed) continue;
    connection->raw += bytes;
    connection->output.Ring();
  }
}

}  // namespace cubelet::kube
