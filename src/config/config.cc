#include "config/config.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "config/defaults.h"
#include "config/file.h"
#include "config/flags.h"
#include "config/help.h"
#include "config/validation.h"
#include "config/version.h"

namespace cubelet::config {

const char* const kProjectVersion = CUBELET_VERSION;

namespace {

std::map<std::string, bool> GateSettings(const KubeletConfiguration& kubelet) {
  return {kubelet.featuregates().begin(), kubelet.featuregates().end()};
}

absl::Status SetGates(Config& config, std::vector<std::string>* warnings) {
  return Annotate(config.gates.Set(GateSettings(config.kubelet), warnings),
                  "failed to set feature gates from initial flags-based config");
}

// The gates that files and flags set together, for the defaults that depend on them.
absl::StatusOr<FeatureGates> GatesOver(const KubeletConfiguration& file,
                                       const KubeletConfiguration& flags) {
  std::map<std::string, bool> settings = GateSettings(file);
  for (const auto& [name, value] : flags.featuregates()) settings[name] = value;
  FeatureGates gates;
  RETURN_IF_ERROR(Annotate(gates.Set(settings), "featureGates"));
  return gates;
}

absl::StatusOr<CommandLine> ParseFlags(const std::vector<std::string>& args, Config& config) {
  absl::StatusOr<CommandLine> line = ParseCommandLine(args);
  config.flags = DefaultNodeFlags();
  ApplyDefaults(config.kubelet, config.gates, DefaultSet::kLegacy);
  const absl::Status status = line.ok() ? ApplyFlags(line->flags, config) : line.status();
  if (!status.ok()) return Annotate(status, "failed to parse kubelet flag");
  if (!line->positional.empty())
    return absl::InvalidArgumentError(StrCat("unknown command ", line->positional[0]));
  return line;
}

// Replaces what the flags made of the defaults by the files with their defaults.
absl::Status LoadFiles(Config& config) {
  const NodeFlags& flags = config.flags;
  LoadedFile file;
  file.kubelet = config.kubelet;
  const KubeletConfiguration from_flags = config.kubelet;
  DefaultSet set = DefaultSet::kLegacy;
  if (!flags.config.empty()) {
    ASSIGN_OR_RETURN(file, LoadConfigFile(flags.config));
    ASSIGN_OR_RETURN(const FeatureGates gates, GatesOver(file.kubelet, from_flags));
    set = DefaultSet::kFile;
    ApplyDefaults(file.kubelet, gates, set, file.given_empty);
  }
  if (!flags.config_dir.empty()) {
    RETURN_IF_ERROR(MergeDropIns(flags.config_dir, file));
    ASSIGN_OR_RETURN(const FeatureGates gates, GatesOver(file.kubelet, from_flags));
    ApplyDefaults(file.kubelet, gates, set, file.given_empty);
  }
  config.kubelet = std::move(file.kubelet);
  config.warnings.insert(config.warnings.end(), file.warnings.begin(), file.warnings.end());
  return absl::OkStatus();
}

absl::Status MakeAbsolute(const char* flag, std::string& path) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error)
    return absl::InvalidArgumentError(
        StrCat("--", flag, " ", GoQuote(path), ": ", error.message()));
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  if (path.empty() || absolute == "/")
    return absl::InvalidArgumentError(
        StrCat("--", flag, " ", GoQuote(path), " must name a directory other than /"));
  path = std::move(absolute);
  return absl::OkStatus();
}

}  // namespace

Host DetectHost() {
  struct statfs info{};
  const bool mounted = ::statfs("/sys/fs/cgroup", &info) == 0;
  return {.cgroup_v2 = mounted && info.f_type == CGROUP2_SUPER_MAGIC};
}

absl::StatusOr<Config> Load(const std::vector<std::string>& args) {
  return Load(args, DetectHost());
}

absl::StatusOr<Config> Load(const std::vector<std::string>& args, const Host& host) {
  Config config;
  ASSIGN_OR_RETURN(const CommandLine line, ParseFlags(args, config));
  config.warnings = DeprecationWarnings(line.flags);
  RETURN_IF_ERROR(SetGates(config, nullptr));
  RETURN_IF_ERROR(ValidateNodeFlags(config.flags));
  RETURN_IF_ERROR(MakeAbsolute("root-dir", config.flags.root_dir));
  RETURN_IF_ERROR(MakeAbsolute("cert-dir", config.flags.cert_dir));
  if (!config.flags.config.empty() || !config.flags.config_dir.empty()) {
    RETURN_IF_ERROR(LoadFiles(config));
    RETURN_IF_ERROR(ApplyFieldFlags(line.flags, config.kubelet));
  }
  RETURN_IF_ERROR(SetGates(config, &config.warnings));
  if (config.flags.seccomp_default) config.kubelet.set_seccompdefault(true);
  RETURN_IF_ERROR(Validate(config.kubelet, config.gates, host));
  return config;
}

absl::StatusOr<std::optional<std::string>> InformationAsked(const std::vector<std::string>& args) {
  Config config;
  RETURN_IF_ERROR(ParseFlags(args, config).status());
  if (config.flags.help) return HelpText();
  if (config.flags.version == "true") return StrCat("Kubernetes ", kKubernetesVersion, "\n");
  if (config.flags.version == "raw")
    return StrCat("Cubelet ", kProjectVersion, " (Kubernetes ", kKubernetesVersion, ")\n");
  return std::nullopt;
}

LogOptions LogOptionsOf(const KubeletConfiguration& kubelet) {
  std::vector<std::string> modules;
  for (const v1beta1::VModuleItem& item : kubelet.logging().vmodule())
    modules.push_back(StrCat(item.filepattern(), "=", item.verbosity()));
  return {
      .format = kubelet.logging().format() == "json" ? LogFormat::kJson : LogFormat::kText,
      .verbosity = static_cast<int>(kubelet.logging().verbosity()),
      .vmodule = absl::StrJoin(modules, ","),
  };
}

}  // namespace cubelet::config
