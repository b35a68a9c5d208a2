#include "certs/file_stamp.h"

#include <sys/stat.h>

namespace cubelet::certs {
namespace {

int64_t Nanos(const timespec& time) { return time.tv_sec * int64_t{1000000000} + time.tv_nsec; }

}  // namespace

FileStamp StampOf(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, Nanos(info.st_mtim), Nanos(info.st_ctim)};
}

std::vector<FileStamp> StampsOf(const std::vector<std::string>& paths) {
  std::vector<FileStamp> stamps;
  for (const std::string& path : paths) stamps.push_back(StampOf(path));
  return stamps;
}

}  // namespace cubelet::certs
