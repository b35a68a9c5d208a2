#include "pods/log_files.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::pods {
namespace {

constexpr char kStampFormat[] = "%E4Y%m%d-%H%M%S";

bool IsStamp(std::string_view text) {
  if (text.size() != 15 || text[8] != '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
}

std::string StampOf(const std::string& path) {
  std::string_view name = path;
  if (absl::EndsWith(path, ".gz")) name.remove_suffix(3);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : std::string(name.substr(dot + 1));
}

}  // namespace

std::string RotatedName(const std::string& log_path, const std::vector<std::string>& rotated,
                        absl::Time now, absl::TimeZone zone) {
  std::string stamp = absl::FormatTime(kStampFormat, now, zone);
  std::string newest;
  for (const std::string& path : rotated) newest = std::max(newest, StampOf(path));
  absl::Time time;
  std::string error;
  if (stamp <= newest && absl::ParseTime(kStampFormat, newest, zone, &time, &error))
    stamp = absl::FormatTime(kStampFormat, time + absl::Seconds(1), zone);
  return StrCat(log_path, ".", stamp);
}

absl::StatusOr<std::vector<std::string>> CleanRotated(const std::string& log_path) {
  const std::string directory = os::DirectoryOf(log_path);
  const std::string prefix = StrCat(os::BaseName(log_path), ".");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, os::ListDirectory(directory));
  const absl::flat_hash_set<std::string> present(names.begin(), names.end());
  std::vector<std::string> rotated;
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, prefix)) continue;
    const std::string path = os::JoinPath(directory, name);
    if (absl::EndsWith(name, ".tmp") || present.contains(StrCat(name, ".gz"))) {
      RETURN_IF_ERROR(os::RemoveFile(path));
    } else if (IsStamp(StampOf(path))) {
      rotated.push_back(path);
    }
  }
  std::sort(rotated.begin(), rotated.end(),
            [](const std::string& a, const std::string& b) { return StampOf(a) < StampOf(b); });
  return rotated;
}

absl::Status DeleteOldest(std::vector<std::string>& rotated, size_t keep) {
  while (rotated.size() > keep) {
    RETURN_IF_ERROR(os::RemoveFile(rotated.front()));
    rotated.erase(rotated.begin());
  }
  return absl::OkStatus();
}

absl::Status CompressLog(const std::string& path) {
  const std::string temporary = StrCat(path, ".tmp");
  ASSIGN_OR_RETURN(const UniqueFd in, os::Open(path, O_RDONLY | O_NOFOLLOW));
  ASSIGN_OR_RETURN(UniqueFd out,
                   os::Open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640));
  gzFile zip = gzdopen(out.get(), "wb");
  if (zip == nullptr) return absl::ResourceExhaustedError(StrCat("compress ", path));
  out.release();
  std::array<char, 64 * 1024> buffer;
  absl::Status status;
  while (status.ok()) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got == 0) break;
    if (got < 0) {
      if (errno != EINTR) status = ErrnoError(StrCat("read ", path));
      continue;
    }
    if (gzwrite(zip, buffer.data(), static_cast<unsigned>(got)) != got)
      status = ErrnoError(StrCat("write ", temporary));
  }
  if (gzclose(zip) != Z_OK) status = FirstError(status, ErrnoError(StrCat("write ", temporary)));
  if (status.ok()) status = os::Rename(temporary, StrCat(path, ".gz"));
  if (!status.ok()) {
    (void)os::RemoveFile(temporary);
    return status;
  }
  return os::RemoveFile(path);
}

}  // namespace cubelet::pods
