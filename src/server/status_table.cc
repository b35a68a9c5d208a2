#include <algorithm>

#include "base/strings.h"
#include "server/status_report.h"

namespace cubelet::server {
namespace {

using Cells = std::vector<std::string>;

// Messages come from images and runtimes: on a terminal they must not be able to do anything, and
// one sentence stays on one line.
std::string Printable(std::string_view text) {
  std::string out = CleanUtf8(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

std::string Age(absl::Time since, absl::Time now) {
  return since == absl::InfinitePast() ? "<unknown>" : HumanDuration(now - since);
}

std::string Restarts(const PodRow& row, absl::Time now) {
  if (row.last_restart == absl::InfinitePast()) return StrCat(row.restarts);
  return StrCat(row.restarts, " (", HumanDuration(now - row.last_restart), " ago)");
}

Cells CellsOf(const PodRow& row, absl::Time now) {
  return {Printable(row.name_space),
          Printable(row.name),
          StrCat(row.ready_containers, "/", row.containers),
          Printable(row.status),
          Restarts(row, now),
          Age(row.created, now)};
}

void AppendRow(std::string* out, const Cells& cells, const std::vector<size_t>& widths) {
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    StrAppend(out, cells[i], last ? "\n" : std::string(widths[i] - cells[i].size() + 3, ' '));
  }
}

}  // namespace

std::string HumanDuration(absl::Duration duration) {
  if (duration < absl::Seconds(-1)) return "<invalid>";
  const int64_t seconds = std::max<int64_t>(0, duration / absl::Seconds(1));
  const int64_t minutes = seconds / 60, hours = seconds / 3600, days = hours / 24;
  const int64_t years = days / 365;
  const auto with = [](int64_t big, const char* unit, int64_t small, const char* small_unit) {
    return small == 0 ? StrCat(big, unit) : StrCat(big, unit, small, small_unit);
  };
  if (seconds < 120) return StrCat(seconds, "s");
  if (minutes < 10) return with(minutes, "m", seconds % 60, "s");
  if (hours < 3) return StrCat(minutes, "m");
  if (hours < 8) return with(hours, "h", minutes % 60, "m");
  if (hours < 48) return StrCat(hours, "h");
  if (days < 8) return with(days, "d", hours % 24, "h");
  if (years < 2) return StrCat(days, "d");
  if (years < 8) return with(years, "y", days % 365, "d");
  return StrCat(years, "y");
}

std::string StatusTable(const StatusReport& report, absl::Time now) {
  std::string out;
  if (report.pods.empty()) {
    out = "No pods on this node.\n";
  } else {
    std::vector<Cells> rows = {{"NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"}};
    for (const PodRow& row : report.pods) rows.push_back(CellsOf(row, now));
    std::vector<size_t> widths(rows[0].size());
    for (const Cells& row : rows) {
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      AppendRow(&out, rows[i], widths);
      const bool say_why = i > 0 && !report.pods[i - 1].ready && !report.pods[i - 1].reason.empty();
      if (say_why) StrAppend(&out, "  ", Printable(report.pods[i - 1].reason), "\n");
    }
  }
  for (const std::string& problem : report.problems)
    StrAppend(&out, "Problem: ", Printable(problem), "\n");
  return out;
}

}  // namespace cubelet::server
