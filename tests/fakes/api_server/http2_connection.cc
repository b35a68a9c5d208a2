#include "fakes/api_server/http2_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "certs/certificate.h"

namespace cubelet::fakes {
namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr size_t kMaxBody = 16 << 20;
constexpr size_t kWriteChunk = 64 << 10;
constexpr uint32_t kMaxStreams = 250;

// Some clients drop what they have when the break comes with it.
constexpr absl::Duration kBreakOffDelay = absl::Milliseconds(50);

nghttp2_nv Header(const std::string& name, const std::string& value) {
  // nghttp2 copies what it is given.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Http2Connection::Http2Connection(HttpServer& server, TlsStreamPtr stream)
    : server_(server), stream_(std::move(stream)), wakeup_(server.loop_) {}

Http2Connection::~Http2Connection() { nghttp2_session_del(session_); }

void Http2Connection::Close() {
  open_ = false;
  CloseNow(*stream_);
  streams_.clear();
  Flush();
}

void Http2Connection::SendGoAway() {
  if (session_ == nullptr) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  Flush();
}

async::Task<void> Http2Connection::PassPartition() {
  while (open_ && server_.partitioned_) co_await server_.partition_over_.Wait();
}

async::Task<void> Http2Connection::Run() {
  co_await PassPartition();
  const std::string protocol = co_await Handshake();
  if (!protocol.empty()) ReadPeerCertificate();
  if (protocol == "h2" && open_) {
    MakeSession();
    server_.scope_.Spawn("write", Write(shared_from_this()));
    co_await Read();
  } else if (!protocol.empty()) {
    co_await server_.proxy_.ServeClient(stream_, user_, bad_certificate_);
  }
  Close();
}

async::Task<std::string> Http2Connection::Handshake() {
  auto [error] = co_await stream_->async_handshake(boost::asio::ssl::stream_base::server, kAwait);
  if (error) co_return "";
  const unsigned char* protocol = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(stream_->native_handle(), &protocol, &length);
  if (protocol == nullptr) co_return "http/1.1";
  co_return std::string(reinterpret_cast<const char*>(protocol), length);
}

// A certificate that is not good lets its owner in as far as the door: real servers answer 401.
void Http2Connection::ReadPeerCertificate() {
  SSL* const ssl = stream_->native_handle();
  const certs::X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return;
  bad_certificate_ = SSL_get_verify_result(ssl) != X509_V_OK;
  const certs::CertificateFacts facts = certs::FactsOf(certificate.get());
  user_ = User{facts.common_name, facts.organizations};
}

void Http2Connection::MakeSession() {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
         const uint8_t* value, size_t value_size, uint8_t, void* self) {
        static_cast<Http2Connection*>(self)->OnHeader(
            frame->hd.stream_id, std::string(reinterpret_cast<const char*>(name), name_size),
            std::string(reinterpret_cast<const char*>(value), value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* self) {
        if (!static_cast<Http2Connection*>(self)->OnData(id, data, size))
          nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        const bool request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
          static_cast<Http2Connection*>(self)->OnRequestEnd(frame->hd.stream_id);
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, int32_t id, uint32_t, void* self) {
        static_cast<Http2Connection*>(self)->streams_.erase(id);
        return 0;
      });
  CHECK(nghttp2_session_server_new(&session_, callbacks, this) == 0);
  nghttp2_session_callbacks_del(callbacks);
  const std::array<nghttp2_settings_entry, 1> settings = {
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams}}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

async::Task<void> Http2Connection::Read() {
  std::vector<char> buffer(kWriteChunk);
  while (open_) {
    auto [error, count] = co_await stream_->async_read_some(boost::asio::buffer(buffer), kAwait);
    if (error) co_return;
    co_await PassPartition();
    if (!open_) co_return;
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(buffer.data()), count);
    Flush();
    if (taken < 0) co_return;
  }
}

async::Task<void> Http2Connection::Write(std::shared_ptr<Http2Connection> self) {
  while (self->open_) {
    std::string bytes;
    const uint8_t* data = nullptr;
    while (bytes.size() < kWriteChunk) {
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) break;
      bytes.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    }
    if (bytes.empty()) {
      const bool over =
          nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
      if (over) break;
      co_await wakeup_.Wait();
      continue;
    }
    co_await PassPartition();
    if (!open_) break;
    auto [error, count] =
        co_await boost::asio::async_write(*stream_, boost::asio::buffer(bytes), kAwait);
    if (error) break;
  }
  Close();
}

void Http2Connection::OnHeader(int32_t id, const std::string& name, std::string value) {
  ApiRequest& request = streams_[id].request;
  if (name == ":method") {
    request.method = std::move(value);
  } else if (name == "accept") {
    request.accept = std::move(value);
  } else if (name == "content-type") {
    request.content_type = std::move(value);
  } else if (name == "user-agent") {
    request.user_agent = std::move(value);
  } else if (name == "authorization") {
    request.authorization = std::move(value);
  } else if (name == ":path") {
    const size_t question = value.find('?');
    request.path = value.substr(0, question);
    if (question != std::string::npos) request.query = value.substr(question + 1);
  }
}

bool Http2Connection::OnData(int32_t id, const uint8_t* data, size_t size) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return true;
  std::string& body = stream->second.request.body;
  if (body.size() + size > kMaxBody) return false;
  body.append(reinterpret_cast<const char*>(data), size);
  return true;
}

void Http2Connection::OnRequestEnd(int32_t id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  ApiRequest request = std::move(stream->second.request);
  request.certificate = user_;
  request.bad_certificate = bad_certificate_;
  const std::string name = StrCat(request.method, " ", request.path);
  server_.scope_.Spawn(name, Serve(shared_from_this(), id, std::move(request)));
}

async::Task<void> Http2Connection::Serve(std::shared_ptr<Http2Connection> self, int32_t id,
                                         ApiRequest request) {
  ApiAnswer answer = co_await server_.api_.Serve(std::move(request));
  if (answer.kubelet.has_value()) answer = co_await server_.proxy_.Get(*answer.kubelet);
  if (answer.drop_connection) {
    self->Close();
  } else if (self->open_ && self->streams_.contains(id)) {
    self->Respond(id, std::move(answer));
  }
}

void Http2Connection::Resume(int32_t id) {
  nghttp2_session_resume_data(session_, id);
  Flush();
}

void Http2Connection::Respond(int32_t id, ApiAnswer answer) {
  Stream& stream = streams_[id];
  stream.answer = std::move(answer);
  stream.out = std::move(stream.answer.body);
  if (stream.answer.stream != nullptr) {
    stream.answer.stream->SetReady([weak = weak_from_this(), id] {
      if (const auto self = weak.lock()) self->Resume(id);
    });
  }
  const std::string status = std::to_string(stream.answer.code);
  const std::array<std::string, 3> names = {":status", "content-type", "cache-control"};
  const std::string no_cache = "no-cache, private";
  std::vector<nghttp2_nv> headers = {Header(names[0], status),
                                     Header(names[1], stream.answer.content_type),
                                     Header(names[2], no_cache)};
  for (const auto& [name, value] : stream.answer.headers) headers.push_back(Header(name, value));
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session*, int32_t stream_id, uint8_t* buffer, size_t size,
                              uint32_t* flags, nghttp2_data_source*, void* self) {
    return static_cast<Http2Connection*>(self)->OnSend(stream_id, buffer, size, flags);
  };
  nghttp2_submit_response(session_, id, headers.data(), headers.size(), &provider);
  Flush();
}

void Http2Connection::BreakOff(int32_t id) {
  server_.loop_.AddTimer(kBreakOffDelay, [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (self == nullptr || !self->open_ || !self->streams_.contains(id)) return;
    nghttp2_submit_rst_stream(self->session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
    self->Flush();
  });
}

ssize_t Http2Connection::OnSend(int32_t id, uint8_t* buffer, size_t size, uint32_t* flags) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  Stream& stream = found->second;
  BodyStream* const rest = stream.answer.stream.get();
  if (stream.out.empty() && rest != nullptr) stream.out = rest->Take();
  size_t count = std::min(size, stream.out.size());
  if (stream.answer.cut_after.has_value()) {
    if (stream.sent >= *stream.answer.cut_after) {
      BreakOff(id);
      return NGHTTP2_ERR_DEFERRED;
    }
    count = std::min(count, *stream.answer.cut_after - stream.sent);
  }
  std::copy_n(stream.out.data(), count, buffer);
  stream.out.erase(0, count);
  stream.sent += count;
  const bool more_to_come = rest != nullptr && (!rest->ended() || rest->has_bytes());
  if (stream.out.empty() && !more_to_come) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (count == 0 && more_to_come) return NGHTTP2_ERR_DEFERRED;
  return static_cast<ssize_t>(count);
}

}  // namespace cubelet::fakes
