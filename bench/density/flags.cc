#include "flags.h"

#include <CLI/CLI.hpp>

namespace cubelet::density {

int ParseFlags(int argc, char** argv, Flags& flags) {
  CLI::App app(
      "Measures what a kubelet costs: starts a runtime and the kubelet in namespaces of their own, "
      "runs static pods and prints one JSON line. Needs root.",
      "density");
  std::string runtime = "real";
  int idle_seconds = 30;
  flags.kubelet = DENSITY_KUBELET;
  app.add_option("--pods", flags.pods, "Static pods to run")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  app.add_option("--runtime", runtime, "real (containerd) or fake (bench/fake_runtime)")
      ->check(CLI::IsMember({"real", "fake"}))
      ->capture_default_str();
  app.add_option("--kubelet", flags.kubelet, "The kubelet to measure; any will do")
      ->check(CLI::ExistingFile)
      ->capture_default_str();
  app.add_option("--idle-seconds", idle_seconds, "How long processor time is counted while idle")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--alone", flags.alone, "Pods started one after the other for the latency")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_flag("--keep", flags.keep, "Leave logs and configuration in /tmp");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  flags.fake_runtime = runtime == "fake";
  flags.idle = absl::Seconds(idle_seconds);
  return -1;
}

}  // namespace cubelet::density
