#include "server/status_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "server/pod_list.h"

namespace cubelet::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2026, 11, 24, 12), absl::UTCTimeZone());

v1::Pod Pod(const std::string& yaml) {
  v1::Pod pod;
  auto value = api::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  const absl::Status status = api::FromJson(*value, pod);
  EXPECT_TRUE(status.ok()) << status;
  return pod;
}

// "<ready>/<containers> <status> <restarts>"
std::string RowOf(const std::string& spec, const std::string& status) {
  const v1::Pod pod = Pod(StrCat("{metadata: {name: web, namespace: default}, spec: ", spec,
                                 ", status: ", status, "}"));
  const PodRow row = MakePodRow(pod, pod.status(), "");
  return StrCat(row.ready_containers, "/", row.containers, " ", row.status, " ", row.restarts);
}

TEST(PodRow, SaysWhatKubectlSays) {
  const std::string one = "{containers: [{name: a}]}";
  const std::string two = "{containers: [{name: a}, {name: b}]}";
  const std::string init = "{initContainers: [{name: i}, {name: j}], containers: [{name: a}]}";
  const std::string sidecar =
      "{initContainers: [{name: s, restartPolicy: Always}], containers: [{name: a}]}";
  struct Case {
    std::string spec, status, want;
  };
  const Case cases[] = {
      {one, "{phase: Pending}", "0/1 Pending 0"},
      {one, "{phase: Failed, reason: Evicted}", "0/1 Evicted 0"},
      {one,
       "{phase: Running, containerStatuses: [{name: a, ready: true, restartCount: 2, state: "
       "{running: {}}}]}",
       "1/1 Running 2"},
      {one,
       "{phase: Running, containerStatuses: [{name: a, restartCount: 3, state: {waiting: {reason: "
       "CrashLoopBackOff}}}]}",
       "0/1 CrashLoopBackOff 3"},
      {one,
       "{phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3, reason: "
       "Error}}}]}",
       "0/1 Error 0"},
      {one, "{phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3}}}]}",
       "0/1 ExitCode:3 0"},
      {one, "{phase: Failed, containerStatuses: [{name: a, state: {terminated: {signal: 9}}}]}",
       "0/1 Signal:9 0"},
      {two,
       "{phase: Running, containerStatuses: [{name: a, state: {terminated: {reason: Completed}}}, "
       "{name: b, ready: true, state: {running: {}}}]}",
       "1/2 NotReady 0"},
      {two,
       "{phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: "
       "a, state: {terminated: {reason: Completed}}}, {name: b, ready: true, state: {running: "
       "{}}}]}",
       "1/2 Running 0"},
      {init, "{phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]}",
       "0/1 Init:0/2 0"},
      {init,
       "{phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, "
       "{name: j, state: {waiting: {reason: PodInitializing}}}]}",
       "0/1 Init:1/2 0"},
      {init,
       "{phase: Pending, initContainerStatuses: [{name: i, state: {waiting: {reason: "
       "ErrImagePull}}}]}",
       "0/1 Init:ErrImagePull 0"},
      {init,
       "{phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 1}}}]}",
       "0/1 Init:ExitCode:1 0"},
      {sidecar,
       "{phase: Running, initContainerStatuses: [{name: s, ready: true, started: true, "
       "restartCount: 1, state: {running: {}}}], containerStatuses: [{name: a, ready: true, "
       "restartCount: 2, state: {running: {}}}]}",
       "2/2 Running 3"},
      {sidecar,
       "{phase: Pending, initContainerStatuses: [{name: s, started: false, state: {running: "
       "{}}}]}",
       "0/2 Init:0/1 0"},
  };
  for (const Case& c : cases) EXPECT_EQ(RowOf(c.spec, c.status), c.want) << c.status;
}

TEST(PodRow, DeletionAndAge) {
  const v1::Pod pod = Pod(R"({metadata: {name: a, namespace: b, uid: c,
      creationTimestamp: "2026-11-24T11:00:00Z", deletionTimestamp: "2026-11-24T11:59:00Z"},
      status: {phase: Running}})");
  const PodRow row = MakePodRow(pod, pod.status(), "it is being deleted");
  EXPECT_EQ(row.status, "Terminating");
  EXPECT_EQ(row.created, kNow - absl::Hours(1));
  EXPECT_EQ(row.reason, "it is being deleted");
}

StatusReport Example() {
  StatusReport report;
  report.node = "lab";
  report.version = "0.1.0";
  report.runtime = "containerd 2.1.9";
  report.started = kNow - absl::Hours(1);
  PodRow web;
  web.name_space = "default";
  web.name = "web";
  web.uid = "u1";
  web.phase = web.status = "Running";
  web.ready = true;
  web.ready_containers = web.containers = 1;
  web.created = kNow - absl::Minutes(17);
  PodRow bad = web;
  bad.name = "crash-loop";
  bad.status = "CrashLoopBackOff";
  bad.ready = false;
  bad.ready_containers = 0;
  bad.restarts = 3;
  bad.last_restart = kNow - absl::Seconds(20);
  bad.created = absl::InfinitePast();
  bad.reason = "container \"a\" is waiting:\n\x1b[31mback-off";
  report.pods = {web, bad};
  report.problems = {"manifest /m/x.yaml: no kind"};
  return report;
}

TEST(StatusTable, ShowsPodsAndReasons) {
  EXPECT_EQ(StatusTable(Example(), kNow),
            "NAMESPACE   NAME         READY   STATUS             RESTARTS      AGE\n"
            "default     web          1/1     Running            0             17m\n"
            "default     crash-loop   0/1     CrashLoopBackOff   3 (20s ago)   <unknown>\n"
            "  container \"a\" is waiting:  [31mback-off\n"
            "Problem: manifest /m/x.yaml: no kind\n");
  EXPECT_EQ(StatusTable(StatusReport(), kNow), "No pods on this node.\n");
}

TEST(StatusJson, ComesBackAsItWent) {
  const std::string json = StatusJson(Example());
  auto report = ParseStatusJson(json);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(StatusJson(*report), json);
  EXPECT_EQ(StatusTable(*report, kNow), StatusTable(Example(), kNow));
  EXPECT_EQ(report->started, kNow - absl::Hours(1));
  EXPECT_EQ(report->pods[1].reason, Example().pods[1].reason);
}

TEST(StatusJson, OfSomethingElseIsRefused) {
  EXPECT_FALSE(ParseStatusJson("").ok());
  EXPECT_FALSE(ParseStatusJson("[]").ok());
  EXPECT_FALSE(ParseStatusJson("{\"pods\":3}").ok());
  auto odd = ParseStatusJson("{\"pods\":[1,{\"restarts\":\"x\",\"createdAt\":7}],\"problems\":2}");
  ASSERT_TRUE(odd.ok());
  EXPECT_THAT(odd->pods, SizeIs(1));
}

TEST(HumanDuration, IsKubectls) {
  struct Case {
    absl::Duration duration;
    const char* want;
  };
  const Case cases[] = {
      {absl::Seconds(-5), "<invalid>"},
      {absl::Milliseconds(-500), "0s"},
      {absl::Seconds(0), "0s"},
      {absl::Seconds(119), "119s"},
      {absl::Seconds(120), "2m"},
      {absl::Seconds(125), "2m5s"},
      {absl::Minutes(10), "10m"},
      {absl::Minutes(179), "179m"},
      {absl::Hours(3), "3h"},
      {absl::Minutes(185), "3h5m"},
      {absl::Hours(8), "8h"},
      {absl::Hours(47), "47h"},
      {absl::Hours(48), "2d"},
      {absl::Hours(52), "2d4h"},
      {absl::Hours(24 * 35), "35d"},
      {absl::Hours(24 * 365 * 2 + 24), "2y1d"},
      {absl::Hours(24 * 365 * 9), "9y"},
  };
  for (const Case& c : cases) EXPECT_EQ(HumanDuration(c.duration), c.want);
}

TEST(PodListJson, IsAPodList) {
  EXPECT_EQ(PodListJson({}),
            "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":null}\n");
  auto pod =
      std::make_shared<v1::Pod>(Pod("{metadata: {name: a}, spec: {containers: [{name: "
                                    "'c', command: ['a<b']}]}}"));
  const std::string json = PodListJson({pod, pod});
  EXPECT_THAT(json, testing::StartsWith("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":"
                                        "{},\"items\":[{\"metadata\":{\"name\":\"a\""));
  EXPECT_THAT(json, HasSubstr("a\\u003cb"));
  auto parsed = api::ParseJson(json);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
}

}  // namespace
}  // namespace cubelet::server
