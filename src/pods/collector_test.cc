#include "pods/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cubelet::pods {
namespace {

using pleg::ContainerRecord;
using pleg::ContainerState;
using pleg::RuntimePod;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ContainerRecord Record(std::string id, std::string name, ContainerState state,
                       std::string sandbox = "s0") {
  ContainerRecord record;
  record.id = std::move(id);
  record.name = std::move(name);
  record.state = state;
  record.sandbox_id = std::move(sandbox);
  return record;
}

pleg::SandboxRecord SandboxOf(std::string id, bool ready) {
  pleg::SandboxRecord record;
  record.id = std::move(id);
  record.ready = ready;
  return record;
}

std::vector<std::string> Ids(const Garbage& garbage) {
  std::vector<std::string> ids;
  for (const ContainerRecord& record : garbage.containers) ids.push_back(record.id);
  return ids;
}

TEST(ChooseGarbage, KeepsTheNewestDeadOfEachContainer) {
  RuntimePod pod;
  pod.containers = {
      Record("a3", "a", ContainerState::kRunning), Record("a2", "a", ContainerState::kExited),
      Record("b1", "b", ContainerState::kExited), Record("a1", "a", ContainerState::kExited)};
  EXPECT_THAT(Ids(ChooseGarbage(pod, false, 1)), ElementsAre("a1"));
  EXPECT_THAT(Ids(ChooseGarbage(pod, false, 0)), ElementsAre("a1"));  // one is kept in any case
  EXPECT_THAT(Ids(ChooseGarbage(pod, false, 2)), IsEmpty());
}

TEST(ChooseGarbage, ACreatedRecordCountsOnceItIsReplaced) {
  RuntimePod pod;
  pod.containers = {Record("a1", "a", ContainerState::kCreated)};
  EXPECT_THAT(Ids(ChooseGarbage(pod, false, 1)), IsEmpty());
  pod.containers = {Record("a3", "a", ContainerState::kRunning),
                    Record("a2", "a", ContainerState::kExited),
                    Record("a1", "a", ContainerState::kCreated)};
  EXPECT_THAT(Ids(ChooseGarbage(pod, false, 1)), ElementsAre("a1"));
}

TEST(ChooseGarbage, OldSandboxesGoUnlessReferred) {
  RuntimePod pod;
  pod.sandboxes = {SandboxOf("s2", true), SandboxOf("s1", false), SandboxOf("s0", false)};
  pod.containers = {Record("a2", "a", ContainerState::kRunning, "s2"),
                    Record("a1", "a", ContainerState::kExited, "s1")};
  EXPECT_THAT(ChooseGarbage(pod, false, 1).sandbox_ids, ElementsAre("s0"));
}

TEST(ChooseGarbage, TheNewestSandboxOfAKeptPodStays) {
  RuntimePod pod;
  pod.sandboxes = {SandboxOf("s0", false)};
  EXPECT_THAT(ChooseGarbage(pod, false, 1).sandbox_ids, IsEmpty());
  EXPECT_THAT(ChooseGarbage(pod, true, 1).sandbox_ids, ElementsAre("s0"));
}

TEST(ChooseGarbage, OfAPodThatIsGoneAllThatDoesNotRun) {
  RuntimePod pod;
  pod.sandboxes = {SandboxOf("s1", true), SandboxOf("s0", false)};
  pod.containers = {Record("a2", "a", ContainerState::kRunning, "s1"),
                    Record("a1", "a", ContainerState::kExited, "s0"),
                    Record("b1", "b", ContainerState::kCreated, "s1")};
  const Garbage garbage = ChooseGarbage(pod, true, 1);
  EXPECT_THAT(Ids(garbage), ElementsAre("a1", "b1"));
  EXPECT_THAT(garbage.sandbox_ids, ElementsAre("s0"));
}

}  // namespace
}  // namespace cubelet::pods
