// logging.*, whose messages are those of the component that all of Kubernetes' programs share.
#include "api/quantity.h"
#include "base/strings.h"
#include "config/validation.h"

namespace cubelet::config {
namespace {

constexpr uint32_t kMaxVerbosity = 2147483647;

std::string TooVerbose(const std::string& path, uint32_t verbosity) {
  return StrCat(path, ": Invalid value: ", verbosity, ": Must be <= ", kMaxVerbosity);
}

void ValidateVmodule(const v1beta1::Logging& logging, Faults& faults) {
  faults.AddIf(!logging.vmodule().empty() && logging.format() != "text",
               "logging.vmodule: Forbidden: Only supported for text log format");
  for (int i = 0; i < logging.vmodule_size(); ++i) {
    const v1beta1::VModuleItem& item = logging.vmodule(i);
    const std::string path = StrCat("logging.vmodule[", i, "]");
    faults.AddIf(item.filepattern().empty(),
                 StrCat(path, ": Required value: File pattern must not be empty"));
    faults.AddIf(item.filepattern().find_first_of("=,") != std::string::npos,
                 StrCat(path, ".filePattern: Invalid value: ", GoQuote(item.filepattern()),
                        ": File pattern must not contain equal sign or comma"));
    faults.AddIf(item.verbosity() > kMaxVerbosity, TooVerbose(path, item.verbosity()));
  }
}

// The log of this agent has one stream that is never buffered.
void ValidateOutput(const std::string& path, const v1beta1::LogOutput& output,
                    const FeatureGates& gates, Faults& faults) {
  const char* why = gates.Enabled("LoggingAlphaOptions")
                        ? ": Forbidden: This kubelet does not have it"
                        : ": Forbidden: Feature LoggingAlphaOptions is disabled";
  faults.AddIf(output.splitstream(), StrCat(path, ".splitStream", why));
  faults.AddIf(!api::Quantity::ParseOrZero(output.infobuffersize().string()).IsZero(),
               StrCat(path, ".infoBufferSize", why));
}

}  // namespace

void ValidateLogging(const KubeletConfiguration& config, const FeatureGates& gates,
                     Faults& faults) {
  const v1beta1::Logging& logging = config.logging();
  const bool json = logging.format() == "json";
  faults.AddIf(logging.format() != "text" && !json,
               StrCat("logging.format: Invalid value: ", GoQuote(logging.format()),
                      ": Unsupported log format"));
  faults.AddIf(json && !gates.Enabled("LoggingBetaOptions"),
               "logging.format: Forbidden: Log format json is disabled, see LoggingBetaOptions "
               "feature");
  faults.AddIf(ToDuration(logging.flushfrequency()) <= absl::ZeroDuration(),
               StrCat("logging.flushFrequency: Invalid value: ",
                      logging.flushfrequency().duration(), ": Must be greater than zero"));
  faults.AddIf(logging.verbosity() > kMaxVerbosity,
               TooVerbose("logging.verbosity", logging.verbosity()));
  ValidateVmodule(logging, faults);
  ValidateOutput("logging.options.text", logging.options().text(), gates, faults);
  ValidateOutput("logging.options.json", logging.options().json(), gates, faults);
}

}  // namespace cubelet::config
