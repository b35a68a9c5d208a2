// Serves a SimRuntime as a container runtime: CRI's RuntimeService and ImageService over gRPC on a
// unix socket, for any kubelet. Calls are taken by gRPC's threads, run on the loop, and are
// cancelled when their caller goes away.
//
// Not served, and said so by UNIMPLEMENTED with a sentence: sandbox statistics and metrics,
// checkpoints, resizing of sandboxes; and the streams themselves, to which the runtime gives URLs
// once it has been told of a streaming server.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "fakes/sim_runtime.h"

namespace cubelet::fakes {

class CriServer {
 public:
  // Listens at `socket_path`, in place of a socket that somebody has left there. `loop` is a real
  // one; it and `runtime` outlive the server.
  static absl::StatusOr<std::unique_ptr<CriServer>> Start(async::Loop& loop, SimRuntime& runtime,
                                                          const std::string& socket_path);

  // Call Stop first.
  ~CriServer();

  // Cancels all calls, closes the socket and waits for the end of both.
  async::Task<void> Stop();

 private:
  struct Parts;
  explicit CriServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace cubelet::fakes
