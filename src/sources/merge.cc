#include "sources/merge.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "api/pod.h"
#include "base/strings.h"

namespace cubelet::sources {
namespace {

// Annotations that are ours: a pod keeps those it was first seen with.
constexpr const char* kLocalAnnotations[] = {
    api::kConfigSourceAnnotation, api::kConfigMirrorAnnotation, api::kConfigSeenAnnotation};

bool IsLocal(std::string_view name) {
  for (const char* local : kLocalAnnotations) {
    if (name == local) return true;
  }
  return false;
}

bool SameMessage(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  const auto bytes = [](const google::protobuf::Message& message) {
    std::string out;
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
    coded.Trim();
    return out;
  };
  return &a == &b || bytes(a) == bytes(b);
}

template <typename Map>
std::map<std::string, std::string> Entries(const Map& map, bool with_local) {
  std::map<std::string, std::string> entries;
  for (const auto& [key, value] : map) {
    if (with_local || !IsLocal(key)) entries.emplace(key, value);
  }
  return entries;
}

bool SameWish(const v1::Pod& a, const v1::Pod& b) {
  const auto& left = a.metadata();
  const auto& right = b.metadata();
  return left.has_deletiontimestamp() == right.has_deletiontimestamp() &&
         SameMessage(left.deletiontimestamp(), right.deletiontimestamp()) &&
         left.has_deletiongraceperiodseconds() == right.has_deletiongraceperiodseconds() &&
         left.deletiongraceperiodseconds() == right.deletiongraceperiodseconds() &&
         Entries(left.labels(), true) == Entries(right.labels(), true) &&
         Entries(left.annotations(), false) == Entries(right.annotations(), false) &&
         SameMessage(a.spec(), b.spec());
}

// Local time with exactly nine digits after the second and the offset: Go's RFC3339Nano with all
// its digits.
std::string SeenTime(absl::Time now) {
  const absl::TimeZone zone = absl::LocalTimeZone();
  std::string text = absl::FormatTime("%Y-%m-%dT%H:%M:%E9S%Ez", now, zone);
  if (text.ends_with("+00:00")) text.replace(text.size() - 6, 6, "Z");
  return text;
}

PodPtr FirstSeen(std::string_view source, const v1::Pod& pod, absl::Time now) {
  auto seen = std::make_shared<v1::Pod>(pod);
  auto& annotations = *seen->mutable_metadata()->mutable_annotations();
  annotations[api::kConfigSourceAnnotation] = std::string(source);
  annotations[api::kConfigSeenAnnotation] = SeenTime(now);
  return seen;
}

// The delivered object with the local annotations of the known one.
PodPtr TakeOver(const v1::Pod& known, const v1::Pod& delivered) {
  auto pod = std::make_shared<v1::Pod>(delivered);
  auto& annotations = *pod->mutable_metadata()->mutable_annotations();
  for (const char* name : kLocalAnnotations) {
    const std::string* value = api::FindAnnotation(known, name);
    if (value != nullptr) {
      annotations[name] = *value;
    } else {
      annotations.erase(name);
    }
  }
  return pod;
}

std::string DuplicateMessage(std::string_view source, const v1::Pod& pod) {
  return StrCat("Error validating pod ", api::FormatPod(pod), " from ", source,
                " due to duplicate pod name ", GoQuote(pod.metadata().name()), ", ignoring");
}

void MergeKnown(const KnownPod& known, const PodPtr& delivered, Changes& changes) {
  const std::string& uid = delivered->metadata().uid();
  if (known.delivered == delivered) {
    changes.known[uid] = known;
    return;
  }
  const bool same_wish = SameWish(*known.pod, *delivered);
  PodPtr pod = same_wish && SameMessage(known.pod->status(), delivered->status())
                   ? known.pod
                   : TakeOver(*known.pod, *delivered);
  changes.known[uid] = {pod, delivered};
  if (pod == known.pod) return;
  if (same_wish) {
    changes.reconciled.push_back(std::move(pod));
  } else if (delivered->metadata().has_deletiontimestamp()) {
    changes.deleted.push_back(std::move(pod));
  } else {
    changes.updated.push_back(std::move(pod));
  }
}

}  // namespace

Changes Merge(std::string_view source, const KnownPods& known, const std::vector<PodPtr>& delivery,
              absl::Time now) {
  Changes changes;
  std::set<std::string> names;
  for (const PodPtr& delivered : delivery) {
    const std::string& uid = delivered->metadata().uid();
    if (!names.insert(api::FullName(*delivered)).second || changes.known.contains(uid)) {
      changes.duplicates.push_back({delivered, DuplicateMessage(source, *delivered)});
      continue;
    }
    const auto before = known.find(uid);
    if (before != known.end()) {
      MergeKnown(before->second, delivered, changes);
      continue;
    }
    PodPtr pod = FirstSeen(source, *delivered, now);
    changes.known[uid] = {pod, delivered};
    changes.added.push_back(std::move(pod));
  }
  for (const auto& [uid, pod] : known) {
    if (!changes.known.contains(uid)) changes.removed.push_back(pod.pod);
  }
  return changes;
}

}  // namespace cubelet::sources
