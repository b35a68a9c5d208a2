#include "fakes/event_feed.h"

#include <deque>
#include <optional>
#include <utility>

#include "async/signal.h"

namespace cubelet::fakes {

struct EventFeed::Channel {
  explicit Channel(async::Loop& loop) : changed(loop) {}
  std::deque<criv1::ContainerEventResponse> events;
  std::optional<absl::Status> end;
  async::Signal changed;
};

class EventFeed::Stream final : public cri::EventStream {
 public:
  explicit Stream(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  async::Task<absl::StatusOr<criv1::ContainerEventResponse>> Next() override {
    // Shared: whoever waits here may have dropped the stream when it is resumed.
    const std::shared_ptr<Channel> channel = channel_;
    while (channel->events.empty() && !channel->end) co_await channel->changed.Wait();
    if (channel->events.empty()) co_return *channel->end;
    criv1::ContainerEventResponse event = std::move(channel->events.front());
    channel->events.pop_front();
    co_return event;
  }

 private:
  std::shared_ptr<Channel> channel_;
};

EventFeed::~EventFeed() { EndAll(absl::UnavailableError("the runtime is gone")); }

std::unique_ptr<cri::EventStream> EventFeed::Open(absl::Status end) {
  auto channel = std::make_shared<Channel>(loop_);
  if (end.ok()) {
    std::erase_if(channels_, [](const auto& weak) { return weak.expired(); });
    channels_.push_back(channel);
  } else {
    channel->end = std::move(end);
  }
  return std::make_unique<Stream>(std::move(channel));
}

void EventFeed::Send(const criv1::ContainerEventResponse& event) {
  for (const auto& weak : channels_) {
    if (auto channel = weak.lock()) {
      channel->events.push_back(event);
      channel->changed.Notify();
    }
  }
}

void EventFeed::EndAll(absl::Status end) {
  for (const auto& weak : std::exchange(channels_, {})) {
    if (auto channel = weak.lock()) {
      channel->events.clear();
      channel->end = end;
      channel->changed.Notify();
    }
  }
}

bool EventFeed::has_streams() const {
  for (const auto& weak : channels_) {
    if (!weak.expired()) return true;
  }
  return false;
}

}  // namespace cubelet::fakes
