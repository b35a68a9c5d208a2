#include "kube/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "base/check.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

// nghttp2's callbacks; `user` is the session.
struct SessionCallbacks {
  static Http2Session& Self(void* user) { return *static_cast<Http2Session*>(user); }

  static Http2Stream* Find(void* user, int32_t id) {
    const auto& streams = Self(user).streams_;
    const auto it = streams.find(id);
    return it == streams.end() ? nullptr : it->second.get();
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Http2Stream* const stream = Find(user, frame->hd.stream_id);
    // What follows the body (trailers) says nothing that we use.
    if (stream == nullptr || stream->has_head) return 0;
    stream->header_bytes += name_size + value_size;
    if (stream->header_bytes > Http2Session::kMaxHeaderBytes)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::string_view key = View(name, name_size), text = View(value, value_size);
    if (key != ":status") {
      stream->headers.emplace_back(key, text);
    } else if (!absl::SimpleAtoi(ToAbsl(text), &stream->code)) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    // The window of the connection is for all streams: one that is not read must not stop them.
    nghttp2_session_consume_connection(session, size);
    if (Http2Stream* const stream = Find(user, id); stream != nullptr) {
      stream->received.append(View(data, size));
      stream->changed.Notify();
    }
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_SETTINGS) Self(user).has_settings_ = true;
    Http2Stream* const stream = Find(user, frame->hd.stream_id);
    if (stream == nullptr || frame->hd.type != NGHTTP2_HEADERS || stream->has_head) return 0;
    if (stream->code < 200) {
      stream->headers.clear();  // "100 Continue" and its like
      return 0;
    }
    stream->has_head = true;
    stream->changed.Notify();
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user) {
    Self(user).EndStream(id, error_code);
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int error, void* user) {
    Self(user).broken_.Update(
        absl::UnavailableError(StrCat("http2: the server sent what is not allowed: ",
                                      std::string_view(nghttp2_strerror(error)))));
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t, uint8_t* buffer, size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void*) {
    auto* const stream = static_cast<Http2Stream*>(source->ptr);
    const size_t count = std::min(size, stream->request_body.size() - stream->request_sent);
    std::memcpy(buffer, stream->request_body.data() + stream->request_sent, count);
    stream->request_sent += count;
    if (stream->request_sent == stream->request_body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static nghttp2_session* MakeSession(Http2Session* self) {
    nghttp2_session_callbacks* callbacks = nullptr;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    const absl::Cleanup delete_callbacks = [&] { nghttp2_session_callbacks_del(callbacks); };
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
    nghttp2_option* options = nullptr;
    CHECK(nghttp2_option_new(&options) == 0);
    const absl::Cleanup delete_options = [&] { nghttp2_option_del(options); };
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_session* session = nullptr;
    CHECK(nghttp2_session_client_new2(&session, callbacks, self, options) == 0);
    return session;
  }
};

Http2Session::Http2Session(async::Loop& loop)
    : loop_(loop), session_(SessionCallbacks::MakeSession(this)) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeaderBytes},
  };
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) ==
        0);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

absl::StatusOr<std::shared_ptr<Http2Stream>> Http2Session::Submit(Http2Request request) {
  auto stream = std::make_shared<Http2Stream>(loop_);
  stream->request_body = std::move(request.body);
  std::vector<nghttp2_nv> fields = {Field(":method", request.method), Field(":scheme", "https"),
                                    Field(":authority", request.authority),
                                    Field(":path", request.target)};
  for (const auto& [name, value] : request.headers) fields.push_back(Field(name, value));
  nghttp2_data_provider body{};
  body.source.ptr = stream.get();
  body.read_callback = SessionCallbacks::ReadBody;
  stream->id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                      stream->request_body.empty() ? nullptr : &body, nullptr);
  if (stream->id < 0)
    return absl::UnavailableError(
        StrCat("http2: send request: ", std::string_view(nghttp2_strerror(stream->id))));
  streams_.emplace(stream->id, stream);
  return stream;
}

void Http2Session::Cancel(Http2Stream& stream) {
  if (stream.ended) return;
  // nghttp2 reads the request's body until it has closed the stream, so the stream stays in the map
  // until then; only nobody looks at it any more.
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_CANCEL);
}

void Http2Session::Consumed(const Http2Stream& stream, size_t bytes) {
  if (!stream.ended) nghttp2_session_consume_stream(session_, stream.id, bytes);
}

absl::Status Http2Session::Receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0)
    return absl::UnavailableError(
        StrCat("http2: read: ", std::string_view(nghttp2_strerror(static_cast<int>(taken)))));
  return absl::OkStatus();
}

std::string Http2Session::TakeOutput(size_t max_bytes) {
  std::string output;
  while (output.size() < max_bytes) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) break;
    output.append(View(data, static_cast<size_t>(size)));
  }
  return output;
}

void Http2Session::Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

void Http2Session::Fail(const absl::Status& error) {
  failed_ = true;
  for (const auto& [id, stream] : streams_) {
    stream->ended = true;
    stream->error = broken_.ok() ? error : broken_;
    stream->changed.Notify();
  }
}

void Http2Session::EndStream(int32_t id, uint32_t error_code) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const std::shared_ptr<Http2Stream> stream = it->second;
  streams_.erase(it);
  stream->ended = true;
  stream->unprocessed = error_code == NGHTTP2_REFUSED_STREAM;
  if (error_code != NGHTTP2_NO_ERROR) {
    stream->error = absl::UnavailableError(
        StrCat("http2: stream ended with ", std::string_view(nghttp2_http2_strerror(error_code))));
  } else if (!stream->has_head) {
    stream->error = absl::UnavailableError("http2: stream ended without an answer");
  }
  stream->changed.Notify();
}

bool Http2Session::accepts() const {
  if (failed_ || nghttp2_session_check_request_allowed(session_) == 0) return false;
  const uint32_t limit =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return streams_.size() < std::min(limit, 1U << 16);
}

bool Http2Session::finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

}  // namespace cubelet::kube
