// Files of a volume that change all at once: they live in a directory with a time stamp, `..data`
// is a link to it that is switched by a rename, and what users see are links through `..data`
// (volumes.md 3.2; other kubelets read and continue the same layout).
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cubelet::volumes {

struct FileProjection {
  std::string data;
  mode_t mode = 0644;
  std::optional<uid_t> owner = std::nullopt;

  bool operator==(const FileProjection&) const = default;
};

// Files by their path in the volume.
using Payload = std::map<std::string, FileProjection>;

// The payload under clean paths ("a//b" is "a/b"). Errors: `invalid path: ...` (volumes.md 3.2.3).
absl::StatusOr<Payload> CleanPayload(const Payload& payload);

// Makes `directory` hold exactly `payload` (clean paths), beside directories that are no links.
// Nothing is switched when contents and paths are the same already; modes alone make no difference.
// `own` is called with the new files written and not yet visible, to set owners; its error stops
// the write. What an interrupted call has left is cleaned up by the next. After an error the old
// content is in place, except when only its removal failed. Blocks.
absl::Status WriteAtomically(const std::string& directory, const Payload& payload, absl::Time now,
                             absl::FunctionRef<absl::Status()> own);

}  // namespace cubelet::volumes
