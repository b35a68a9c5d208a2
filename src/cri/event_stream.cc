#include "cri/event_stream.h"

#include <grpcpp/support/client_callback.h>

#include <deque>
#include <mutex>
#include <optional>

#include "async/loop.h"
#include "async/signal.h"
#include "cri/call.h"

namespace cubelet::cri {
namespace {

// What the loop and gRPC's thread share. Reads are started one at a time, after the event before
// was taken: a slow loop holds the runtime back instead of filling memory.
struct StreamState {
  explicit StreamState(async::Loop& event_loop) : loop(event_loop), signal(event_loop) {}
  async::Loop& loop;
  // Below: the loop's.
  async::Signal signal;
  std::optional<criv1::ContainerEventResponse> event;
  std::optional<absl::Status> end;
};

class Reactor final : public grpc::ClientReadReactor<criv1::ContainerEventResponse> {
 public:
  Reactor(std::shared_ptr<StreamState> state, criv1::RuntimeService::Stub& stub)
      : state_(std::move(state)) {
    stub.async()->GetContainerEvents(&context_, &request_, this);
    // Reads are started from the loop, outside of reactions.
    AddHold();
    StartRead(&event_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    state_->loop.Post([state = state_, event = std::move(event_)]() mutable {
      state->event = std::move(event);
      state->signal.Notify();
    });
  }

  void OnDone(const grpc::Status& status) override {
    state_->loop.Post([state = state_, status = ToAbslStatus(status)] {
      state->end =
          status.ok() ? absl::UnavailableError("the runtime closed its event stream") : status;
      state->signal.Notify();
    });
    delete this;
  }

  void ReadNext() {
    event_.Clear();
    StartRead(&event_);
  }

  // The last use of the reactor by its owner: it deletes itself when gRPC is done with it.
  void Abandon() {
    context_.TryCancel();
    RemoveHold();
  }

 private:
  std::shared_ptr<StreamState> state_;
  grpc::ClientContext context_;
  criv1::GetEventsRequest request_;
  criv1::ContainerEventResponse event_;
};

class GrpcEventStream final : public EventStream {
 public:
  GrpcEventStream(async::Loop& loop, criv1::RuntimeService::Stub& stub)
      : state_(std::make_shared<StreamState>(loop)), reactor_(new Reactor(state_, stub)) {}

  ~GrpcEventStream() override { reactor_->Abandon(); }

  async::Task<absl::StatusOr<criv1::ContainerEventResponse>> Next() override {
    const std::shared_ptr<StreamState> state = state_;
    while (!state->event && !state->end) co_await state->signal.Wait();
    if (!state->event) co_return *state->end;
    criv1::ContainerEventResponse event = *std::move(state->event);
    state->event.reset();
    reactor_->ReadNext();
    co_return event;
  }

 private:
  std::shared_ptr<StreamState> state_;
  Reactor* reactor_;
};

}  // namespace

std::unique_ptr<EventStream> OpenEventStream(async::Loop& loop, criv1::RuntimeService::Stub& stub) {
  return std::make_unique<GrpcEventStream>(loop, stub);
}

}  // namespace cubelet::cri
