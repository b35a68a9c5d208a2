// The fixture of all end-to-end tests: one node for all cases of a suite.
//
//   class LifeTest : public NodeTest {
//    protected:
//     static void SetUpTestSuite() { StartNode({.name = "life", .subnet = 1}); }
//   };
//
// Where there can be no node (no root, no containerd), every case is skipped with the reason.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/manifest.h"
#include "e2e/node.h"

namespace cubelet::e2e {

// What main has found out: the world of this process, or why there is none.
void SetWorld(const World& world);
void SetNoWorld(const std::string& why);

class NodeTest : public testing::Test {
 protected:
  struct Settings {
    std::string name;
    int subnet = 1;
    std::string configuration = {};
    bool start_kubelet = true;
  };
  static void StartNode(Settings settings);
  static void TearDownTestSuite();

  // Skips the case, or fails it when the node has not come up.
  void SetUp() override;
  // Adds the kubelet's log to a failed case.
  void TearDown() override;

  static Node& node() { return *node_; }
  static bool has_node() { return node_ != nullptr; }

  // ---- Pods, by the name in the manifest
  static std::string FullName(std::string_view pod) { return std::string(pod) + "-" + kNodeName; }
  // Where the pod's /j lies on the host; made, and anybody may write there.
  static std::string JournalDirectory(std::string_view pod);
  static std::vector<JournalLine> Journal(std::string_view pod);
  // Times at which the journal has `what`.
  static std::vector<absl::Duration> Noted(std::string_view pod, std::string_view what);
  // Writes the manifest of PodManifest(pod, ..., spec).
  static void AddPod(const std::string& pod, std::string_view spec);
  static void RemovePod(std::string_view pod);

  static std::optional<server::PodRow> Row(std::string_view pod);
  static bool Ready(std::string_view pod);
  // The pod's containers in the runtime, oldest first.
  static std::vector<Container> Containers(std::string_view pod);
  // Container ids of all running containers, with "<pod>/<container>/<attempt>".
  static std::map<std::string, std::string> Running();
  // Nothing of the pod is left in the runtime.
  static bool Gone(std::string_view pod);
  // What the newest instance of a container has written, as its log file has it.
  static std::string Log(std::string_view pod, std::string_view container);

  static testing::AssertionResult BecomesReady(std::string_view pod,
                                               absl::Duration limit = absl::Seconds(30));
  static testing::AssertionResult BecomesGone(std::string_view pod,
                                              absl::Duration limit = absl::Seconds(30));

 private:
  static std::unique_ptr<Node> node_;
  static std::string failure_;
};

}  // namespace cubelet::e2e
