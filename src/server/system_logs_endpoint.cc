// GET /logs/...: the files of /var/log, and lists of its directories (node.md 17.13).
//
// Pods may be able to write there, so nothing is followed out of it: what a link leads out to is
// not found. Only regular files and directories are served.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/safe_path.h"
#include "server/body.h"
#include "server/endpoint.h"

namespace cubelet::server {
namespace {

constexpr size_t kBlock = 64 << 10;
constexpr size_t kMaxEntries = 10'000;
constexpr std::string_view kPrefix = "/logs/";

struct Found {
  absl::Status status;
  std::shared_ptr<const UniqueFd> file;  // or the names of a directory, which end in "/" if theirs
  std::vector<std::string> names;
  std::string beginning;  // of the file
};

absl::Status List(UniqueFd fd, std::vector<std::string>* names) {
  DIR* const directory = ::fdopendir(fd.get());
  if (directory == nullptr) return ErrnoError("list the directory");
  fd.release();
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || names->size() == kMaxEntries) continue;
    names->push_back(StrCat(name, entry->d_type == DT_DIR ? "/" : ""));
  }
  ::closedir(directory);
  std::sort(names->begin(), names->end());
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadBlock(int fd, int64_t offset) {
  std::string block(kBlock, '\0');
  ssize_t got = 0;
  do {
    got = ::pread(fd, block.data(), block.size(), offset);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return ErrnoError("read the file");
  block.resize(static_cast<size_t>(got));
  return block;
}

Found Find(const std::string& root, const std::string& path) {
  Found found;
  absl::StatusOr<UniqueFd> below = os::Open(root, O_PATH | O_DIRECTORY);
  if (below.ok()) {
    below = os::OpenBelow(below->get(), path.empty() ? "." : path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                          os::Links::kInside);
  }
  found.status = below.status();
  if (!below.ok()) return found;
  struct stat info{};
  if (::fstat(below->get(), &info) != 0) {
    found.status = ErrnoError("stat");
  } else if (S_ISDIR(info.st_mode)) {
    found.status = List(*std::move(below), &found.names);
  } else if (S_ISREG(info.st_mode)) {
    absl::StatusOr<std::string> beginning = ReadBlock(below->get(), 0);
    found.status = beginning.status();
    if (beginning.ok()) found.beginning = *std::move(beginning);
    found.file = std::make_shared<const UniqueFd>(*std::move(below));
  } else {
    found.status = absl::NotFoundError("it is neither a file nor a directory");
  }
  return found;
}

class FileBody : public Body {
 public:
  FileBody(async::Loop& loop, Found found)
      : loop_(loop), file_(std::move(found.file)), next_(std::move(found.beginning)) {}

  async::Task<absl::StatusOr<std::optional<std::string>>> Next() override {
    std::string piece = std::move(next_);
    if (piece.empty()) co_return std::nullopt;
    offset_ += static_cast<int64_t>(piece.size());
    auto read = [file = file_, offset = offset_] { return ReadBlock(file->get(), offset); };
    absl::StatusOr<std::string> next = co_await loop_.Blocking(std::move(read));
    if (!next.ok()) co_return next.status();
    next_ = *std::move(next);
    co_return piece;
  }

 private:
  async::Loop& loop_;
  const std::shared_ptr<const UniqueFd> file_;
  std::string next_;
  int64_t offset_ = 0;
};

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&#34;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// A name as a relative link.
std::string Link(std::string_view name) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~$&+,/=@";
  std::string link;
  for (const char c : name) {
    if (kPlain.find(c) != std::string_view::npos) {
      link += c;
    } else {
      constexpr char kDigits[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      link += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return Escaped(link);
}

std::string Page(const std::vector<std::string>& names) {
  std::string page =
      "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n";
  for (const std::string& name : names)
    StrAppend(&page, "<a href=\"", Link(name), "\">", Escaped(name), "</a>\n");
  return page + "</pre>\n";
}

}  // namespace

async::Task<Response> ServeSystemLogs(const Services* services, Request request) {
  const std::string path = request.path.substr(kPrefix.size());
  auto find = [root = services->options.system_log_directory, path] { return Find(root, path); };
  Found found = co_await services->loop.Blocking(std::move(find));
  if (!found.status.ok()) co_return Text(404, "404 page not found\n");
  if (found.file == nullptr) {
    if (path.empty() || path.ends_with('/'))
      co_return Response{200, "text/html; charset=utf-8", Page(found.names)};
    // Links of the page are relative to a name that ends in a slash.
    Response moved = Text(301, "");
    moved.headers.emplace_back("Location", Link(os::BaseName(path)) + "/");
    co_return moved;
  }
  Response response = Text(200, "");
  if (found.beginning.find('\0') != std::string::npos)
    response.content_type = "application/octet-stream";
  response.stream = std::make_shared<FileBody>(services->loop, std::move(found));
  co_return response;
}

}  // namespace cubelet::server
