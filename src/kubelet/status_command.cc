#include "kubelet/status_command.h"

#include <cstdio>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/strings.h"
#include "server/status_client.h"
#include "server/status_report.h"
#include "server/status_socket.h"

namespace cubelet::kubelet {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);

constexpr char kHelp[] =
    R"(Shows how the pods of this node are doing, and of each that is not ready the reason.

Usage: kubelet status [-o table|json] [--status-socket=PATH]

  -o, --output string         table or json (default "table")
      --status-socket string  where the kubelet listens (default $KUBELET_STATUS_SOCKET,
                              or /run/kubelet/status.sock)
  -h, --help                  this text
)";

struct Arguments {
  bool help = false;
  std::string output = "table";
  std::string socket;
};

// The value of the flag `name` at args[*at], written "--name=value" or "--name value"; nullopt when
// another argument stands there.
std::optional<std::string> FlagValue(const std::vector<std::string>& args, size_t* at,
                                     std::string_view name) {
  const std::string& arg = args[*at];
  if (!arg.starts_with(name)) return std::nullopt;
  if (arg.size() == name.size()) return *at + 1 < args.size() ? args[++*at] : std::string();
  if (arg[name.size()] == '=') return arg.substr(name.size() + 1);
  // "-ojson"
  if (name.size() == 2) return arg.substr(name.size());
  return std::nullopt;
}

// What is wrong with `args`, "" if nothing is.
std::string Parse(const std::vector<std::string>& args, Arguments& parsed) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "-h" || args[i] == "--help") {
      parsed.help = true;
    } else if (auto output = FlagValue(args, &i, "--output")) {
      parsed.output = *output;
    } else if (auto short_output = FlagValue(args, &i, "-o")) {
      parsed.output = *short_output;
    } else if (auto socket = FlagValue(args, &i, "--status-socket")) {
      parsed.socket = *socket;
    } else {
      return StrCat("unknown argument ", GoQuote(args[i]));
    }
  }
  if (parsed.output != "table" && parsed.output != "json")
    return StrCat("-o ", GoQuote(parsed.output), ": must be table or json");
  return "";
}

void Print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

int Fail(const absl::Status& status) {
  Print(stderr, StrCat("kubelet status: ", Message(status), "\n"));
  return 1;
}

}  // namespace

int RunStatusCommand(const std::vector<std::string>& args) {
  Arguments arguments;
  if (const std::string wrong = Parse(args, arguments); !wrong.empty()) {
    Print(stderr, StrCat("kubelet status: ", wrong, "\n\n", kHelp));
    return 2;
  }
  if (arguments.help) {
    Print(stdout, kHelp);
    return 0;
  }
  const std::string socket = server::StatusSocketPath(arguments.socket);
  absl::StatusOr<std::string> json = server::FetchStatus(socket, kTimeout);
  if (!json.ok()) {
    const bool nobody = absl::IsNotFound(json.status()) || absl::IsUnavailable(json.status());
    Print(stderr, StrCat("kubelet status: ", Message(json.status()),
                         nobody ? ": is the kubelet running on this node?\n" : "\n"));
    return 1;
  }
  if (arguments.output == "json") {
    Print(stdout, *json);
    return 0;
  }
  absl::StatusOr<server::StatusReport> report = server::ParseStatusJson(*json);
  if (!report.ok()) return Fail(report.status());
  Print(stdout, server::StatusTable(*report, SystemClock().Now()));
  return 0;
}

}  // namespace cubelet::kubelet
