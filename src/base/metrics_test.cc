#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/metric_table.h"
#include "base/strings.h"

namespace cubelet {
namespace {

using testing::HasSubstr;
using testing::Not;

// What one scrape says of a family: its type, the label names of its series (without le) and the
// bucket bounds as written.
struct Exposed {
  std::string type;
  std::set<std::string> labels;
  std::set<std::string> buckets;
};

// The labels of `line` ("name{a="b"} 1").
std::map<std::string, std::string> LabelsOf(const std::string& line) {
  std::map<std::string, std::string> labels;
  const size_t open = line.find('{');
  size_t at = open == std::string::npos ? open : open + 1;
  while (at != std::string::npos && at < line.size() && line[at] != '}') {
    const size_t equal = line.find('=', at);
    size_t end = equal + 2;
    while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
    labels[line.substr(at, equal - at)] = line.substr(equal + 2, end - equal - 2);
    at = line[end + 1] == ',' ? end + 2 : std::string::npos;
  }
  return labels;
}

std::map<std::string, Exposed> Parse(const std::string& text) {
  std::map<std::string, Exposed> families;
  std::string current;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    if (line.starts_with("# TYPE ")) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      current = words[2];
      families[current].type = words[3];
    } else if (!line.empty() && line[0] != '#') {
      for (const auto& [name, value] : LabelsOf(line)) {
        if (name == "le") {
          families[current].buckets.insert(value);
        } else {
          families[current].labels.insert(name);
        }
      }
    }
  }
  return families;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Gives every family of the table one sample with a value for each label.
void Touch(Metrics& metrics, const MetricRow& row) {
  switch (std::count(row.labels.begin(), row.labels.end(), ',') + (row.labels.empty() ? 0 : 1)) {
#define TOUCH(n, ...)                                                                    \
  case n:                                                                                \
    if (row.kind == MetricKind::kCounter) metrics.Count(row.name, {__VA_ARGS__});        \
    if (row.kind == MetricKind::kGauge) metrics.SetGauge(row.name, {__VA_ARGS__}, 1);    \
    if (row.kind == MetricKind::kHistogram) metrics.Observe(row.name, {__VA_ARGS__}, 1); \
    break;
    TOUCH(0)
    TOUCH(1, "a")
    TOUCH(2, "a", "b")
    TOUCH(3, "a", "b", "c")
    TOUCH(4, "a", "b", "c", "d")
    TOUCH(6, "a", "b", "c", "d", "e", "f")
    TOUCH(9, "a", "b", "c", "d", "e", "f", "g", "h", "i")
#undef TOUCH
    default:
      FAIL() << row.name << ": no case for as many labels";
  }
}

class MetricsTest : public testing::Test {
 protected:
  std::string Scrape(std::string_view path = "/metrics") {
    absl::StatusOr<std::string> text = metrics_.Render(path);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  Metrics metrics_;
};

// Dashboards and alerts read names, types, labels and the text of bucket bounds.
TEST_F(MetricsTest, FamiliesAreThoseOfTheGoKubelet) {
  const std::string recorded =
      ReadFile(std::string(CUBELET_SOURCE_DIR) + "/tests/golden/node/metrics.txt");
  if (recorded.empty()) GTEST_SKIP() << "tests/golden/node/metrics.txt is not there";
  const std::map<std::string, Exposed> golden = Parse(recorded);
  for (const MetricRow& row : MetricTable()) Touch(metrics_, row);
  const std::map<std::string, Exposed> ours = Parse(Scrape());
  int compared = 0;
  for (const auto& [name, family] : ours) {
    auto it = golden.find(name);
    if (it == golden.end()) continue;
    ++compared;
    EXPECT_EQ(family.type, it->second.type) << name;
    EXPECT_EQ(family.buckets, it->second.buckets) << name;
    EXPECT_EQ(family.labels, it->second.labels) << name;
  }
  EXPECT_GT(compared, 50);
}

// Families that the recording lacks because nothing had happened that they count.
TEST_F(MetricsTest, FamiliesOutsideTheRecording) {
  const std::set<std::string> known = {"kubelet_admission_rejections_total",
                                       "kubelet_cri_losing_support",
                                       "kubelet_image_pull_duration_seconds",
                                       "kubelet_run_podsandbox_errors_total",
                                       "prober_probe_total",
                                       "prober_probe_duration_seconds",
                                       "kubelet_certificate_manager_client_expiration_renew_errors",
                                       "kubelet_certificate_manager_client_ttl_seconds",
                                       "kubelet_certificate_manager_server_ttl_seconds",
                                       "kubelet_server_expiration_renew_errors",
                                       "rest_client_request_retries_total",
                                       "kubernetes_healthcheck",
                                       "kubernetes_healthchecks_total"};
  const std::string recorded =
      ReadFile(std::string(CUBELET_SOURCE_DIR) + "/tests/golden/node/metrics.txt");
  if (recorded.empty()) GTEST_SKIP() << "tests/golden/node/metrics.txt is not there";
  const std::map<std::string, Exposed> golden = Parse(recorded);
  for (const MetricRow& row : MetricTable()) {
    const std::string name(row.name);
    EXPECT_TRUE(name.starts_with("cubelet_") || golden.contains(name) || known.contains(name))
        << name << " is neither the Go kubelet's nor ours";
  }
}

TEST_F(MetricsTest, LabelledSeriesAppearWhenUsed) {
  EXPECT_THAT(Scrape(), Not(HasSubstr("kubelet_runtime_operations_total")));
  metrics_.Count("kubelet_runtime_operations_total", {"exec"});
  metrics_.Count("kubelet_runtime_operations_total", {"exec"}, 2);
  metrics_.Count("kubelet_runtime_operations_total", {"attach"}, 0);
  EXPECT_THAT(Scrape(), HasSubstr("# TYPE kubelet_runtime_operations_total counter\n"
                                  "kubelet_runtime_operations_total{operation_type=\"attach\"} 0\n"
                                  "kubelet_runtime_operations_total{operation_type=\"exec\"} 3\n"));
}

TEST_F(MetricsTest, FamiliesWithoutLabelsAreAlwaysThere) {
  EXPECT_THAT(Scrape(), HasSubstr("\nkubelet_running_pods 0\n"));
  EXPECT_THAT(Scrape(), HasSubstr("\nkubelet_pod_start_duration_seconds_count 0\n"));
  metrics_.SetGauge("kubelet_running_pods", {}, 7);
  metrics_.AddGauge("kubelet_running_pods", {}, -2);
  EXPECT_THAT(Scrape(), HasSubstr("\nkubelet_running_pods 5\n"));
}

TEST_F(MetricsTest, HistogramsAreCumulative) {
  metrics_.Observe("kubelet_containers_per_pod_count", {}, 1);
  metrics_.Observe("kubelet_containers_per_pod_count", {}, 2.5);
  metrics_.Observe("kubelet_containers_per_pod_count", {}, 100);
  EXPECT_THAT(Scrape(),
              HasSubstr("# HELP kubelet_containers_per_pod_count [ALPHA] How many containers the "
                        "pods have that were given to this kubelet.\n"
                        "# TYPE kubelet_containers_per_pod_count histogram\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"1\"} 1\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"2\"} 1\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"4\"} 2\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"8\"} 2\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"16\"} 2\n"
                        "kubelet_containers_per_pod_count_bucket{le=\"+Inf\"} 3\n"
                        "kubelet_containers_per_pod_count_sum 103.5\n"
                        "kubelet_containers_per_pod_count_count 3\n"));
}

TEST_F(MetricsTest, ProbesHaveAPathOfTheirOwn) {
  metrics_.Count("prober_probe_total", {"web", "default", "a", "uid", "Liveness", "successful"});
  EXPECT_THAT(Scrape("/metrics/probes"),
              HasSubstr("prober_probe_total{container=\"web\",namespace=\"default\",pod=\"a\","
                        "pod_uid=\"uid\",probe_type=\"Liveness\",result=\"successful\"} 1\n"));
  EXPECT_THAT(Scrape("/metrics/probes"), HasSubstr("\nprocess_start_time_seconds "));
  EXPECT_THAT(Scrape("/metrics/probes"), Not(HasSubstr("kubelet_")));
  EXPECT_THAT(Scrape(), Not(HasSubstr("prober_")));
  EXPECT_EQ(metrics_.Render("/metrics/nothing").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(MetricsTest, SeriesEndWithWhatTheyCount) {
  metrics_.Count("prober_probe_total", {"web", "default", "a", "u", "Liveness", "failed"});
  metrics_.Count("prober_probe_total", {"web", "default", "b", "v", "Liveness", "failed"});
  metrics_.Remove("prober_probe_total", {"web", "default", "a", "u", "Liveness", "failed"});
  metrics_.Remove("prober_probe_total", {"web", "default", "a", "u", "Liveness", "failed"});
  EXPECT_THAT(Scrape("/metrics/probes"), Not(HasSubstr("pod=\"a\"")));
  EXPECT_THAT(Scrape("/metrics/probes"), HasSubstr("pod=\"b\""));
  metrics_.Clear("prober_probe_total");
  EXPECT_THAT(Scrape("/metrics/probes"), Not(HasSubstr("prober_probe_total")));
}

TEST_F(MetricsTest, ResetStartsAPathAnew) {
  metrics_.Count("kubernetes_healthchecks_total", {"ping", "success", "healthz"});
  metrics_.Count("kubelet_started_pods_total");
  metrics_.Reset("/metrics/slis");
  EXPECT_THAT(Scrape("/metrics/slis"), Not(HasSubstr("ping")));
  EXPECT_THAT(Scrape(), HasSubstr("kubelet_started_pods_total 1\n"));
}

TEST_F(MetricsTest, WhatIsSetOnScrapeIsFresh) {
  int scrapes = 0;
  metrics_.OnScrape([&] { metrics_.SetGauge("cubelet_tasks", {}, ++scrapes); });
  EXPECT_EQ(scrapes, 0);
  EXPECT_THAT(Scrape(), HasSubstr("\ncubelet_tasks 1\n"));
  EXPECT_THAT(Scrape(), HasSubstr("\ncubelet_tasks 2\n"));
}

TEST_F(MetricsTest, CountersFollowATotalUpwards) {
  metrics_.SetCounter("cubelet_loop_turns_total", {}, 10);
  metrics_.SetCounter("cubelet_loop_turns_total", {}, 4);
  EXPECT_THAT(Scrape(), HasSubstr("\ncubelet_loop_turns_total 10\n"));
}

TEST_F(MetricsTest, MisuseIsABugThatChangesNothing) {
  const int before = BugCount();
  metrics_.Count("kubelet_no_such_thing");
  metrics_.Count("kubelet_running_pods");
  metrics_.Count("kubelet_runtime_operations_total");
  metrics_.Observe("kubelet_runtime_operations_total", {"exec"}, 1);
  metrics_.Remove("kubelet_no_such_thing", {});
  metrics_.Clear("kubelet_no_such_thing");
  EXPECT_EQ(BugCount(), before + 6);
  EXPECT_THAT(Scrape(), Not(HasSubstr("kubelet_no_such_thing")));
}

TEST_F(MetricsTest, HostileLabelValuesAreBounded) {
  metrics_.Count("kubelet_terminated_containers_total",
                 {"container", "1", std::string("a\"b\\c\nd\xff") + std::string(1000, 'x')});
  const std::string text = Scrape();
  EXPECT_THAT(text, HasSubstr("reason=\"a\\\"b\\\\c\\nd\xEF\xBF\xBDxxx"));
  EXPECT_THAT(text, Not(HasSubstr(std::string(300, 'x'))));
  for (size_t i = 0; i < Metrics::kMaxSeries + 10; ++i)
    metrics_.Count("kubelet_admission_rejections_total", {StrCat(i)});
  EXPECT_THAT(Scrape(), HasSubstr("cubelet_metric_series_dropped_total 10\n"));
}

TEST_F(MetricsTest, TheProcessIsMeasured) {
  const std::string text = Scrape();
  for (const char* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_max_fds", "process_start_time_seconds", "process_virtual_memory_bytes"}) {
    EXPECT_THAT(text, HasSubstr(StrCat("\n", name, " ")));
  }
  EXPECT_THAT(text, Not(HasSubstr("\nprocess_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("\nprocess_start_time_seconds 0\n")));
}

TEST(MetricValue, IsWrittenAsGoWritesIt) {
  EXPECT_EQ(FormatMetricValue(0), "0");
  EXPECT_EQ(FormatMetricValue(0.005), "0.005");
  EXPECT_EQ(FormatMetricValue(103.5), "103.5");
  EXPECT_EQ(FormatMetricValue(600000), "600000");
  EXPECT_EQ(FormatMetricValue(1e6), "1e+06");
  EXPECT_EQ(FormatMetricValue(99508224), "9.9508224e+07");
  EXPECT_EQ(FormatMetricValue(1.79547856989e9), "1.79547856989e+09");
  EXPECT_EQ(FormatMetricValue(0.00001), "1e-05");
  EXPECT_EQ(FormatMetricValue(-2.5), "-2.5");
  EXPECT_EQ(FormatMetricValue(1.0 / 0.0), "+Inf");
}

}  // namespace
}  // namespace cubelet
