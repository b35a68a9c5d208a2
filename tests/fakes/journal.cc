#include "fakes/journal.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

std::string Line(const JournalEntry& entry) {
  static constexpr std::string_view kMarks[] = {"-> ", "<- ", "   "};
  std::string line =
      StrCat(FormatTimeNano(entry.at), " ", kMarks[static_cast<size_t>(entry.kind)], entry.what);
  if (!entry.pod_uid.empty()) StrAppend(&line, " pod=", entry.pod_uid);
  if (!entry.name.empty()) StrAppend(&line, " container=", entry.name);
  if (!entry.id.empty()) StrAppend(&line, " id=", entry.id.substr(0, 12));
  if (entry.code != absl::StatusCode::kOk)
    StrAppend(&line, " ", absl::StatusCodeToString(entry.code));
  if (!entry.detail.empty()) StrAppend(&line, " (", entry.detail, ")");
  return line;
}

}  // namespace

void Journal::Add(JournalEntry entry) {
  if (limit_ == 0) return;
  if (entry.kind == JournalEntry::Kind::kChange) Check(entry);
  if (observer_) observer_(entry);
  entries_.push_back(std::move(entry));
  if (entries_.size() > limit_) entries_.pop_front();
}

void Journal::Check(const JournalEntry& entry) {
  const std::string container = StrCat(entry.pod_uid, "/", entry.name);
  if (entry.what == "container running")
    CheckOnlyOne(running_[container], entry, "running instances of a container");
  if (entry.what == "container exited") running_[container].erase(entry.id);
  if (entry.what == "sandbox ready")
    CheckOnlyOne(ready_[entry.pod_uid], entry, "ready sandboxes of a pod");
  if (entry.what == "sandbox stopped") ready_[entry.pod_uid].erase(entry.id);
}

void Journal::CheckOnlyOne(std::set<std::string>& alive, const JournalEntry& entry,
                           const char* what) {
  alive.insert(entry.id);
  if (alive.size() < 2) return;
  std::string ids;
  for (const std::string& id : alive) StrAppend(&ids, " ", id.substr(0, 12));
  violations_.push_back(StrCat(FormatTimeNano(entry.at), ": ", alive.size(), " ", what, ": pod ",
                               entry.pod_uid, entry.name.empty() ? "" : ", container ", entry.name,
                               ", ids", ids));
}

size_t Journal::Calls(std::string_view method) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
        return entry.kind == JournalEntry::Kind::kCall && entry.what == method;
      }));
}

size_t Journal::Calls(std::string_view method, std::string_view id) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
        return entry.kind == JournalEntry::Kind::kCall && entry.what == method && entry.id == id;
      }));
}

size_t Journal::Changes(std::string_view what, std::string_view pod_uid,
                        std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
        return entry.kind == JournalEntry::Kind::kChange && entry.what == what &&
               entry.pod_uid == pod_uid && (name.empty() || entry.name == name);
      }));
}

std::string Journal::Text(size_t count) const {
  std::string text;
  const size_t first = entries_.size() > count ? entries_.size() - count : 0;
  for (size_t i = first; i < entries_.size(); ++i) StrAppend(&text, Line(entries_[i]), "\n");
  return text;
}

}  // namespace cubelet::fakes
