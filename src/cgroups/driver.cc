#include "cgroups/driver.h"

#include <fcntl.h>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "base/strings.h"
#include "cgroups/kernel_files.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

// More than any file read here has.
constexpr size_t kMaxValueBytes = 64 << 10;

// What the Go kubelet writes for "no limit" on huge pages.
constexpr int64_t kUnlimitedHugepages = int64_t{1} << 62;

absl::Status LimitHugepages(const std::string& directory, const HugetlbFiles& files,
                            std::string_view size, int64_t limit) {
  const std::string text = StrCat(limit);
  RETURN_IF_ERROR(WriteValue(directory, StrCat(kHugetlbPrefix, size, files.limit), text));
  const absl::Status reserved =
      WriteValue(directory, StrCat(kHugetlbPrefix, size, files.reserved), text);
  return absl::IsNotFound(reserved) ? absl::OkStatus() : reserved;
}

}  // namespace

std::vector<std::string> Driver::DirectoriesOf(const std::string& path) const {
  std::vector<std::string> directories;
  directories.reserve(layout_.hierarchies.size() + 1);
  for (const Hierarchy& hierarchy : layout_.hierarchies)
    directories.push_back(StrCat(hierarchy.directory, path));
  if (!layout_.unified.empty()) directories.push_back(StrCat(layout_.unified, path));
  return directories;
}

absl::Status WriteValue(const std::string& directory, std::string_view file,
                        std::string_view value) {
  const std::string path = os::JoinPath(directory, file);
  const auto write = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const UniqueFd fd, os::Open(path, O_WRONLY));
    return os::WriteAll(fd.get(), value, path);
  };
  return Annotate(write(), StrCat("set to ", GoQuote(value)));
}

absl::StatusOr<std::string> ReadValue(const std::string& directory, std::string_view file) {
  ASSIGN_OR_RETURN(const std::string text,
                   os::ReadFile(os::JoinPath(directory, file), kMaxValueBytes));
  return std::string(absl::StripAsciiWhitespace(text));
}

std::vector<std::string> Lineage(const std::string& path) {
  std::vector<std::string> lineage;
  for (size_t slash = path.find('/', 1); path.size() > 1; slash = path.find('/', slash + 1)) {
    lineage.push_back(path.substr(0, slash));
    if (slash == std::string::npos) break;
  }
  return lineage;
}

absl::Status ApplyHugepages(const std::string& directory, const HugetlbFiles& files,
                            const std::map<std::string, int64_t>& limits) {
  for (const auto& [size, limit] : limits) {
    const absl::Status status = LimitHugepages(directory, files, size, limit);
    if (absl::IsNotFound(status) && limit == 0) continue;
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status UnlimitHugepagesIn(const std::string& directory, const HugetlbFiles& files) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, os::ListDirectory(directory));
  for (std::string_view name : names) {
    if (!name.starts_with(kHugetlbPrefix) || !name.ends_with(files.limit)) continue;
    if (name.ends_with(files.reserved)) continue;
    name.remove_prefix(std::string_view(kHugetlbPrefix).size());
    name.remove_suffix(files.limit.size());
    RETURN_IF_ERROR(LimitHugepages(directory, files, name, kUnlimitedHugepages));
  }
  return absl::OkStatus();
}

}  // namespace cubelet::cgroups
