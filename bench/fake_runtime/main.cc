// fake_runtime: a simulated container runtime behind a real CRI socket. See --help and README.md.
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>

#include "async/loop.h"
#include "async/scope.h"
#include "base/log.h"
#include "fakes/cri_server.h"
#include "flags.h"

namespace cubelet::fake_runtime {
namespace {

void Configure(fakes::SimRuntime& runtime, const Flags& flags) {
  for (const std::string& image : flags.images) runtime.image_store().Add(image);
  fakes::PullOutcome pulled;
  pulled.takes = flags.pull_takes;
  runtime.image_store().SetOtherPulls(pulled);
  runtime.SetExecHandler([exit_code = flags.exec_exit_code](const fakes::ExecCall&) {
    fakes::ExecOutcome outcome;
    outcome.exit_code = exit_code;
    return outcome;
  });
  std::map<std::string, fakes::FaultRates> rates;
  for (const auto& [method, probability] : flags.fail) rates[method].fail_before = probability;
  for (const auto& [method, probability] : flags.fail_after) rates[method].fail_after = probability;
  for (const auto& [method, of_method] : rates) runtime.faults().SetRatesOf(method, of_method);
}

async::Task<void> ShutDown(async::Loop* loop, fakes::CriServer* server) {
  co_await server->Stop();
  loop->Stop();
}

int Serve(const Flags& flags) {
  std::unique_ptr<async::Loop> loop = async::Loop::Real(1);
  fakes::SimRuntime runtime(*loop, flags.sim);
  Configure(runtime, flags);
  auto server = fakes::CriServer::Start(*loop, runtime, flags.socket);
  if (!server.ok()) {
    LOG_ERROR(server.status(), "The fake runtime cannot start");
    return 1;
  }
  LOG_INFO("The fake runtime listens", {{"socket", flags.socket}});
  async::TaskScope scope(*loop, "main");
  boost::asio::signal_set signals(loop->io(), SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) scope.Spawn("shut down", ShutDown(loop.get(), server->get()));
  });
  loop->Run();
  return 0;
}

}  // namespace
}  // namespace cubelet::fake_runtime

int main(int argc, char** argv) {
  cubelet::fake_runtime::Flags flags;
  const int exit_code = cubelet::fake_runtime::ParseFlags(argc, argv, flags);
  return exit_code >= 0 ? exit_code : cubelet::fake_runtime::Serve(flags);
}
