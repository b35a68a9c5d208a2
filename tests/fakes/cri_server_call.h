// A gRPC call as a task on the loop. Internal to the server.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/scope.h"
#include "base/strings.h"
#include "fakes/sim_runtime.h"
#include "fakes/sim_serve.h"

namespace cubelet::fakes {

inline grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(Message(status))};
}

// Where the tasks of all calls run.
struct ServerCore {
  ServerCore(async::Loop& event_loop, SimRuntime& sim)
      : loop(event_loop), runtime(sim), scope(event_loop, "fake runtime") {}
  async::Loop& loop;
  SimRuntime& runtime;
  async::TaskScope scope;
};

// Finishes a call exactly once: with what it was told, or with CANCELLED when its task ends without
// a word. The reactor deletes itself some time after that.
template <typename Reactor>
class Finisher {
 public:
  explicit Finisher(Reactor* reactor) : reactor_(reactor) {}
  Finisher(Finisher&& other) noexcept : reactor_(std::exchange(other.reactor_, nullptr)) {}
  Finisher& operator=(Finisher&&) = delete;
  ~Finisher() {
    if (reactor_ != nullptr) reactor_->Finish(grpc::Status::CANCELLED);
  }

  Reactor* reactor() const { return reactor_; }
  void Finish(const grpc::Status& status) { std::exchange(reactor_, nullptr)->Finish(status); }

 private:
  Reactor* reactor_;
};

// The part of a reactor that ties it to a task: OnCancel cancels the task, OnDone is its end.
template <typename Base>
class TaskReactor : public Base {
 public:
  explicit TaskReactor(std::shared_ptr<ServerCore> core)
      : core_(std::move(core)), link_(std::make_shared<Link>()) {}

  // Starts what `make` gives as the task of this call. Called once, on gRPC's thread.
  void Begin(const char* name, std::function<async::Task<void>()> make) {
    core_->loop.Post([core = core_, link = link_, name, make = std::move(make)] {
      async::Task<void> task = make();
      // Dropping the task unstarted finishes the call as well.
      if (!link->cancelled) link->task = core->scope.Spawn(name, std::move(task));
    });
  }

  void OnCancel() override {
    core_->loop.Post([core = core_, link = link_] {
      link->cancelled = true;
      if (link->task != 0) core->scope.Cancel(link->task);
    });
  }

  void OnDone() override { delete this; }

 protected:
  struct Link {  // the loop's
    async::TaskScope::TaskId task = 0;
    bool cancelled = false;
  };
  std::shared_ptr<ServerCore> core_;
  std::shared_ptr<Link> link_;
};

using UnaryReactor = TaskReactor<grpc::ServerUnaryReactor>;

template <typename T>
async::Task<void> RunUnary(Finisher<UnaryReactor> finisher, async::Task<T> work,
                           std::function<void(T&)> fill) {
  T result = co_await std::move(work);
  if (StatusIn(result).ok()) fill(result);
  finisher.Finish(ToGrpcStatus(StatusIn(result)));
}

// A unary call: `work` is made on the loop, `fill` puts its value into the response.
template <typename T>
grpc::ServerUnaryReactor* ServeUnary(std::shared_ptr<ServerCore> core, const char* name,
                                     std::function<async::Task<T>(SimRuntime&)> work,
                                     std::function<void(T&)> fill) {
  auto* reactor = new UnaryReactor(core);
  reactor->Begin(name,
                 [reactor, core = core.get(), work = std::move(work), fill = std::move(fill)] {
                   return RunUnary<T>(Finisher<UnaryReactor>(reactor), work(core->runtime), fill);
                 });
  return reactor;
}

}  // namespace cubelet::fakes
