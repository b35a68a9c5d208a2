// Sub-paths of volumes (containers.md 3.5.2, 3.5.3). The volume's content is the pod's, so links in
// it may lead anywhere and change at any time: what is bound is a descriptor that was opened inside
// the volume, never a name.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "volumes/mounter.h"

namespace cubelet::volumes {

// Errors: "error SubPath `%s` must not be an absolute path", "unable to provision SubPath `%s`:
// must not contain '..'".
absl::Status CheckSubPath(const std::string& sub_path);

struct SubPathRequest {
  std::string volume;  // its path on the host
  std::string sub_path;
  std::string pod_sub_paths;  // <pod>/volume-subpaths
  std::string target;         // where to bind it, below pod_sub_paths
};

// Makes the sub-path as a directory with the volume's mode if it does not exist, and binds it to
// request.target, which is given back. A bind of the same file that is there already is kept,
// another one is replaced. Blocks.
absl::StatusOr<std::string> BindSubPath(const SubPathRequest& request, Mounter& mounter);

// Of an error of BindSubPath: the directory could not be made ("failed to create subPath directory"
// to users); otherwise "failed to prepare subPath".
bool IsSubPathCreationError(const absl::Status& status);

}  // namespace cubelet::volumes
