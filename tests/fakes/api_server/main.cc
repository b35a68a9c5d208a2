// fake_apiserver: the fake API server as a program, for kubectl and for trying a kubelet by hand.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "async/loop.h"
#include "async/process_signals.h"
#include "async/scope.h"
#include "fakes/api_server/server.h"

namespace cubelet::fakes {
namespace {

struct Options {
  uint16_t port = 6443;
  std::string kubeconfig;
  std::string node_kubeconfig;
  std::string node = "lab";
  std::string bootstrap_token;
};

bool WriteText(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream file(path);
  file << text;
  if (!file.flush()) std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return file.good();
}

async::Task<void> StopOnSignal(async::Loop* loop, async::TerminationSignals* signals,
                               FakeApiServer* server) {
  co_await signals->Wait();
  co_await server->Stop();
  loop->Stop();
}

int Run(const Options& options) {
  const auto loop = async::Loop::Real();
  FakeApiServer server(*loop);
  if (!options.bootstrap_token.empty())
    server.api().identities().AddToken(
        options.bootstrap_token,
        {"system:bootstrap:" + options.bootstrap_token.substr(0, 6),
         {"system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"}});
  const auto port = server.Start(options.port);
  if (!port.ok()) {
    std::fprintf(stderr, "%s\n", port.status().ToString().c_str());
    return 1;
  }
  if (!WriteText(options.kubeconfig, server.AdminKubeconfig()) ||
      !WriteText(options.node_kubeconfig, server.NodeKubeconfig(options.node)))
    return 1;
  std::printf("listening on %s\n", server.Address().c_str());
  std::fflush(stdout);
  async::TerminationSignals signals(*loop);
  async::TaskScope scope(*loop, "main");
  scope.Spawn("stop on signal", StopOnSignal(loop.get(), &signals, &server));
  loop->Run();
  return 0;
}

}  // namespace
}  // namespace cubelet::fakes

int main(int argc, char** argv) {
  cubelet::fakes::Options options;
  CLI::App app("An API server in memory, over HTTP/2 and TLS, on 127.0.0.1");
  app.add_option("--port", options.port, "0 takes any free port")->capture_default_str();
  app.add_option("--kubeconfig", options.kubeconfig, "written for an administrator");
  app.add_option("--node-kubeconfig", options.node_kubeconfig, "written for the kubelet of --node");
  app.add_option("--node", options.node)->capture_default_str();
  app.add_option("--bootstrap-token", options.bootstrap_token, "<id>.<secret>, accepted as such");
  CLI11_PARSE(app, argc, argv);
  return cubelet::fakes::Run(options);
}
