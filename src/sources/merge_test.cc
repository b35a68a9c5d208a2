#include "sources/merge.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/pod.h"

namespace cubelet::sources {
namespace {

const absl::Time kNow = absl::FromUnixNanos(1'800'000'000'123'456'789);

using Edit = std::function<void(v1::Pod&)>;

PodPtr Pod(const std::string& name, const std::string& uid, const Edit& edit = nullptr) {
  auto pod = std::make_shared<v1::Pod>();
  pod->mutable_metadata()->set_name(name);
  pod->mutable_metadata()->set_namespace_("ns");
  pod->mutable_metadata()->set_uid(uid);
  pod->mutable_spec()->add_containers()->set_name("c");
  pod->mutable_status()->set_phase("Pending");
  if (edit) edit(*pod);
  return pod;
}

std::string Summary(const Changes& changes) {
  std::string text;
  const auto add = [&text](const char* what, const std::vector<PodPtr>& pods) {
    for (const PodPtr& pod : pods) text += std::string(what) + ":" + pod->metadata().uid() + " ";
  };
  add("REMOVE", changes.removed);
  add("ADD", changes.added);
  add("UPDATE", changes.updated);
  add("DELETE", changes.deleted);
  add("RECONCILE", changes.reconciled);
  return text;
}

// 1.6.2 to 1.6.4
TEST(MergeTest, Table) {
  struct Case {
    const char* what;
    Edit edit;
    std::string want;
  };
  const Case cases[] = {
      {"nothing", [](v1::Pod&) {}, ""},
      {"spec", [](v1::Pod& pod) { pod.mutable_spec()->set_hostnetwork(true); }, "UPDATE:1 "},
      {"labels", [](v1::Pod& pod) { (*pod.mutable_metadata()->mutable_labels())["a"] = "b"; },
       "UPDATE:1 "},
      {"annotations",
       [](v1::Pod& pod) { (*pod.mutable_metadata()->mutable_annotations())["a"] = "b"; },
       "UPDATE:1 "},
      {"local annotations",
       [](v1::Pod& pod) {
         auto& annotations = *pod.mutable_metadata()->mutable_annotations();
         annotations[api::kConfigSeenAnnotation] = "x";
         annotations[api::kConfigSourceAnnotation] = "y";
         annotations[api::kConfigMirrorAnnotation] = "z";
       },
       ""},
      {"status", [](v1::Pod& pod) { pod.mutable_status()->set_phase("Running"); }, "RECONCILE:1 "},
      {"deletion",
       [](v1::Pod& pod) { pod.mutable_metadata()->mutable_deletiontimestamp()->set_seconds(5); },
       "DELETE:1 "},
      {"grace period",
       [](v1::Pod& pod) { pod.mutable_metadata()->set_deletiongraceperiodseconds(5); },
       "UPDATE:1 "},
      {"generation alone", [](v1::Pod& pod) { pod.mutable_metadata()->set_generation(2); }, ""},
  };
  const Changes first = Merge("api", {}, {Pod("p", "1")}, kNow);
  EXPECT_EQ(Summary(first), "ADD:1 ");
  for (const Case& c : cases) {
    const Changes next = Merge("api", first.known, {Pod("p", "1", c.edit)}, kNow + absl::Hours(1));
    EXPECT_EQ(Summary(next), c.want) << c.what;
    const v1::Pod& known = *next.known.at("1").pod;
    EXPECT_EQ(*api::FindAnnotation(known, api::kConfigSourceAnnotation), "api") << c.what;
    EXPECT_EQ(*api::FindAnnotation(known, api::kConfigSeenAnnotation),
              *api::FindAnnotation(*first.known.at("1").pod, api::kConfigSeenAnnotation))
        << c.what;
    EXPECT_FALSE(api::IsMirror(known));
    if (c.want.empty())
      EXPECT_EQ(next.known.at("1").pod, first.known.at("1").pod) << "the same object";
  }
}

// 1.6.3
TEST(MergeTest, RemovedAndReplaced) {
  const Changes first = Merge("file", {}, {Pod("a", "1"), Pod("b", "2")}, kNow);
  const Changes next = Merge("file", first.known, {Pod("a", "3")}, kNow);
  EXPECT_EQ(Summary(next), "REMOVE:1 REMOVE:2 ADD:3 ");
  EXPECT_EQ(next.known.size(), 1U);
  const Changes none = Merge("file", next.known, {}, kNow);
  EXPECT_EQ(Summary(none), "REMOVE:3 ");
  EXPECT_TRUE(Merge("file", none.known, {}, kNow).empty());
}

// 1.6.1
TEST(MergeTest, Duplicates) {
  const Changes changes =
      Merge("http", {}, {Pod("a", "1"), Pod("a", "2"), Pod("b", "1"), Pod("b", "3")}, kNow);
  EXPECT_EQ(Summary(changes), "ADD:1 ");
  ASSERT_EQ(changes.duplicates.size(), 3U);
  EXPECT_EQ(changes.duplicates[0].message,
            "Error validating pod a_ns(2) from http due to duplicate pod name \"a\", ignoring");
}

// 1.1.2, 1.1.3
TEST(MergeTest, FirstSeen) {
  const Changes changes = Merge("file", {}, {Pod("a", "1")}, kNow);
  const std::string& seen = *api::FindAnnotation(*changes.added[0], api::kConfigSeenAnnotation);
  absl::Time parsed;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, seen, &parsed, &error)) << seen << error;
  EXPECT_EQ(parsed, kNow);
  EXPECT_NE(seen.find(".123456789"), std::string::npos) << seen;
  const Changes whole = Merge("file", {}, {Pod("a", "1")}, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_NE(api::FindAnnotation(*whole.added[0], api::kConfigSeenAnnotation)->find(".000000000"),
            std::string::npos);
  EXPECT_TRUE(api::IsStatic(*changes.added[0]));
}

}  // namespace
}  // namespace cubelet::sources
