#include "logs/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "async/readable.h"
#include "async/timeout.h"
#include "base/status.h"
#include "base/strings.h"
#include "logs/tail.h"
#include "os/files.h"

namespace cubelet::logs {
namespace {

constexpr size_t kBlock = 32 << 10;

// How long a follower waits for the kernel's word before it looks by itself: whether the log is
// still written, and whether the file has grown where no changes are told.
constexpr absl::Duration kLookAgain = absl::Seconds(1);

// Between a rotation's rename and the runtime's new file, and from there to its last word in the
// old one.
constexpr absl::Duration kRotationPause = absl::Milliseconds(100);
constexpr int kRotationPauses = 5;

}  // namespace

struct LogReader::File {
  std::shared_ptr<const UniqueFd> fd;
  std::string path;
  int64_t offset = 0;
};

struct LogReader::Piece {
  absl::Status status;
  std::string bytes;      // none at the end
  bool replaced = false;  // at the end: the name is another file's by now
};

absl::StatusOr<LogReader::File> LogReader::OpenFile(std::string path,
                                                    std::optional<int64_t> tail_lines) {
  File file;
  ASSIGN_OR_RETURN(file.path, os::RealPath(path));
  // A pipe that somebody has put there is not waited for.
  ASSIGN_OR_RETURN(UniqueFd fd, os::Open(file.path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return ErrnoError(StrCat("stat ", file.path));
  if (!S_ISREG(info.st_mode))
    return absl::FailedPreconditionError(StrCat(file.path, " is not a regular file"));
  if (tail_lines) {
    ASSIGN_OR_RETURN(file.offset, FindTail(fd.get(), info.st_size, *tail_lines));
  }
  file.fd = std::make_shared<const UniqueFd>(std::move(fd));
  return file;
}

LogReader::Piece LogReader::ReadPiece(std::shared_ptr<const UniqueFd> fd, std::string path,
                                      int64_t offset) {
  Piece piece;
  piece.bytes.resize(kBlock);
  ssize_t got = 0;
  do {
    got = ::pread(fd->get(), piece.bytes.data(), kBlock, offset);
  } while (got < 0 && errno == EINTR);
  if (got < 0) piece.status = ErrnoError(StrCat("read ", path));
  piece.bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (got != 0) return piece;
  struct stat ours{}, named{};
  piece.replaced = ::fstat(fd->get(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
                   (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev);
  return piece;
}

async::Task<absl::StatusOr<std::unique_ptr<LogReader>>> LogReader::Open(
    async::Loop* loop, LogOptions options, StillWritten still_written) {
  for (int pauses = 0;; ++pauses) {
    auto open = [path = options.path, tail = options.tail_lines] { return OpenFile(path, tail); };
    absl::StatusOr<File> file = co_await loop->Blocking(std::move(open));
    if (file.ok()) {
      co_return std::unique_ptr<LogReader>(
          new LogReader(loop, std::move(options), std::move(still_written), *std::move(file)));
    }
    if (!absl::IsNotFound(file.status()) || pauses == kRotationPauses)
      co_return Annotate(file.status(), "open the container's log");
    co_await loop->Sleep(kRotationPause);
  }
}

LogReader::LogReader(async::Loop* loop, LogOptions options, StillWritten still_written, File file)
    : loop_(*loop),
      options_(std::move(options)),
      still_written_(std::move(still_written)),
      filter_(options_.selection),
      path_(std::move(file.path)),
      fd_(std::move(file.fd)),
      offset_(file.offset) {
  if (options_.follow) Watch();
}

void LogReader::Watch() {
  // Without it (instances of inotify are few) the file is looked at every second.
  absl::StatusOr<os::Inotify> changes = os::Inotify::Create();
  if (!changes.ok()) return;
  if (changes->Add(os::DirectoryOf(path_), IN_MODIFY | IN_CREATE | IN_MOVED_TO).ok())
    changes_ = *std::move(changes);
}

async::Task<absl::StatusOr<std::optional<std::string>>> LogReader::Next() {
  while (!ended_ && !filter_.full()) {
    // Before the file is read: what was written until then is found in it.
    const bool more_may_come = options_.follow && still_written_();
    auto read = [fd = fd_, path = path_, offset = offset_] { return ReadPiece(fd, path, offset); };
    Piece piece = co_await loop_.Blocking(std::move(read));
    CO_RETURN_IF_ERROR(piece.status);
    std::string shown;
    if (!piece.bytes.empty()) {
      offset_ += static_cast<int64_t>(piece.bytes.size());
      filter_.Feed(piece.bytes, &shown);
      co_return shown;
    }
    if (options_.follow && piece.replaced) {
      if (!std::exchange(replaced_, true)) {
        // The runtime may still write what it had taken before it turned to the new file.
        co_await loop_.Sleep(kRotationPause);
      } else {
        co_await OpenSuccessor();
      }
      continue;
    }
    if (!more_may_come) {
      ended_ = true;
      filter_.Finish(&shown);
      co_return shown;
    }
    co_await WaitForMore();
    co_return shown;
  }
  co_return std::nullopt;
}

async::Task<void> LogReader::OpenSuccessor() {
  auto open = [path = options_.path] { return OpenFile(path, std::nullopt); };
  absl::StatusOr<File> file = co_await loop_.Blocking(std::move(open));
  if (!file.ok()) {
    // Rotated once more, or gone with its pod.
    co_await loop_.Sleep(kRotationPause);
    co_return;
  }
  fd_ = std::move(file->fd);
  path_ = std::move(file->path);
  offset_ = 0;
  replaced_ = false;
  filter_.Restart();
}

async::Task<void> LogReader::WaitForMore() {
  if (!changes_) {
    co_await loop_.Sleep(kLookAgain);
    co_return;
  }
  const absl::Status changed = co_await async::WithTimeout(
      loop_, async::WaitReadable(&loop_, changes_->fd()), kLookAgain, "wait for the log");
  if (absl::IsDeadlineExceeded(changed)) co_return;
  if (!changed.ok() || !changes_->ReadEvents().ok()) changes_.reset();
}

}  // namespace cubelet::logs
