// The real runtime: CRI runtime.v1 over gRPC on a unix socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "cri/runtime.h"

namespace cubelet::async {
class Loop;
}

namespace cubelet::cri {

struct ClientOptions {
  std::string endpoint;                       // "unix:///run/containerd/containerd.sock"
  std::string image_endpoint;                 // "" when the same
  absl::Duration timeout = absl::Minutes(2);  // runtimeRequestTimeout
};

// Told of every finished call: its name in metrics ("run_podsandbox"), how long it took, how it
// ended.
using CallObserver = absl::AnyInvocable<void(std::string_view operation, absl::Duration duration,
                                             const absl::Status& status)>;

// Connects lazily and again after every loss; calls made while the socket is away fail with
// UNAVAILABLE at once.
class Client {
 public:
  // Error: an endpoint that is not unix:// with an absolute path.
  static absl::StatusOr<std::unique_ptr<Client>> Create(async::Loop& loop, ClientOptions options);
  virtual ~Client() = default;

  virtual Runtime& runtime() = 0;
  virtual Images& images() = 0;
  virtual void SetObserver(CallObserver observer) = 0;
};

}  // namespace cubelet::cri
