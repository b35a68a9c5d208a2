// The kubelet's command line.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "config/config.h"
#include "kubelet/kubelet.h"
#include "kubelet/status_command.h"

namespace {

int Fail(const absl::Status& status) {
  LOG_ERROR(status, "command failed");
  cubelet::FlushLog();
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cubelet;
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (!args.empty() && args[0] == "status")
    return kubelet::RunStatusCommand({args.begin() + 1, args.end()});

  const auto information = config::InformationAsked(args);
  if (!information.ok()) return Fail(information.status());
  if (information->has_value()) {
    std::cout << **information << std::flush;
    return EXIT_SUCCESS;
  }
  absl::StatusOr<config::Config> config = config::Load(args);
  if (!config.ok()) return Fail(config.status());
  if (absl::Status status = InitLog(config::LogOptionsOf(config->kubelet)); !status.ok())
    return Fail(status);
  const absl::Status status = kubelet::Kubelet(*std::move(config)).Run();
  return status.ok() ? EXIT_SUCCESS : Fail(status);
}
