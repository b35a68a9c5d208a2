// The runtime's event stream: every event goes to every stream that is open at the time.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"
#include "cri/runtime.h"

namespace cubelet::fakes {

class EventFeed {
 public:
  explicit EventFeed(async::Loop& loop) : loop_(loop) {}
  ~EventFeed();

  // `end` not OK: the stream's first Next fails with it (not offered, not reached).
  std::unique_ptr<cri::EventStream> Open(absl::Status end = absl::OkStatus());

  void Send(const criv1::ContainerEventResponse& event);

  // Ends all streams; events not yet taken are lost, as with a broken connection.
  void EndAll(absl::Status end);

  bool has_streams() const;

 private:
  struct Channel;
  class Stream;
  async::Loop& loop_;
  std::vector<std::weak_ptr<Channel>> channels_;
};

}  // namespace cubelet::fakes
