#include "flags.h"

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "base/clock.h"
#include "base/strings.h"
#include "fakes/sim_state.h"

namespace cubelet::fake_runtime {
namespace {

// A flag of a Go duration ("200ms").
void AddDuration(CLI::App& app, const std::string& name, absl::Duration& value,
                 const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&value, name](const std::string& text) {
           const absl::Status status = ParseGoDuration(text, value);
           if (!status.ok()) throw CLI::ValidationError(name, std::string(Message(status)));
           if (value < absl::ZeroDuration()) throw CLI::ValidationError(name, "is negative");
         },
         help)
      ->type_name("DURATION");
}

// A flag of METHOD=PROBABILITY, any number of times.
void AddFaults(CLI::App& app, const std::string& name,
               std::vector<std::pair<std::string, double>>& faults, const std::string& help) {
  app.add_option_function<std::vector<std::string>>(
         name,
         [&faults, name](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             const size_t equals = text.find('=');
             double probability = 0;
             if (equals == std::string::npos || equals == 0 ||
                 !absl::SimpleAtod(text.substr(equals + 1), &probability) || probability < 0 ||
                 probability > 1) {
               throw CLI::ValidationError(
                   name, StrCat(GoQuote(text), " is not METHOD=PROBABILITY (0 to 1)"));
             }
             faults.emplace_back(text.substr(0, equals), probability);
           }
         },
         help)
      ->type_name("METHOD=PROBABILITY");
}

}  // namespace

int ParseFlags(int argc, char** argv, Flags& flags) {
  CLI::App app(
      "A container runtime that runs nothing: CRI runtime.v1 on a unix socket, for "
      "measuring and testing kubelets.",
      "fake_runtime");
  // Whoever removes what it has not stopped gets what a real runtime gives; no journal, as a
  // benchmark runs for long.
  flags.sim.force_remove = true;
  flags.sim.journal_limit = 0;
  app.add_option("--socket", flags.socket, "Path of the socket to listen at")->required();
  AddDuration(app, "--delay-run-sandbox", flags.sim.run_sandbox_takes, "Time of RunPodSandbox");
  AddDuration(app, "--delay-create", flags.sim.create_takes, "Time of CreateContainer");
  AddDuration(app, "--delay-start", flags.sim.start_takes, "Time of StartContainer");
  AddDuration(app, "--delay-stop-sandbox", flags.sim.stop_sandbox_takes, "Time of StopPodSandbox");
  AddDuration(app, "--delay-pull", flags.pull_takes, "Time of PullImage; every pull succeeds");
  AddFaults(app, "--fail", flags.fail, "Calls that fail with UNAVAILABLE and do nothing");
  AddFaults(app, "--fail-after", flags.fail_after,
            "Calls that do their work and fail with DEADLINE_EXCEEDED");
  app.add_option("--events", flags.sim.offers_events, "Whether GetContainerEvents is offered")
      ->capture_default_str();
  app.add_option("--runtime-config", flags.sim.offers_runtime_config,
                 "Whether RuntimeConfig is offered")
      ->capture_default_str();
  app.add_option("--network", flags.sim.pod_network, "IPv4 range of the pods' addresses")
      ->check([](const std::string& range) {
        return std::string(Message(fakes::ParsePodNetwork(range).status()));
      })
      ->capture_default_str();
  app.add_option("--exec-exit-code", flags.exec_exit_code, "Exit code of every ExecSync")
      ->capture_default_str();
  app.add_option("--image", flags.images, "An image on the node from the start; repeatable");
  app.add_option("--write-files", flags.sim.write_files,
                 "Whether containers write logs and termination messages")
      ->capture_default_str();
  app.add_option("--seed", flags.sim.seed, "Of ids and faults")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return -1;
}

}  // namespace cubelet::fake_runtime
