// One unary gRPC call as a coroutine. Internal to this folder.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "base/strings.h"

namespace cubelet::cri {

inline absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

template <typename Request, typename Response>
using StartCall = std::function<void(grpc::ClientContext*, const Request*, Response*,
                                     std::function<void(grpc::Status)>)>;

// Makes the call with a deadline (InfiniteDuration: none) and resumes on the loop. Cancellation of
// the awaiting task cancels the call and is waited for.
template <typename Request, typename Response>
async::Task<absl::StatusOr<Response>> UnaryCall(async::Loop* loop,
                                                StartCall<Request, Response> start, Request request,
                                                absl::Duration timeout) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  auto state = std::make_shared<State>();
  state->request = std::move(request);
  // gRPC keeps its own time; a call's deadline bounds it when the runtime hangs.
  if (timeout != absl::InfiniteDuration())
    state->context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN)));
  auto initiate = [loop, state, start = std::move(start)](auto handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<State>(state)](boost::asio::cancellation_type) {
        if (auto alive = weak.lock()) alive->context.TryCancel();
      });
    }
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start(&state->context, &state->request, &state->response,
          // The state goes along: its context may be the last to hold the channel, which gRPC's own
          // thread cannot take down, as it would wait for itself.
          [loop, state, shared](grpc::Status status) mutable {
            loop->Post([shared, held = std::move(state), status = ToAbslStatus(status)]() mutable {
              std::move (*shared)(nullptr, std::move(status));
            });
          });
  };
  absl::Status status =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                           void(std::exception_ptr, absl::Status)>(
          std::move(initiate), boost::asio::use_awaitable);
  // Whoever was cancelled must not take the call's end for an answer of the runtime.
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none)
    throw boost::system::system_error(boost::asio::error::operation_aborted);
  if (!status.ok()) co_return status;
  co_return std::move(state->response);
}

}  // namespace cubelet::cri
