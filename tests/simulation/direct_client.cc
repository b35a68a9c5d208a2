#include "simulation/direct_client.h"

#include <utility>

#include "async/signal.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/frame_reader.h"
#include "kube/object_codec.h"

namespace cubelet::simulation {

using async::Task;

class DirectClient::Stream final : public kube::WatchStream {
 public:
  Stream(DirectClient& client, fakes::ApiAnswer answer)
      : client_(client),
        connection_(client.connection_),
        answer_(std::move(answer)),
        ready_(std::make_shared<async::Signal>(client.loop_)),
        frames_(kube::IsProtobuf(answer_.content_type)) {
    frames_.Append(answer_.body);
    std::weak_ptr<async::Signal> ready = ready_;
    if (answer_.stream)
      answer_.stream->SetReady([ready] {
        if (auto signal = ready.lock()) signal->Notify();
      });
  }
  ~Stream() override {
    if (answer_.stream) answer_.stream->SetReady([] {});
  }

  Task<absl::StatusOr<kube::WatchEvent>> Next() override {
    while (true) {
      auto frame = frames_.Next();
      if (!frame.ok()) co_return frame.status();
      if (frame->has_value())
        co_return kube::DecodeWatchEvent({answer_.content_type, **std::move(frame)});
      if (client_.connection_ != connection_)
        co_return absl::UnavailableError("watch: the connection broke");
      if (!answer_.stream || (answer_.stream->ended() && !answer_.stream->has_bytes()))
        co_return absl::OutOfRangeError("watch: the server has ended it");
      if (answer_.stream->has_bytes()) {
        frames_.Append(answer_.stream->Take());
      } else {
        // A connection that breaks is noticed within a second.
        (void)co_await ready_->WaitFor(absl::Seconds(1));
      }
    }
  }

 private:
  DirectClient& client_;
  const uint64_t connection_;
  fakes::ApiAnswer answer_;
  std::shared_ptr<async::Signal> ready_;
  kube::FrameReader frames_;
};

DirectClient::DirectClient(async::Loop& loop, fakes::FakeApi& api, std::string user)
    : loop_(loop), api_(api), user_(std::move(user)) {}

void DirectClient::SetCutOff(bool cut_off) {
  cut_off_ = cut_off;
  if (cut_off) CloseConnections();
}

void DirectClient::CloseConnections() { ++connection_; }

fakes::ApiRequest DirectClient::ToApi(const kube::Request& request) const {
  fakes::ApiRequest result;
  result.method = request.method;
  result.path = request.path;
  for (const auto& [name, value] : request.query)
    StrAppend(&result.query, result.query.empty() ? "" : "&", name, "=", fakes::EncodeUrl(value));
  result.accept = request.accept;
  result.content_type = request.content_type;
  result.body = request.body;
  result.certificate = fakes::User{user_, {"system:nodes", "system:authenticated"}};
  return result;
}

Task<absl::StatusOr<kube::Answer>> DirectClient::Do(kube::Request request) {
  if (cut_off_) co_return absl::UnavailableError("the API server cannot be reached");
  fakes::ApiAnswer answer = co_await api_.Serve(ToApi(request));
  if (cut_off_ || answer.drop_connection || answer.cut_after)
    co_return absl::UnavailableError("the connection to the API server broke");
  kube::Answer result;
  result.code = answer.code;
  result.content_type = answer.content_type;
  result.body = std::move(answer.body);
  co_return result;
}

Task<absl::StatusOr<std::unique_ptr<kube::WatchStream>>> DirectClient::Watch(
    kube::Request request) {
  if (cut_off_) co_return absl::UnavailableError("the API server cannot be reached");
  fakes::ApiAnswer answer = co_await api_.Serve(ToApi(request));
  if (cut_off_ || answer.drop_connection)
    co_return absl::UnavailableError("the connection to the API server broke");
  if (answer.code >= 300) {
    kube::Answer refusal;
    refusal.code = answer.code;
    refusal.content_type = answer.content_type;
    refusal.body = std::move(answer.body);
    co_return kube::StatusOf(refusal);
  }
  co_return std::make_unique<Stream>(*this, std::move(answer));
}

}  // namespace cubelet::simulation
