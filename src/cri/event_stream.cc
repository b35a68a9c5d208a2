#include "cri/event_stream.h"

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <optional>
#include <utility>

#include "async/loop.h"
#include "async/signal.h"
#include "cri/call.h"

namespace cubelet::cri {
namespace {

class Reactor;

// What the loop and gRPC's thread share; the loop's alone. Reads are started one at a time, after
// the event before was taken: a slow loop holds the runtime back instead of filling memory.
struct StreamState {
  explicit StreamState(async::Loop& event_loop) : loop(event_loop), signal(event_loop) {}
  async::Loop& loop;
  async::Signal signal;
  std::optional<criv1::ContainerEventResponse> event;
  std::optional<absl::Status> end;
  Reactor* reactor = nullptr;  // until gRPC is done with it
};

class Reactor final : public grpc::ClientReadReactor<criv1::ContainerEventResponse> {
 public:
  Reactor(std::shared_ptr<StreamState> state, criv1::RuntimeService::Stub& stub)
      : state_(std::move(state)) {
    stub.async()->GetContainerEvents(&context_, &request_, this);
    // Reads are started from the loop, outside of reactions. OnDone waits for the hold's end.
    AddHold();
    StartRead(&event_);
    StartCall();
  }

  // Nothing more can be read: let go, so that OnDone tells how the stream ended.
  void OnReadDone(bool ok) override {
    if (ok) {
      state_->loop.Post([state = state_, event = std::move(event_)]() mutable {
        state->event = std::move(event);
        state->signal.Notify();
      });
    } else {
      state_->loop.Post([state = state_] { state->reactor->LetGo(); });
    }
  }

  void OnDone(const grpc::Status& status) override {
    // It dies on the loop, where its owner may be about to use it.
    state_->loop.Post([state = state_, status = ToAbslStatus(status)] {
      delete std::exchange(state->reactor, nullptr);
      state->end =
          status.ok() ? absl::UnavailableError("the runtime closed its event stream") : status;
      state->signal.Notify();
    });
  }

  void ReadNext() {
    event_.Clear();
    StartRead(&event_);
  }

  void Abandon() {
    context_.TryCancel();
    LetGo();
  }

 private:
  void LetGo() {
    if (std::exchange(held_, false)) RemoveHold();
  }

  std::shared_ptr<StreamState> state_;
  grpc::ClientContext context_;
  criv1::GetEventsRequest request_;
  criv1::ContainerEventResponse event_;
  bool held_ = true;
};

class GrpcEventStream final : public EventStream {
 public:
  GrpcEventStream(async::Loop& loop, criv1::RuntimeService::Stub& stub)
      : state_(std::make_shared<StreamState>(loop)) {
    state_->reactor = new Reactor(state_, stub);
  }

  ~GrpcEventStream() override {
    if (state_->reactor != nullptr) state_->reactor->Abandon();
  }

  async::Task<absl::StatusOr<criv1::ContainerEventResponse>> Next() override {
    const std::shared_ptr<StreamState> state = state_;
    while (!state->event && !state->end) co_await state->signal.Wait();
    if (!state->event) co_return *state->end;
    criv1::ContainerEventResponse event = *std::move(state->event);
    state->event.reset();
    if (state->reactor != nullptr) state->reactor->ReadNext();
    co_return event;
  }

 private:
  std::shared_ptr<StreamState> state_;
};

}  // namespace

std::unique_ptr<EventStream> OpenEventStream(async::Loop& loop, criv1::RuntimeService::Stub& stub) {
  return std::make_unique<GrpcEventStream>(loop, stub);
}

}  // namespace cubelet::cri
