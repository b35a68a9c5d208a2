#include "pods/collector.h"

#include <algorithm>
#include <map>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/tree.h"

namespace cubelet::pods {
namespace {

using async::Task;
using pleg::ContainerRecord;
using pleg::ContainerState;

// The log of an instance and what rotation has made of it: "0.log", "0.log.20260101-000000.gz".
absl::Status RemoveLogs(const std::string& log_path) {
  if (log_path.empty()) return absl::OkStatus();
  const std::string directory = os::DirectoryOf(log_path);
  const std::string base = os::BaseName(log_path);
  auto names = os::ListDirectory(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  RETURN_IF_ERROR(names.status());
  absl::Status result;
  for (const std::string& name : *names) {
    if (name.compare(0, base.size(), base) == 0)
      result = FirstError(result, os::RemoveFile(os::JoinPath(directory, name)));
  }
  return result;
}

}  // namespace

Garbage ChooseGarbage(const pleg::RuntimePod& runtime, bool pod_is_gone, int max_per_container) {
  Garbage garbage;
  absl::flat_hash_set<std::string> referred;
  std::map<std::string, int> kept;
  for (const ContainerRecord& record : runtime.containers) {  // newest first
    const bool ended = record.state == ContainerState::kExited ||
                       (pod_is_gone && record.state != ContainerState::kRunning);
    // A created record is about to be started, or is replaced by a newer one and then counts as
    // ended.
    const bool superseded =
        record.state == ContainerState::kCreated && runtime.FindByName(record.name) != &record;
    if ((ended || superseded) &&
        (pod_is_gone || kept[record.name] >= std::max(max_per_container, 1))) {
      garbage.containers.push_back(record);
      continue;
    }
    if (ended || superseded) ++kept[record.name];
    referred.insert(record.sandbox_id);
  }
  for (size_t i = 0; i < runtime.sandboxes.size(); ++i) {
    const pleg::SandboxRecord& sandbox = runtime.sandboxes[i];
    if (sandbox.ready || referred.contains(sandbox.id)) continue;
    if (pod_is_gone || i != 0) garbage.sandbox_ids.push_back(sandbox.id);
  }
  return garbage;
}

Task<absl::Status> Collector::RemoveContainer(std::string name_space, std::string pod_name,
                                              ContainerRecord record, bool with_logs) {
  // Files first: once the record is gone nobody knows of them.
  const std::string link = paths_.ContainerLogLink(name_space, pod_name, record.name, record.id);
  CO_RETURN_IF_ERROR(co_await loop_.Blocking([link, with_logs, log = record.log_path] {
    absl::Status removed = os::RemoveFile(link);
    if (with_logs) removed = FirstError(removed, RemoveLogs(log));
    return removed;
  }));
  absl::Status status = co_await runtime_.RemoveContainer(record.id);
  if (absl::IsNotFound(status)) co_return absl::OkStatus();
  co_return Annotate(status, StrCat("remove container ", record.id));
}

Task<absl::Status> Collector::RemoveSandbox(std::string id) {
  absl::Status status = co_await runtime_.StopPodSandbox(id);
  if (!status.ok() && !absl::IsNotFound(status))
    co_return Annotate(status, StrCat("stop sandbox ", id));
  status = co_await runtime_.RemovePodSandbox(id);
  if (absl::IsNotFound(status)) co_return absl::OkStatus();
  co_return Annotate(status, StrCat("remove sandbox ", id));
}

Task<absl::Status> Collector::Remove(std::string name_space, std::string pod_name,
                                     Garbage garbage) {
  absl::Status result;
  for (ContainerRecord& record : garbage.containers) {
    absl::Status status =
        co_await RemoveContainer(name_space, pod_name, std::move(record), /*with_logs=*/true);
    result = FirstError(result, status);
  }
  // With its sandbox the runtime would remove what has failed now, and its files would stay.
  CO_RETURN_IF_ERROR(result);
  for (std::string& id : garbage.sandbox_ids) {
    absl::Status status = co_await RemoveSandbox(std::move(id));
    result = FirstError(result, status);
  }
  co_return result;
}

Task<absl::Status> Collector::RemovePodLogs(std::string name_space, std::string pod_name,
                                            std::string uid) {
  const std::string directory = paths_.PodLogs(name_space, pod_name, uid);
  co_return co_await loop_.Blocking([directory] { return os::RemoveTree(directory); });
}

Task<absl::Status> Collector::RemoveDeadLinks() {
  co_return co_await loop_.Blocking([directory = paths_.container_logs()]() -> absl::Status {
    auto names = os::ListDirectory(directory);
    if (absl::IsNotFound(names.status())) return absl::OkStatus();
    RETURN_IF_ERROR(names.status());
    absl::Status result;
    for (const std::string& name : *names) {
      const std::string path = os::JoinPath(directory, name);
      if (os::ReadLink(path).ok() && absl::IsNotFound(os::Stat(path).status()))
        result = FirstError(result, os::RemoveFile(path));
    }
    return result;
  });
}

Task<std::vector<std::string>> Collector::LinkedContainers() {
  co_return co_await loop_.Blocking([directory = paths_.container_logs()] {
    constexpr std::string_view kSuffix = ".log";
    std::vector<std::string> ids;
    const auto names = os::ListDirectory(directory);
    if (!names.ok()) return ids;
    for (const std::string& name : *names) {
      // <pod>_<namespace>_<container>-<id>.log
      const size_t dash = name.rfind('-');
      if (dash == std::string::npos || !std::string_view(name).ends_with(kSuffix)) continue;
      ids.push_back(name.substr(dash + 1, name.size() - kSuffix.size() - dash - 1));
    }
    return ids;
  });
}

Task<std::vector<Collector::PodLogDirectory>> Collector::PodLogDirectories() {
  co_return co_await loop_.Blocking([directory = paths_.pod_logs()] {
    std::vector<PodLogDirectory> found;
    auto names = os::ListDirectory(directory);
    if (!names.ok()) return found;
    for (const std::string& name : *names) {
      // <namespace>_<name>_<uid>; none of the three holds an underscore.
      const size_t first = name.find('_');
      const size_t last = name.rfind('_');
      if (first == std::string::npos || first == last) continue;
      found.push_back(
          {name.substr(0, first), name.substr(first + 1, last - first - 1), name.substr(last + 1)});
    }
    return found;
  });
}

}  // namespace cubelet::pods
