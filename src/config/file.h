// The file of --config and the drop-ins of --config-dir.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/defaults.h"

namespace cubelet::config {

struct LoadedFile {
  KubeletConfiguration kubelet;  // without defaults
  GivenEmpty given_empty;
  // One sentence for each field that was passed over.
  std::vector<std::string> warnings;
};

// Reads a KubeletConfiguration from YAML or JSON. Unknown fields are passed over with a warning.
// Relative paths in it are taken from the file's directory. Errors name the file, the field and the
// value.
absl::StatusOr<LoadedFile> LoadConfigFile(const std::string& path);

// Merges the *.conf files below `directory` over `base` (which has its defaults), in the order of
// their names, folders in their place among them. Objects and maps are merged, lists replaced, null
// removes a setting. Unknown fields are errors. `base.warnings` stays as it is.
absl::Status MergeDropIns(const std::string& directory, LoadedFile& base);

// ---- For these and for tests

// Decodes an object. With `unknown` set, unknown fields are collected there; otherwise they are
// errors.
absl::StatusOr<LoadedFile> DecodeConfiguration(const boost::json::value& value,
                                               std::vector<std::string>* unknown);

// As the API writes it, with kind and apiVersion first.
boost::json::value EncodeConfiguration(const KubeletConfiguration& config);

// JSON merge patch (RFC 7386).
void MergePatch(boost::json::value& target, const boost::json::value& patch);

}  // namespace cubelet::config
