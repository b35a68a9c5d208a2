#include "volumes/fs_group.h"

#include <sys/stat.h>

#include "base/status.h"
#include "base/strings.h"
#include "os/tree.h"

namespace cubelet::volumes {

mode_t FsGroupMode(mode_t mode, bool read_only) {
  constexpr mode_t kReadWrite = 0660;
  constexpr mode_t kReadOnly = 0440;
  constexpr mode_t kEnter = 0110;
  mode |= read_only ? kReadOnly : kReadWrite;
  if (S_ISDIR(mode)) mode |= S_ISGID | kEnter;
  return mode & 07777;
}

absl::Status ApplyFsGroup(const std::string& volume, gid_t group, bool read_only) {
  const auto visit = [&](const os::TreeEntry& entry, std::string_view path) {
    const mode_t mode = FsGroupMode(entry.mode, read_only);
    const bool is_link = S_ISLNK(entry.mode);
    if (entry.gid == group && (is_link || mode == (entry.mode & 07777))) return absl::OkStatus();
    constexpr uid_t kKeepOwner = static_cast<uid_t>(-1);
    return Annotate(os::ChangeOwnerAndMode(entry, kKeepOwner, group, mode), path);
  };
  return Annotate(os::WalkTree(volume, os::MountsInside::kSkip, visit),
                  StrCat("give to group ", group));
}

}  // namespace cubelet::volumes
