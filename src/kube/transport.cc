#include "kube/transport.h"

#include <utility>

#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/dial.h"
#include "kube/tls_stream.h"

namespace cubelet::kube {
namespace {

// Some thousand watches. A server that allows next to none is not to have us use up descriptors.
constexpr size_t kMaxConnections = 64;

}  // namespace

Transport::Transport(async::Loop& loop, DialFn dial, ConnectionTimes times)
    : loop_(loop),
      dial_(std::move(dial)),
      times_(times),
      attempt_ended_(loop),
      scope_(loop, "kube-transport") {}

// Drops what is closed, and what is idle beside the first.
void Transport::Prune() {
  std::erase_if(connections_, [](const auto& connection) { return connection->closed(); });
  for (size_t i = 1; i < connections_.size(); ++i) {
    if (connections_[i]->streams() == 0 && connections_[0]->accepts())
      connections_[i]->Close(absl::CancelledError("http2: the connection is idle"));
  }
  for (const auto& connection : retired_) {
    if (connection->streams() == 0)
      connection->Close(absl::CancelledError("http2: the connection is idle"));
  }
  const auto closed = [](const auto& connection) { return connection->closed(); };
  std::erase_if(connections_, closed);
  std::erase_if(retired_, closed);
}

std::shared_ptr<Connection> Transport::Usable() {
  Prune();
  for (const auto& connection : connections_) {
    if (connection->accepts()) return connection;
  }
  return nullptr;
}

async::Task<absl::Status> Transport::Connect() {
  if (connections_.size() >= kMaxConnections)
    co_return absl::ResourceExhaustedError(
        StrCat("http2: ", connections_.size(), " connections are full"));
  const uint64_t closings = closings_;
  auto tls = co_await dial_();
  if (!tls.ok()) co_return tls.status();
  auto connection = std::make_shared<Connection>(loop_, *std::move(tls), times_);
  connection->Start(scope_);
  absl::Status ready = co_await async::WithTimeout(loop_, connection->Ready(), kHandshakeTimeout,
                                                   "http2: the server sends no settings");
  // Made with what was to be replaced.
  if (closings != closings_) ready = absl::AbortedError("http2: the connection was replaced");
  if (ready.ok()) {
    connections_.push_back(std::move(connection));
  } else {
    connection->Close(ready);
  }
  co_return ready;
}

async::Task<void> Transport::MakeConnection() {
  do {
    last_attempt_ = co_await Connect();
  } while (absl::IsAborted(last_attempt_));
  connecting_ = false;
  ++attempts_;
  attempt_ended_.Notify();
}

async::Task<absl::StatusOr<std::unique_ptr<Exchange>>> Transport::Send(Http2Request request) {
  while (true) {
    if (std::shared_ptr<Connection> connection = Usable(); connection != nullptr) {
      auto stream = connection->Submit(std::move(request));
      if (!stream.ok()) co_return stream.status();
      co_return std::make_unique<Exchange>(std::move(connection), *std::move(stream));
    }
    if (!connecting_) {
      connecting_ = scope_.Spawn("connect", MakeConnection()) != 0;
      if (!connecting_) co_return absl::CancelledError("the client is closed");
    }
    const uint64_t before = attempts_;
    while (attempts_ == before) co_await attempt_ended_.Wait();
    if (!last_attempt_.ok()) co_return last_attempt_;
  }
}

void Transport::CloseConnections() {
  ++closings_;
  const auto closing = std::exchange(connections_, {});
  const auto retired = std::exchange(retired_, {});
  // Told from a loss of the connection, so that watches go on at once.
  const absl::Status why = absl::AbortedError("http2: the connection was replaced");
  for (const auto& connection : closing) connection->Close(why);
  for (const auto& connection : retired) connection->Close(why);
}

void Transport::RetireConnections() {
  ++closings_;
  for (auto& connection : connections_) retired_.push_back(std::move(connection));
  connections_.clear();
  Prune();
}

async::Task<void> Transport::Close() {
  CloseConnections();
  last_attempt_ = absl::CancelledError("the client is closed");
  ++attempts_;
  attempt_ended_.Notify();
  co_await scope_.Close();
}

}  // namespace cubelet::kube
