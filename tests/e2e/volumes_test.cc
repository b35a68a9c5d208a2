// Volumes as the container sees them.
#include "base/strings.h"
#include "e2e/node_fixture.h"
#include "os/files.h"

namespace cubelet::e2e {
namespace {

using testing::HasSubstr;

// Each line of the answers begins with what it is about.
constexpr char kLook[] = R"sh(
answer() { echo "$@" >> /j/answers; }
answer user $(id -u):$(id -g):$(id -G | tr ' ' ,)
answer disk $(stat -c %g:%a /disk)
answer memory $(grep ' /memory ' /proc/mounts | cut -d ' ' -f 3)
answer size $(df -k /memory | tail -n 1 | awk '{print $2}')
answer name $(cat /info/name)
answer labels $(cat /info/labels)
answer limit $(cat /info/limit)
echo inner > /part/file
answer part $(cat /disk/sub/inner/file)
answer named $(ls -d /disk/volumes-e2e)
answer readonly $(touch /fixed/x 2>/dev/null && echo written || echo refused)
answer shared $(cat /host/told)
echo told > /host/answer
sleep 1000
)sh";

class VolumesTest : public NodeTest {
 protected:
  static void SetUpTestSuite() {
    StartNode({.name = "volumes", .subnet = 4});
    if (!has_node()) return;
    ASSERT_TRUE(
        os::WriteFileAtomic(JournalDirectory("volumes") + "/told", "by-the-host", 0644).ok());
    ASSERT_TRUE(node().WriteManifest("volumes", Manifest()).ok());
  }

  static std::string Manifest() {
    return StrCat(R"(apiVersion: v1
kind: Pod
metadata:
  name: volumes
  labels: {app: volumes, tier: test}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000}
  containers:
  - name: main
    image: )",
                  kBusybox, R"(
    command: [sh, -c, )",
                  JsonQuote(kLook), R"(]
    resources: {limits: {memory: 64Mi, cpu: 500m}}
    env:
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    volumeMounts:
    - {name: disk, mountPath: /disk}
    - {name: disk, mountPath: /part, subPath: sub/inner}
    - {name: disk, mountPath: /own, subPathExpr: $(POD)}
    - {name: disk, mountPath: /fixed, readOnly: true}
    - {name: memory, mountPath: /memory}
    - {name: info, mountPath: /info}
    - {name: host, mountPath: /host}
    - {name: host, mountPath: /j}
  volumes:
  - {name: disk, emptyDir: {}}
  - {name: memory, emptyDir: {medium: Memory, sizeLimit: 2Mi}}
  - {name: host, hostPath: {path: )",
                  JournalDirectory("volumes"), R"(, type: Directory}}
  - name: info
    downwardAPI:
      items:
      - {path: name, fieldRef: {fieldPath: metadata.name}}
      - {path: labels, fieldRef: {fieldPath: metadata.labels}}
      - {path: limit, resourceFieldRef: {containerName: main, resource: limits.memory}}
)");
  }

  // What the container has answered on `topic`.
  static std::string Answer(std::string_view topic) {
    const auto text = os::ReadFile(JournalDirectory("volumes") + "/answers");
    if (!text.ok()) return std::string(Message(text.status()));
    const size_t at = ("\n" + *text).find(StrCat("\n", topic, " "));
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + topic.size() + 1;
    return text->substr(begin, text->find('\n', begin) - begin);
  }
};

TEST_F(VolumesTest, AreAsSpecified) {
  ASSERT_TRUE(BecomesReady("volumes"));
  const std::string told = JournalDirectory("volumes") + "/answer";
  ASSERT_TRUE(Eventually(absl::Seconds(10), [&] { return os::ReadFile(told).ok(); }));
  EXPECT_EQ(Answer("user"), "1000:1000:1000,2000");
  EXPECT_EQ(Answer("disk"), "2000:2777");
  EXPECT_EQ(Answer("memory"), "tmpfs");
  EXPECT_EQ(Answer("size"), "2048");
  EXPECT_EQ(Answer("name"), "volumes-e2e");
  EXPECT_EQ(Answer("labels"), R"(app="volumes" tier="test")");
  EXPECT_EQ(Answer("limit"), "67108864");
  EXPECT_EQ(Answer("part"), "inner");
  EXPECT_EQ(Answer("named"), "/disk/volumes-e2e");
  EXPECT_EQ(Answer("readonly"), "refused");
  EXPECT_EQ(Answer("shared"), "by-the-host");
}

TEST_F(VolumesTest, NothingOfARemovedPodIsLeftOnDisk) {
  ASSERT_TRUE(BecomesReady("volumes"));
  const std::string directory = StrCat(node().root(), "/pods/", Row("volumes")->uid);
  EXPECT_TRUE(os::Stat(directory).ok());
  RemovePod("volumes");
  EXPECT_TRUE(BecomesGone("volumes", absl::Seconds(60)));
  EXPECT_TRUE(Eventually(absl::Seconds(20), [&] { return !os::Stat(directory).ok(); }));
  // What is the host's stays.
  EXPECT_TRUE(os::ReadFile(JournalDirectory("volumes") + "/answer").ok());
}

}  // namespace
}  // namespace cubelet::e2e
