#include "containers/userns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/testing.h"

namespace cubelet::containers {
namespace {

constexpr uint32_t kUnit = 65536;

UserNamespaceAllocator AllocatorOf(int slots) {
  auto allocator = UserNamespaceAllocator::Create(
      {.first = 2 * kUnit, .count = uint64_t{kUnit} * slots, .ids_per_pod = kUnit}, slots);
  EXPECT_TRUE(allocator.ok()) << allocator.status();
  return *std::move(allocator);
}

TEST(UserNamespaces, MustBeSupported) {
  NodeContext node = Node();
  node.handlers[""] = {};
  node.handlers["runc"] = {.user_namespaces = true};
  node.handlers["kata"] = {};
  const v1::Pod wanting = PodOf("hostUsers: false");
  EXPECT_TRUE(WantsUserNamespace(wanting));
  EXPECT_FALSE(WantsUserNamespace(PodOf("hostUsers: true")));
  EXPECT_FALSE(WantsUserNamespace(PodOf("{}")));
  EXPECT_EQ(ErrorOf(CheckUserNamespaceSupport(PodOf("{}"), node, "")), "");
  EXPECT_EQ(ErrorOf(CheckUserNamespaceSupport(wanting, node, "runc")), "");
  EXPECT_EQ(ErrorOf(CheckUserNamespaceSupport(wanting, node, "")),
            "can't set `spec.hostUsers: false`, runtime does not support user namespaces");
  EXPECT_EQ(ErrorOf(CheckUserNamespaceSupport(wanting, node, "kata")),
            "can't set `spec.hostUsers: false`, RuntimeClass handler \"kata\" does not support "
            "user namespaces");
  EXPECT_EQ(ErrorOf(CheckUserNamespaceSupport(wanting, node, "new")),
            "can't set `spec.hostUsers: false`, RuntimeClass handler \"new\" does not support user "
            "namespaces: the handler \"new\" is not known");
}

TEST(UserNamespaceFile, HasTheSharedForm) {
  const UserNamespace mapping{.host_id = 131072, .length = 65536};
  const std::string text = EncodeUserNamespace(mapping);
  EXPECT_EQ(text, R"({"uidMappings":[{"hostId":131072,"containerId":0,"length":65536}],)"
                  R"("gidMappings":[{"hostId":131072,"containerId":0,"length":65536}]})");
  EXPECT_EQ(*DecodeUserNamespace(text), mapping);
}

TEST(UserNamespaceFile, RefusesWhatIsNotOne) {
  const char* const cases[] = {
      "",
      "[]",
      "{}",
      R"({"uidMappings":[]})",
      R"({"uidMappings":[1],"gidMappings":[1]})",
      R"({"uidMappings":[{"hostId":1,"length":2}]})",
      R"({"uidMappings":[{"hostId":1,"length":2}],"gidMappings":[{"hostId":2,"length":2}]})",
      R"({"uidMappings":[{"hostId":-1,"length":2}],"gidMappings":[{"hostId":-1,"length":2}]})",
      R"({"uidMappings":[{"hostId":4294967296,"length":2}],"gidMappings":[]})",
      R"({"uidMappings":[{"hostId":1,"containerId":5,"length":2}],"gidMappings":[]})",
      R"({"uidMappings":[{"hostId":1,"length":0}],"gidMappings":[{"hostId":1,"length":0}]})",
      R"({"uidMappings":[{"hostId":1.5,"length":2}],"gidMappings":[{"hostId":1.5,"length":2}]})",
  };
  for (const char* text : cases)
    EXPECT_THAT(ErrorOf(DecodeUserNamespace(text)), ::testing::StartsWith("user namespace: "))
        << text;
}

TEST(UserNamespaceAllocator, GivesTheLowestFreeRange) {
  UserNamespaceAllocator allocator = AllocatorOf(3);
  EXPECT_EQ(allocator.Allocate("a")->host_id, 2 * kUnit);
  EXPECT_EQ(allocator.Allocate("b")->host_id, 3 * kUnit);
  EXPECT_EQ(allocator.Allocate("a")->host_id, 2 * kUnit);
  EXPECT_EQ(allocator.Allocate("b")->length, kUnit);
  allocator.Release("a");
  allocator.Release("never");
  EXPECT_EQ(allocator.Allocate("c")->host_id, 2 * kUnit);
  EXPECT_EQ(allocator.Allocate("d")->host_id, 4 * kUnit);
  const auto none = allocator.Allocate("e");
  EXPECT_TRUE(absl::IsResourceExhausted(none.status()));
  EXPECT_EQ(ErrorOf(none),
            "create user namespace: could not find an empty slot to allocate a user namespace");
}

TEST(UserNamespaceAllocator, TakesNoteOfWhatIsOnDisk) {
  UserNamespaceAllocator allocator = AllocatorOf(3);
  const UserNamespace middle{.host_id = 3 * kUnit, .length = kUnit};
  EXPECT_TRUE(allocator.Record("a", middle).ok());
  EXPECT_TRUE(allocator.Record("a", middle).ok());
  EXPECT_EQ(*allocator.Allocate("a"), middle);
  EXPECT_EQ(allocator.Allocate("b")->host_id, 2 * kUnit);
  EXPECT_EQ(allocator.Allocate("c")->host_id, 4 * kUnit);
  allocator.Release("c");
  EXPECT_EQ(ErrorOf(allocator.Record("c", middle)),
            "user namespace: host id 196608 is another pod's");
  EXPECT_FALSE(allocator.Record("a", {.host_id = 4 * kUnit, .length = kUnit}).ok());
  EXPECT_FALSE(allocator.Record("c", {.host_id = 4 * kUnit, .length = 1}).ok());
  EXPECT_FALSE(allocator.Record("c", {.host_id = 4 * kUnit + 1, .length = kUnit}).ok());
  EXPECT_FALSE(allocator.Record("c", {.host_id = kUnit, .length = kUnit}).ok());
  EXPECT_FALSE(allocator.Record("c", {.host_id = 5 * kUnit, .length = kUnit}).ok());
}

TEST(UserNamespaceAllocator, RefusesRangesThatDoNotServe) {
  const struct {
    UserNamespaceRange range;
    const char* error;
  } cases[] = {
      {{.first = kUnit, .count = kUnit, .ids_per_pod = 1000},
       "userNamespaces.idsPerPod 1000 is not a multiple of 65536"},
      {{.first = kUnit + 1, .count = kUnit, .ids_per_pod = kUnit},
       "kubelet user assigned ID 65537 is not a multiple of 65536"},
      {{.first = 0, .count = kUnit, .ids_per_pod = kUnit},
       "kubelet user assigned ID 0 must be greater or equal to 65536"},
      {{.first = kUnit, .count = kUnit + 1, .ids_per_pod = kUnit},
       "kubelet user assigned IDs length 65537 is not a multiple of 65536"},
      {{.first = kUnit, .count = uint64_t{1} << 32, .ids_per_pod = kUnit},
       "kubelet user assigned IDs 65536 and 4294967296 on: user ids end at 4294967296"},
      {{.first = kUnit, .count = 2 * kUnit, .ids_per_pod = kUnit},
       "kubelet user assigned IDs are not enough to support 3 pods"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ErrorOf(UserNamespaceAllocator::Create(c.range, 3)), c.error);
}

TEST(UserNamespaceAllocator, DefaultRangeLeavesTheFirstIdsToTheHost) {
  const UserNamespaceRange range = DefaultUserNamespaceRange(kUnit);
  EXPECT_EQ(range.first, kUnit);
  EXPECT_EQ(range.first + range.count, uint64_t{1} << 32);
  EXPECT_TRUE(UserNamespaceAllocator::Create(range, 500).ok());
  EXPECT_TRUE(UserNamespaceAllocator::Create(DefaultUserNamespaceRange(3 * kUnit), 500).ok());
}

}  // namespace
}  // namespace cubelet::containers
