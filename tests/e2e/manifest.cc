#include "e2e/manifest.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "e2e/node.h"
#include "os/files.h"

namespace cubelet::e2e {
namespace {

constexpr char kNote[] = "note() { read up idle < /proc/uptime; echo \"$1 $up\" >> /j/log; }; ";

}  // namespace

std::string PodManifest(const std::string& name, const std::string& journal_directory,
                        std::string_view spec) {
  return StrCat("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ", name, "\n  labels: {app: ", name,
                "}\nspec:\n", spec,
                "  volumes:\n  - {name: j, hostPath: {path: ", journal_directory, "}}\n");
}

std::string ContainerYaml(std::string_view name, std::string_view script, std::string_view more) {
  return StrCat("  - name: ", name, "\n    image: ", kBusybox, "\n    command: [sh, -c, ",
                JsonQuote(StrCat(kNote, script)), "]\n", more,
                more.find("volumeMounts:") == std::string_view::npos
                    ? "    volumeMounts: [{name: j, mountPath: /j}]\n"
                    : "");
}

std::string Polite(std::string_view name, std::string_view linger) {
  return StrCat("note ", name, "-start; trap 'sleep ", linger, "; note ", name,
                "-end; exit 0' TERM; while true; do sleep 1000 & wait $!; done");
}

std::vector<JournalLine> ReadJournal(const std::string& journal_directory) {
  std::vector<JournalLine> lines;
  const auto text = os::ReadFile(journal_directory + "/log");
  if (!text.ok()) return lines;
  for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> words = absl::StrSplit(line, ' ');
    double seconds = 0;
    if (absl::SimpleAtod(words.second, &seconds))
      lines.push_back({words.first, absl::Seconds(seconds)});
  }
  return lines;
}

}  // namespace cubelet::e2e
