#include "sources/file_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "api/pod.h"
#include "async/readable.h"
#include "async/timeout.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::sources {
namespace {

constexpr absl::Duration kMissingPathRetry = absl::Seconds(1);
constexpr absl::Duration kConfirmAfter = absl::Seconds(1);
constexpr absl::Duration kWatchRetryMax = absl::Seconds(20);
constexpr uint32_t kWatchMask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string StripSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool IsDirectory(const std::string& path) {
  const absl::StatusOr<struct stat> info = os::Stat(path);
  return info.ok() && S_ISDIR(info->st_mode);
}

FileSource::Options Normalize(FileSource::Options options) {
  options.path = StripSlashes(std::move(options.path));
  return options;
}

}  // namespace

FileSource::FileSource(async::Loop& loop, Options options, Deliver deliver, ReportProblems report)
    : loop_(loop),
      options_(Normalize(std::move(options))),
      deliver_(std::move(deliver)),
      report_(std::move(report)),
      watch_backoff_(absl::Seconds(1), kWatchRetryMax) {}

void FileSource::Start(async::TaskScope& scope) { scope.Spawn("file source", Run()); }

async::Task<void> FileSource::Run() {
  while (true) {
    // The watch comes first: what changes between it and the scan is seen by both.
    const absl::Status watched = Watch();
    if (!watched.ok() && !watch_failed_)
      LOG_ERROR(watched, "Cannot watch the static pod path, looking at it from time to time",
                {{"path", options_.path}});
    watch_failed_ = !watched.ok();
    co_await Scan();
    co_await WaitForChange();
  }
}

async::Task<void> FileSource::Scan() {
  std::set<std::string> dirty = std::exchange(dirty_, {});
  auto scan = [path = options_.path, node_name = options_.node_name, store = store_,
               dirty = std::move(dirty)] { return ScanManifests(path, node_name, store, dirty); };
  const ScanResult result = co_await loop_.Blocking(std::move(scan));
  Publish(result);
}

// Watches the directory, or the one that a single file stands in (editors replace files). Follows
// the path: when it has come to mean another directory, that one is watched from now on.
absl::Status FileSource::Watch() {
  if (!inotify_.has_value()) {
    ASSIGN_OR_RETURN(os::Inotify created, os::Inotify::Create());
    inotify_.emplace(std::move(created));
  }
  const std::string directory =
      IsDirectory(options_.path) ? options_.path : os::DirectoryOf(options_.path);
  const absl::StatusOr<int> watch = inotify_->Add(directory, kWatchMask);
  if (!watch.ok()) {
    watch_ = -1;
    // There is nothing to watch, and the retry for missing paths looks for it.
    return absl::IsNotFound(watch.status()) ? absl::OkStatus() : watch.status();
  }
  if (watch_ >= 0 && watch_ != *watch) RETURN_IF_ERROR(inotify_->Remove(watch_));
  watch_ = *watch;
  return absl::OkStatus();
}

absl::Duration FileSource::NextLook() {
  absl::Duration wait = options_.check_frequency;
  if (watch_failed_) {
    wait = std::min(wait, watch_backoff_.Next());
  } else {
    watch_backoff_.Reset();
  }
  if (missing_) wait = std::min(wait, kMissingPathRetry);
  if (store_ != nullptr && store_->AnyUnconfirmed()) wait = std::min(wait, kConfirmAfter);
  return wait;
}

// Returns when something has changed or it is time to look anyway.
async::Task<void> FileSource::WaitForChange() {
  const absl::Duration until = loop_.Monotonic() + NextLook();
  while (loop_.Monotonic() < until) {
    const absl::Duration left = until - loop_.Monotonic();
    if (!inotify_.has_value() || watch_ < 0) {
      co_await loop_.Sleep(left);
      co_return;
    }
    const absl::Status readable = co_await async::WithTimeout(
        loop_, async::WaitReadable(&loop_, inotify_->fd()), left, "wait for manifests");
    if (absl::IsDeadlineExceeded(readable)) co_return;
    if (!readable.ok()) {
      inotify_.reset();
      watch_ = -1;
      continue;
    }
    if (!TakeEvents()) continue;
    co_await loop_.Sleep(options_.settle);
    TakeEvents();
    co_return;
  }
}

// Whether any of the events is about a manifest. Names that start with a dot are not ours.
bool FileSource::TakeEvents() {
  const absl::StatusOr<std::vector<os::Inotify::Event>> events = inotify_->ReadEvents();
  if (!events.ok()) {
    inotify_.reset();
    watch_ = -1;
    return true;
  }
  bool relevant = false;
  for (const os::Inotify::Event& event : *events) {
    if ((event.mask & IN_IGNORED) != 0 && event.watch == watch_) watch_ = -1;
    if (event.name.starts_with('.')) continue;
    relevant = true;
    if (!event.name.empty()) dirty_.insert(event.name);
  }
  return relevant;
}

void FileSource::Publish(const ScanResult& result) {
  if (!result.path_exists && !missing_)
    LOG_INFO("path does not exist, ignoring", {{"path", options_.path}});
  missing_ = !result.path_exists;
  if (!result.status.ok()) {
    Problems problems = store_ == nullptr ? Problems() : PodsOf(*store_).problems;
    problems[options_.path] = std::string(Message(result.status));
    PublishProblems(std::move(problems));
    return;
  }
  store_ = result.store;
  for (const std::string& path : result.read) {
    const Manifest& manifest = store_->files.at(path);
    if (!manifest.unknown_fields.empty())
      LOG_WARNING("Manifest has fields that no Pod has, ignoring them",
                  {{"path", path}, {"fields", GoList(manifest.unknown_fields)}});
  }
  PodSet set = PodsOf(*store_);
  PublishProblems(std::move(set.problems));
  PublishPods(std::move(set.pods), !store_->AnyUnknown());
}

void FileSource::PublishPods(std::vector<PodPtr> pods, bool complete) {
  if (delivered_ == pods && complete_ == complete) return;
  delivered_ = pods;
  complete_ = complete;
  deliver_(api::kFileSource, std::move(pods), complete);
}

void FileSource::PublishProblems(Problems problems) {
  if (problems == problems_) return;
  for (const auto& [path, reason] : problems) {
    const auto known = problems_.find(path);
    if (known == problems_.end() || known->second != reason)
      LOG_ERROR(absl::InvalidArgumentError(ToAbsl(reason)), "Could not process manifest",
                {{"path", path}});
  }
  problems_ = problems;
  if (report_) report_(problems_);
}

}  // namespace cubelet::sources
