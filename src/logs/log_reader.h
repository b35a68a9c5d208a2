// A container's log, piece by piece, as `kubectl logs` shows it (node.md 17.12).
//
//   auto reader = co_await LogReader::Open(&loop, options, still_written);
//   while (true) {
//     auto piece = co_await (*reader)->Next();
//     if (!piece.ok() || !*piece) break;
//     Send(**piece);
//   }
//
// It reads when it is asked, so who sends slowly holds nothing in memory. With `follow` it goes on
// when the log is rotated (the file renamed, another made), and ends when nobody writes it any more
// and all has been given. Rotated files are never opened.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "base/fd.h"
#include "logs/line_filter.h"
#include "os/inotify.h"

namespace cubelet::logs {

struct LogOptions {
  std::string path;  // of the live file; links are followed
  bool follow = false;
  std::optional<int64_t> tail_lines;  // lines of the file, parts count
  Selection selection;
};

class LogReader {
 public:
  // Whether the log is still written to: asked, with `follow`, each time that all has been read.
  using StillWritten = std::function<bool()>;

  // Opens the file. Errors: there is none (a moment's absence, while it is rotated, is waited for),
  // it is no regular file, it cannot be read.
  static async::Task<absl::StatusOr<std::unique_ptr<LogReader>>> Open(async::Loop* loop,
                                                                      LogOptions options,
                                                                      StillWritten still_written);

  // The next piece, some ten KiB at most. An empty one means that nothing is to be shown for now:
  // ask again if anybody still wants it. nullopt is the end. Error: the file cannot be read.
  async::Task<absl::StatusOr<std::optional<std::string>>> Next();

 private:
  struct File;
  struct Piece;

  LogReader(async::Loop* loop, LogOptions options, StillWritten still_written, File file);
  static absl::StatusOr<File> OpenFile(std::string path, std::optional<int64_t> tail_lines);
  static Piece ReadPiece(std::shared_ptr<const UniqueFd> fd, std::string path, int64_t offset);
  void Watch();
  async::Task<void> WaitForMore();
  async::Task<void> OpenSuccessor();

  async::Loop& loop_;
  const LogOptions options_;
  const StillWritten still_written_;
  LineFilter filter_;
  std::string path_;  // with links resolved
  std::shared_ptr<const UniqueFd> fd_;
  int64_t offset_ = 0;
  bool replaced_ = false;  // another file has its name, and this one has been read to its end
  bool ended_ = false;
  std::optional<os::Inotify> changes_;  // of its directory
};

}  // namespace cubelet::logs
