#include "server/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "async/backoff.h"
#include "base/log.h"
#include "base/status.h"

namespace cubelet::server {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

// What one turn of the loop accepts at most.
constexpr int kAcceptsPerTurn = 16;

// Errors of a connection that is gone before it was accepted (accept(2)); the next may be well.
bool IsOfThePeer(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Listener::Acceptor {
  Acceptor(async::Loop& loop, UniqueFd fd) : descriptor(loop.io(), fd.release()) {}
  boost::asio::posix::stream_descriptor descriptor;
};

Listener::Listener(async::Loop& loop, Metrics& metrics, Handler& handler, std::string name,
                   Port port, Limits limits, TlsSource tls)
    : loop_(loop),
      metrics_(metrics),
      handler_(handler),
      name_(std::move(name)),
      port_(port),
      limits_(limits),
      tls_(std::move(tls)) {}

Listener::~Listener() = default;

void Listener::Start(async::TaskScope& scope, ListeningSocket socket) {
  family_ = socket.family;
  port_number_ = socket.port;
  acceptor_ = std::make_unique<Acceptor>(loop_, std::move(socket.fd));
  scope.Spawn("accept " + name_, AcceptForever(&scope));
}

void Listener::Close() {
  if (acceptor_ != nullptr) {
    boost::system::error_code ignored;
    acceptor_->descriptor.close(ignored);
  }
  for (const ConnectionPtr& connection : connections_) connection->Close();
}

async::Task<void> Listener::AcceptForever(async::TaskScope* scope) {
  async::Backoff pause(kFirstPause, kLongestPause);
  bool failing = false;
  while (acceptor_->descriptor.is_open()) {
    auto [error] = co_await acceptor_->descriptor.async_wait(
        boost::asio::posix::stream_descriptor::wait_read,
        boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) co_return;
    const absl::Status status = AcceptAll(*scope);
    if (status.ok()) {
      if (failing) LOG_INFO("Connections are accepted again", {{"server", name_}});
      failing = false;
      pause.Reset();
      continue;
    }
    metrics_.Count("cubelet_http_accept_errors_total", {name_});
    if (!failing) LOG_ERROR(status, "Cannot accept connections", {{"server", name_}});
    failing = true;
    co_await loop_.Sleep(pause.Next());
  }
}

absl::Status Listener::AcceptAll(async::TaskScope& scope) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd fd(::accept4(acceptor_->descriptor.native_handle(), nullptr, nullptr,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) {
      Serve(scope, std::move(fd));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (!IsOfThePeer(errno)) {
      return ErrnoError("accept");
    }
  }
  return absl::OkStatus();
}

bool Listener::MakeRoom() {
  if (connections_.size() < limits_.max_connections) return true;
  metrics_.Count("cubelet_http_connections_refused_total", {name_});
  const ConnectionPtr* oldest = nullptr;
  for (const ConnectionPtr& connection : connections_) {
    if (connection->busy()) continue;
    if (oldest == nullptr || connection->waiting_since() < (*oldest)->waiting_since())
      oldest = &connection;
  }
  if (oldest == nullptr) return false;
  const ConnectionPtr given_up = *oldest;
  connections_.remove(given_up);
  given_up->Close();
  return true;
}

void Listener::Serve(async::TaskScope& scope, UniqueFd fd) {
  if (!MakeRoom()) return;
  if (family_ != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  std::shared_ptr<boost::asio::ssl::context> tls;
  if (tls_) tls = tls_();
  auto transport = std::make_unique<Transport>(loop_, std::move(fd), family_, std::move(tls));
  auto connection = std::make_shared<Connection>(loop_, std::move(transport), port_, limits_);
  connections_.push_back(connection);
  metrics_.SetGauge("cubelet_http_connections", {name_}, static_cast<double>(connections_.size()));
  scope.Spawn("connection " + name_, RunConnection(std::move(connection), &scope));
}

async::Task<void> Listener::RunConnection(ConnectionPtr connection, async::TaskScope* scope) {
  struct Forget {
    Listener* listener;
    const ConnectionPtr& connection;
    ~Forget() {
      listener->connections_.remove(connection);
      listener->metrics_.SetGauge("cubelet_http_connections", {listener->name_},
                                  static_cast<double>(listener->connections_.size()));
    }
  } forget{this, connection};
  co_await connection->Run(&handler_, scope);
}

}  // namespace cubelet::server
