// One way of keeping cgroups: v1's separate hierarchies or v2's single one. Internal to this
// folder; Manager is made of a driver and the names of our cgroups.
//
// A `path` is a cgroup's path in every hierarchy ("/kubepods/burstable").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cgroups/hierarchy.h"
#include "cgroups/manager.h"

namespace cubelet::cgroups {

class Driver {
 public:
  virtual ~Driver() = default;

  // The directories that a cgroup of ours can have, one per hierarchy and on v1 one of v2 mounted
  // beside it, whether they exist or not.
  std::vector<std::string> DirectoriesOf(const std::string& path) const;

  // Whether the cgroup at `root` can hold ours: it exists wherever it has to, with the controllers
  // that are needed. Error: names what is missing.
  virtual absl::Status CheckRoot(const std::string& root) const = 0;

  // Whether the cgroup exists wherever it has to.
  virtual bool Exists(const std::string& path) const = 0;

  // Makes the cgroup and its missing parents, ready for processes. `root` is the topmost ancestor
  // that is ours to change.
  virtual absl::Status Make(const std::string& root, const std::string& path) const = 0;

  // Writes what is present of `resources`.
  virtual absl::Status Apply(const std::string& path, const Resources& resources) const = 0;

  // Takes every limit on huge pages from the cgroup.
  virtual absl::Status UnlimitHugepages(const std::string& path) const = 0;

  bool v2() const { return layout_.v2; }

 protected:
  explicit Driver(Layout layout) : layout_(std::move(layout)) {}
  const Layout layout_;
};

std::unique_ptr<Driver> MakeV1Driver(Layout layout);
std::unique_ptr<Driver> MakeV2Driver(Layout layout);

// ---- For both

// Writes one value to the kernel's file at once, as the kernel wants it.
absl::Status WriteValue(const std::string& directory, std::string_view file,
                        std::string_view value);

// The content without white space around it.
absl::StatusOr<std::string> ReadValue(const std::string& directory, std::string_view file);

// The path and its ancestors from the first below "/" on: "/a/b" gives "/a", "/a/b".
std::vector<std::string> Lineage(const std::string& path);

// How a hierarchy names its limits on huge pages of one size.
struct HugetlbFiles {
  std::string_view limit;
  std::string_view reserved;
};

// Writes the limits of `directory` by page size. A size the kernel does not have is passed over
// when nothing is asked of it (0), an error otherwise.
absl::Status ApplyHugepages(const std::string& directory, const HugetlbFiles& files,
                            const std::map<std::string, int64_t>& limits);

// Takes the limits from every page size the directory has.
absl::Status UnlimitHugepagesIn(const std::string& directory, const HugetlbFiles& files);

}  // namespace cubelet::cgroups
