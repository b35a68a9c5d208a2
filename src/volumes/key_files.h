// Files from the keys of a ConfigMap or Secret (volumes.md 3.3, 3.4).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "volumes/atomic_writer.h"

namespace cubelet::volumes {

using KeyItems = google::protobuf::RepeatedPtrField<v1::KeyToPath>;

// What an object's keys become in a volume.
struct KeyFileOptions {
  const KeyItems* items = nullptr;  // none: every key, under its own name
  mode_t default_mode = 0644;
  bool optional = false;  // items whose key is missing are left out
};

// Error: `<missing>: <key>`, "configmap references non-existent config key". Pure.
absl::StatusOr<Payload> KeyFiles(const std::map<std::string, std::string>& data,
                                 const KeyFileOptions& options, std::string_view missing);

}  // namespace cubelet::volumes
