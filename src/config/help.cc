#include "config/help.h"

#include <string_view>

#include "base/strings.h"
#include "config/defaults.h"
#include "config/field_table.h"
#include "config/flag_table.h"
#include "config/flags.h"

namespace cubelet::config {
namespace {

constexpr char kIntroduction[] =
    "The kubelet is the agent of Kubernetes on a node. It runs the pods that the API server\n"
    "assigns to the node and those whose manifests lie in a directory or under a URL, reports\n"
    "how they fare, and keeps the node in order.\n"
    "\n"
    "Usage:\n"
    "  kubelet [flags]\n"
    "  kubelet status   says in plain words what runs on the node and what does not\n";

constexpr FlagGroup kGroups[] = {
    FlagGroup::kGeneral,  FlagGroup::kNode,    FlagGroup::kApiServer, FlagGroup::kServer,
    FlagGroup::kSecurity, FlagGroup::kPods,    FlagGroup::kRuntime,   FlagGroup::kResources,
    FlagGroup::kReclaim,  FlagGroup::kLogging, FlagGroup::kIgnored,
};

// "" for values that are nothing: "", false, 0, an empty list.
std::string DefaultText(const FlagSpec& flag, const Config& defaults) {
  const std::string text = FlagText(flag, defaults);
  if (text.empty() || text == "false" || text == "0" || text == "0s" || text == "[]") return "";
  const ValueKind kind = KindOf(flag);
  return StrCat(" (default ", kind == ValueKind::kString ? GoQuote(text) : text, ")");
}

std::string FlagHelp(const FlagSpec& flag, const Config& defaults) {
  const FieldSpec* field = FindField(flag.field());
  std::string out =
      flag.shorthand == 0 ? "      --" : StrCat("  -", std::string(1, flag.shorthand), ", --");
  const std::string_view kind = KindName(KindOf(flag));
  StrAppend(&out, flag.name, kind.empty() ? "" : " ", kind, "\n          ",
            field == nullptr ? flag.help : field->help, DefaultText(flag, defaults));
  if (field != nullptr && !flag.deprecated.empty()) {
    StrAppend(&out, " (DEPRECATED: set ", field->path, " in the --config file)");
  } else if (!flag.deprecated.empty()) {
    StrAppend(&out, " (DEPRECATED: ", flag.deprecated, ")");
  }
  return out + "\n";
}

}  // namespace

std::string HelpText() {
  Config defaults;
  defaults.flags = DefaultNodeFlags();
  ApplyDefaults(defaults.kubelet, defaults.gates, DefaultSet::kLegacy);
  std::string out = kIntroduction;
  for (FlagGroup group : kGroups) {
    StrAppend(&out, "\n", FlagGroupTitle(group), ":\n");
    for (const FlagSpec& flag : Flags()) {
      if (flag.group == group) out += FlagHelp(flag, defaults);
    }
  }
  return out;
}

}  // namespace cubelet::config
