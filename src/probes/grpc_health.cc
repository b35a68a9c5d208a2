#include "probes/grpc_health.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/strings.h"
#include "cri/errors.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "probes/url.h"

namespace cubelet::probes {
namespace {

namespace health = ::grpc::health::v1;
using async::Task;

// A health answer is a handful of bytes.
constexpr int kMaxMessageBytes = 64 << 10;

// Everything a call needs until it has ended. Dies on the loop, with the coroutine that awaits;
// only that one holds it.
struct Call {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<health::Health::Stub> stub;
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  health::HealthCheckResponse response;
};

std::shared_ptr<grpc::Channel> MakeChannel(const GrpcHealthRequest& request) {
  grpc::ChannelArguments args;
  args.SetUserAgentPrefix(request.user_agent);
  args.SetMaxReceiveMessageSize(kMaxMessageBytes);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A connection of this channel's own, that ends with it.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const bool v6 = request.host.find(':') != std::string::npos;
  const std::string target =
      StrCat(v6 ? "ipv6:" : "ipv4:", JoinHostPort(request.host, StrCat(request.port)));
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), args);
}

// Starts the call and waits for its end; being cancelled cancels it and still waits.
Task<absl::Status> Run(async::Loop* loop, std::shared_ptr<Call> call) {
  auto initiate = [loop, call = call.get(), weak = std::weak_ptr<Call>(call)](auto handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak](boost::asio::cancellation_type) {
        if (const auto alive = weak.lock()) alive->context.TryCancel();
      });
    }
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    call->stub->async()->Check(
        &call->context, &call->request, &call->response, [loop, shared](grpc::Status status) {
          loop->Post([shared, status = std::move(status)] {
            std::move (*shared)(nullptr,
                                absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                                             status.error_message()));
          });
        });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                 void(std::exception_ptr, absl::Status)>(
      std::move(initiate), boost::asio::use_awaitable);
}

std::string FailureOf(const GrpcHealthRequest& request, const absl::Status& status,
                      bool connected) {
  const std::string within = FormatGoDuration(request.timeout);
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      if (connected) return StrCat("timeout: health rpc did not complete within ", within);
      return StrCat("timeout: failed to connect service ",
                    GoQuote(JoinHostPort(request.host, StrCat(request.port))), " within ", within,
                    ": context deadline exceeded");
    case absl::StatusCode::kUnimplemented:
      return StrCat(
          "error: this server does not implement the grpc health protocol "
          "(grpc.health.v1.Health): ",
          Message(status));
    default:
      return StrCat("error: health rpc probe failed: ", cri::RpcErrorText(status));
  }
}

}  // namespace

Task<std::string> CheckGrpcHealth(async::Loop* loop, GrpcHealthRequest request) {
  auto call = std::make_shared<Call>();
  call->channel = MakeChannel(request);
  call->stub = health::Health::NewStub(call->channel);
  call->request.set_service(request.service);
  // The call waits for the connection, so one deadline serves both.
  call->context.set_wait_for_ready(true);
  call->context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(absl::ToInt64Milliseconds(request.timeout), GPR_TIMESPAN)));
  const absl::Status status = co_await Run(loop, call);
  if (!status.ok())
    co_return FailureOf(request, status, call->channel->GetState(false) == GRPC_CHANNEL_READY);
  const auto answer = call->response.status();
  if (answer == health::HealthCheckResponse::SERVING) co_return "";
  std::string name = health::HealthCheckResponse::ServingStatus_Name(answer);
  if (name.empty()) name = StrCat(static_cast<int>(answer));
  co_return StrCat("service unhealthy (responded with ", GoQuote(name), ")");
}

}  // namespace cubelet::probes
