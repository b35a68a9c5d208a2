#include "simulation/pod_kinds.h"

#include "absl/strings/str_replace.h"
#include "base/strings.h"

namespace cubelet::simulation {
namespace {

constexpr absl::Duration kStartsUpIn = absl::Seconds(5);

// A container of the image that is there, running `command`.
std::string Container(std::string_view name, std::string_view command, std::string_view more = "") {
  return StrCat("{name: ", name, ", image: busybox, imagePullPolicy: IfNotPresent, command: [",
                command, ", say=%v]", more.empty() ? "" : ", ", more, "}");
}

std::string Exec(std::string_view outcome) {
  return StrCat("exec: {command: [check, ", outcome, "]}");
}

std::string Spec(std::string_view head, std::string_view init, std::string_view containers,
                 std::string_view tail = "") {
  return StrCat("{", head, init.empty() ? "" : StrCat(", initContainers: [", init, "]"),
                ", containers: [", containers, "]", tail.empty() ? "" : ", ", tail, "}");
}

std::vector<PodKind> MakeKinds() {
  const std::string always = "terminationGracePeriodSeconds: 5";
  const std::string never = "restartPolicy: Never, terminationGracePeriodSeconds: 5";
  const std::string on_failure = "restartPolicy: OnFailure, terminationGracePeriodSeconds: 5";
  const std::string main = Container("main", "sim, stop=0, stop-delay=1s");
  const std::string init = Container("init", "sim, after=2s, exit=0");
  const std::string second = Container("second", "sim, after=1s, exit=0");
  const std::string sidecar = Container("side", "sim, stop=0", "restartPolicy: Always");
  return {
      {"forever", Spec(always, "", main)},
      {"stubborn", Spec(always, "", Container("main", "sim"))},
      {"two containers", Spec(always, "", main + ", " + Container("other", "sim, stop=0"))},
      {"host network", Spec(always + ", hostNetwork: true", "", main)},
      {"guaranteed",
       Spec(always, "",
            Container("main", "sim, stop=0", "resources: {limits: {cpu: 100m, memory: 64Mi}}"))},
      {"init", Spec(always, init + ", " + second, main)},
      {"sidecar", Spec(always, init + ", " + sidecar + ", " + second, main)},
      {"two sidecars",
       Spec(always,
            sidecar + ", " +
                Container("side2", "sim, stop=0, stop-delay=1s", "restartPolicy: Always"),
            main)},
      {"once", Spec(never, "", Container("main", "sim, after=8s, exit=0")), End::kSucceeded, true},
      {"once, failing", Spec(never, "", Container("main", "sim, after=8s, exit=3")), End::kFailed},
      {"once, init failing", Spec(never, Container("init", "sim, after=2s, exit=1"), main),
       End::kFailed},
      {"once, with a sidecar",
       Spec(never, init + ", " + sidecar, Container("main", "sim, after=8s, exit=0")),
       End::kSucceeded, true},
      {"until it succeeds", Spec(on_failure, "", Container("main", "sim, after=5s, exit=0")),
       End::kSucceeded},
      {"succeeds the third time", Spec(on_failure, "", Container("main", "third-time")),
       End::kSucceeded},
      {"crashing", Spec(always, "", Container("main", "sim, after=2s, exit=1")), End::kRestarting},
      {"init crashing",
       Spec(always, Container("main", "sim, after=1s, exit=1"), Container("later", "sim")),
       End::kRestarting},
      {"hooks", Spec(always, "",
                     Container("main", "sim, stop=0",
                               StrCat("lifecycle: {postStart: {", Exec("good"), "}, preStop: {",
                                      Exec("slow"), "}}")))},
      {"hooks and sidecars",
       Spec(always,
            sidecar + ", " +
                Container(
                    "side2", "sim, stop=0",
                    StrCat("restartPolicy: Always, lifecycle: {preStop: {", Exec("slow"), "}}")),
            Container("main", "sim, stop=0, stop-delay=1s",
                      StrCat("lifecycle: {postStart: {", Exec("good"), "}, preStop: {",
                             Exec("slow"), "}}")))},
      {"preStop sleep",
       Spec(always, "",
            Container("main", "sim, stop=0", "lifecycle: {preStop: {sleep: {seconds: 2}}}"))},
      {"bad postStart",
       Spec(
           always, "",
           Container("main", "sim, stop=0", StrCat("lifecycle: {postStart: {", Exec("bad"), "}}"))),
       End::kRunning, false, true},
      {"probed",
       Spec(always, "",
            Container("main", "sim, stop=0",
                      StrCat("startupProbe: {", Exec("starting"),
                             ", periodSeconds: 2, failureThreshold: 20}, livenessProbe: {",
                             Exec("good"), ", periodSeconds: 5}, readinessProbe: {", Exec("good"),
                             ", periodSeconds: 5}")))},
      {"sick",
       Spec(always, "",
            Container("main", "sim, stop=0",
                      StrCat("livenessProbe: {", Exec("bad"),
                             ", periodSeconds: 5, failureThreshold: 2}"))),
       End::kRestarting, false, true},
      {"deadline", Spec(always + ", activeDeadlineSeconds: 60", "", main), End::kDeadline, false,
       true},
      {"volumes",
       Spec(always, init,
            Container("main", "sim, stop=0",
                      "volumeMounts: [{name: data, mountPath: /data}, {name: data, mountPath: "
                      "/part, subPath: a/b}, {name: memory, mountPath: /memory}, {name: info, "
                      "mountPath: /info}]"),
            "volumes: [{name: data, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}, "
            "{name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: "
            "metadata.labels}}, {path: name, fieldRef: {fieldPath: metadata.name}}]}}]")},
      {"pulled", Spec(always, "",
                      "{name: main, image: slow.example/app:1, imagePullPolicy: Always, command: "
                      "[sim, say=%v]}")},
      {"image missing",
       Spec(always, "", "{name: main, image: gone.example/app:1, command: [sim, say=%v]}"),
       End::kImageMissing},
  };
}

std::optional<fakes::Process> ChooseProcess(const criv1::ContainerConfig& config) {
  if (config.command_size() == 0 || config.command(0) != "third-time") return std::nullopt;
  fakes::Process process;
  process.runs_for = absl::Seconds(3);
  process.exit_code = config.metadata().attempt() < 2 ? 1 : 0;
  return process;
}

// What the last word of "check <outcome>" says.
std::optional<fakes::ExecOutcome> ChooseExec(const fakes::SimRuntime& runtime,
                                             const async::Loop& loop, const fakes::ExecCall& call) {
  if (call.command.size() != 2 || call.command[0] != "check") return std::nullopt;
  const std::string& wanted = call.command[1];
  fakes::ExecOutcome outcome;
  if (wanted == "bad") outcome.exit_code = 1;
  if (wanted == "slow") outcome.takes = absl::Seconds(2);
  if (wanted == "starting") {
    const auto container = runtime.containers().find(call.container_id);
    if (container == runtime.containers().end()) return outcome;
    const absl::Time started = absl::FromUnixNanos(container->second.started_at);
    outcome.exit_code = loop.Now() - started < kStartsUpIn ? 1 : 0;
  }
  return outcome;
}

}  // namespace

const std::vector<PodKind>& PodKinds() {
  static const std::vector<PodKind> kinds = MakeKinds();
  return kinds;
}

std::string MakeManifest(const PodKind& kind, const std::string& pod_name, int variant,
                         const std::string& uid) {
  const std::string spec = absl::StrReplaceAll(kind.spec, {{"%v", StrCat("v", variant)}});
  return StrCat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", pod_name,
                ", labels: {app: ", pod_name, "}", uid.empty() ? "" : StrCat(", uid: ", uid),
                "}\nspec: ", spec, "\n");
}

void PrepareRuntime(fakes::SimRuntime& runtime, async::Loop& loop) {
  fakes::PullOutcome pull;
  pull.takes = absl::Seconds(3);
  runtime.image_store().SetPull("slow.example/app:1", pull);
  runtime.SetProcesses([](const criv1::ContainerConfig& config, const std::string&) {
    return ChooseProcess(config);
  });
  runtime.SetExecHandler(
      [&runtime, &loop](const fakes::ExecCall& call) { return ChooseExec(runtime, loop, call); });
}

}  // namespace cubelet::simulation
