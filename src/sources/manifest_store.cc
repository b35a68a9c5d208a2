#include "sources/manifest_store.h"

#include <algorithm>
#include <utility>

#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::sources {
namespace {

Fingerprint FingerprintOf(const struct stat& info) {
  const auto nanos = [](const timespec& time) {
    return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return {info.st_dev, info.st_ino, info.st_size, nanos(info.st_mtim), nanos(info.st_ctim)};
}

Manifest ReadManifest(const std::string& path, const std::string& node_name) {
  Manifest manifest;
  const absl::StatusOr<std::string> text = os::ReadFile(path, kMaxManifestBytes);
  if (!text.ok()) {
    manifest.problem = std::string(Message(text.status()));
    manifest.unreadable = !absl::IsInvalidArgument(text.status());  // which is: too large
    return manifest;
  }
  const Origin origin{api::kFileSource, path, node_name};
  absl::StatusOr<PodPtr> pod = ParseStaticPod(*text, origin, &manifest.unknown_fields);
  if (pod.ok()) {
    manifest.pod = *std::move(pod);
  } else {
    manifest.problem = std::string(Message(pod.status()));
  }
  return manifest;
}

// Makes one store after the other; what has not changed is taken over.
class Scanner {
 public:
  Scanner(std::string node_name, std::shared_ptr<const ManifestStore> last,
          const std::set<std::string>& dirty)
      : node_name_(std::move(node_name)), last_(std::move(last)), dirty_(dirty) {}

  void Look(const std::string& path) {
    const absl::StatusOr<struct stat> info = os::Stat(path);
    if (absl::IsNotFound(info.status())) return;  // removed since it was listed, or a dead link
    if (info.ok() && !S_ISREG(info->st_mode)) return;
    const Manifest* before = Find(path);
    Manifest manifest;
    if (!info.ok()) {
      manifest.problem = std::string(Message(info.status()));
      manifest.unreadable = true;
    } else if (CanTakeOver(path, *info, before)) {
      manifest = *before;
    } else {
      manifest = ReadManifest(path, node_name_);
      manifest.fingerprint = FingerprintOf(*info);
      read_.push_back(path);
    }
    Confirm(before, manifest);
    store_->files[path] = std::move(manifest);
  }

  void Finish(ScanResult& result) {
    std::sort(read_.begin(), read_.end());
    result.read = std::move(read_);
    result.store = std::move(store_);
  }

 private:
  const Manifest* Find(const std::string& path) const {
    if (last_ == nullptr) return nullptr;
    const auto entry = last_->files.find(path);
    return entry == last_->files.end() ? nullptr : &entry->second;
  }

  bool CanTakeOver(const std::string& path, const struct stat& info, const Manifest* before) const {
    return before != nullptr && !before->unreadable && before->fingerprint == FingerprintOf(info) &&
           !dirty_.contains(path) && !dirty_.contains(os::BaseName(path));
  }

  // A fault counts once it was seen twice with nothing written in between. One of the disk never
  // does: it says nothing about what is wanted.
  static void Confirm(const Manifest* before, Manifest& manifest) {
    if (manifest.problem.empty()) {
      manifest.unconfirmed = false;
      return;
    }
    const bool seen = before != nullptr && before->problem == manifest.problem &&
                      before->fingerprint == manifest.fingerprint;
    manifest.unconfirmed = !seen;
    const bool counts = seen && !manifest.unreadable;
    manifest.pod = counts || before == nullptr ? nullptr : before->pod;
  }

  const std::string node_name_;
  const std::shared_ptr<const ManifestStore> last_;
  const std::set<std::string>& dirty_;
  std::shared_ptr<ManifestStore> store_ = std::make_shared<ManifestStore>();
  std::vector<std::string> read_;
};

}  // namespace

bool ManifestStore::AnyUnconfirmed() const {
  return std::any_of(files.begin(), files.end(),
                     [](const auto& file) { return file.second.unconfirmed; });
}

bool ManifestStore::AnyUnknown() const {
  return std::any_of(files.begin(), files.end(), [](const auto& file) {
    return file.second.unreadable && file.second.pod == nullptr;
  });
}

ScanResult ScanManifests(const std::string& path, const std::string& node_name,
                         std::shared_ptr<const ManifestStore> last,
                         const std::set<std::string>& dirty) {
  ScanResult result;
  result.store = last;
  const absl::StatusOr<struct stat> info = os::Stat(path);
  if (absl::IsNotFound(info.status())) {
    result.path_exists = false;
    result.store = std::make_shared<ManifestStore>();
    return result;
  }
  if (!info.ok()) {
    result.status = info.status();
    return result;
  }
  Scanner scanner(node_name, last, dirty);
  if (S_ISREG(info->st_mode)) {
    scanner.Look(path);
  } else if (S_ISDIR(info->st_mode)) {
    absl::StatusOr<std::vector<std::string>> names = os::ListDirectory(path);
    if (!names.ok()) {
      result.status = names.status();
      return result;
    }
    for (const std::string& name : *names) {
      if (!name.starts_with('.')) scanner.Look(os::JoinPath(path, name));
    }
  } else {
    result.status = absl::InvalidArgumentError("path is not a directory or file");
    return result;
  }
  scanner.Finish(result);
  return result;
}

PodSet PodsOf(const ManifestStore& store) {
  std::map<std::string, std::string> file_by_name, file_by_uid;
  for (const auto& [path, manifest] : store.files) {
    if (manifest.pod == nullptr) continue;
    file_by_name[api::FullName(*manifest.pod)] = path;
    file_by_uid[manifest.pod->metadata().uid()] = path;
  }
  PodSet set;
  for (const auto& [path, manifest] : store.files) {
    if (!manifest.problem.empty() && !manifest.unconfirmed) set.problems[path] = manifest.problem;
    if (manifest.pod == nullptr) continue;
    const std::string& by_name = file_by_name[api::FullName(*manifest.pod)];
    const std::string& by_uid = file_by_uid[manifest.pod->metadata().uid()];
    if (by_name == path && by_uid == path) {
      set.pods.push_back(manifest.pod);
    } else if (by_name != path) {
      set.problems[path] =
          StrCat("the pod ", api::PodKey(*manifest.pod), " is in ", by_name, " too, which counts");
    } else {
      set.problems[path] = StrCat("the UID ", GoQuote(manifest.pod->metadata().uid()), " is in ",
                                  by_uid, " too, which counts");
    }
  }
  return set;
}

}  // namespace cubelet::sources
