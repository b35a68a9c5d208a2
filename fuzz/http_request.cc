// What clients send to the kubelet's server: a whole connection on virtual time.
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "async/scope.h"
#include "server/connection.h"
#include "server/handler.h"

namespace cubelet::server {
namespace {

Backend MakeBackend() {
  Backend backend;
  backend.pods = [] { return std::string("{}"); };
  backend.running_pods = []() -> async::Task<absl::StatusOr<std::string>> {
    co_return std::string("{}");
  };
  backend.configz = [] { return std::string("{}"); };
  backend.status = [] { return std::string("{}"); };
  backend.find_pod = [](const std::string&, const std::string&) { return std::nullopt; };
  return backend;
}

void Converse(const uint8_t* data, size_t size, Port port) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  const UniqueFd client(ends[0]);
  UniqueFd server(ends[1]);
  // All of it fits into the socket's buffer.
  if (::write(client.get(), data, size) != static_cast<ssize_t>(size)) return;
  ::shutdown(client.get(), SHUT_WR);

  const auto loop = async::Loop::Virtual(absl::FromUnixSeconds(1'800'000'000), 1);
  static Metrics metrics;  // costs more to make than a connection
  const Backend backend = MakeBackend();
  const Options options{.node_name = "node", .anonymous_enabled = true};
  Handler handler({*loop, metrics, backend, options}, Authenticator(nullptr, nullptr, true),
                  Authorizer());
  Connection connection(*loop,
                        std::make_unique<Transport>(*loop, std::move(server), AF_UNIX, nullptr),
                        port, {.header_bytes = 1024, .body_bytes = 1024});
  async::TaskScope scope(*loop, "fuzz");
  scope.Spawn("connection", connection.Run(&handler, &scope));
  loop->Run();
}

}  // namespace
}  // namespace cubelet::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cubelet::server::Port;
  if (size == 0 || size > 16 << 10) return 0;
  cubelet::server::Converse(data + 1, size - 1, data[0] % 2 == 0 ? Port::kMain : Port::kReadOnly);
  return 0;
}
