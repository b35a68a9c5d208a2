// Manifests of test pods, and the journals their containers keep.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace cubelet::e2e {

// A pod whose containers can write to /j, a directory of the host. `spec` are lines of the spec
// below "containers:" and "initContainers:", indented by two.
std::string PodManifest(const std::string& name, const std::string& journal_directory,
                        std::string_view spec);

// An item of a list of containers: busybox running `script`, in which `note TEXT` writes a line to
// the pod's journal with the time. `more` are further lines, indented by four.
std::string ContainerYaml(std::string_view name, std::string_view script,
                          std::string_view more = "");

// A script that notes "<name>-start", and "<name>-end" when it is asked to end, which it obeys
// after `linger` (what `sleep` takes).
std::string Polite(std::string_view name, std::string_view linger = "0");

struct JournalLine {
  std::string what;
  absl::Duration at;  // as Uptime()
};
std::vector<JournalLine> ReadJournal(const std::string& journal_directory);

}  // namespace cubelet::e2e
