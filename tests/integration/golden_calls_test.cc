// Recorded truth for the whole agent: what it asks of the runtime over the life of a pod, in which
// order and in which words, and what events it tells, equal what the Go kubelet did with the same
// pod (tests/golden).
#include "integration/recorded_life.h"
//
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/strings.h"
#include "containers/golden.h"
#include "node/admission_sysctls.h"
#include "probes/fake_server.h"
#include "simulation/sim_node.h"

namespace cubelet::integration {
namespace {

using simulation::SimNode;

struct Life {
  friend void PrintTo(const Life& life, std::ostream* out) { *out << life.folder; }
  const char* folder;
  // It ends without anybody removing it: its containers have ended, or its time is over.
  bool ends_itself = false;
  // Its end begins with a hook in a container.
  bool has_pre_stop = false;
  // A container cannot be started. When it is tried again is each kubelet's own matter; so many
  // calls are the first try.
  size_t first_try = 0;
};

// Not here are pods that need an API server, which a static pod may not: 04-env (ConfigMap,
// Secret), 05-volumes (ConfigMap, Secret, token) and 18-missing-config (ConfigMap). They are held
// against the recordings in golden_api_test.cc and, request by request, in
// src/containers/golden_test.cc.
const char* const kNotStatic[] = {"04-env", "05-volumes", "18-missing-config"};

const Life kLives[] = {
    {"01-minimal"},
    {"02-resources-burstable"},
    {"03-guaranteed"},
    {"06-init-and-sidecar"},
    {"07-security"},
    {"08-privileged-hostnet"},
    {"09-dns-hosts"},
    {"10-ports"},
    {.folder = "11-hooks-term", .has_pre_stop = true},
    {"12-crash"},
    {.folder = "13-job-style", .ends_itself = true},
    {.folder = "14-never-fail", .ends_itself = true},
    {"15-probes"},
    {.folder = "16-image-missing", .first_try = 4},
    {.folder = "17-deadline", .ends_itself = true},
    {.folder = "19-nonroot-violation", .first_try = 3},
    {"20-userns-shareprocess"},
};

constexpr char kImage[] = "docker.io/library/busybox:latest";

// The first instance fails, which the simulator cannot read from the script (13-job-style). The
// second runs for a moment: the removal of the first and the end of the pod, which are concurrent
// on the Go kubelet, then come one after the other.
std::optional<fakes::Process> OnceBad(const criv1::ContainerConfig& config) {
  if (config.metadata().name() != "once-bad") return std::nullopt;
  fakes::Process process;
  process.runs_for = absl::ZeroDuration();
  process.exit_code = config.metadata().attempt() == 0 ? 1 : 0;
  return process;
}

async::Task<void> CloseScope(async::TaskScope* scope, bool* closed) {
  co_await scope->Close();
  *closed = true;
}

class GoldenCalls : public ::testing::TestWithParam<Life> {
 protected:
  GoldenCalls() : life_(GetParam().folder) {}
  void SetUp() override;
  void TearDown() override {
    if (HasFailure()) std::cout << node_->Diagnosis(60);
    if (!web_scope_) return;
    async::TaskScope closing(node_->loop(), "closing");
    bool closed = false;
    closing.Spawn("close", CloseScope(web_scope_.get(), &closed));
    ASSERT_TRUE(node_->RunUntil([&] { return closed && closing.size() == 0; }));
  }

  const std::vector<RecordedCall>& ours() const { return recorder_->calls(); }
  std::string static_name() const { return life_.pod_name() + "-sim"; }

  void Live();
  void ServeProbes();
  std::vector<RecordedCall> Expected() const;
  std::map<std::string, std::string> NamesOfOurs() const;

  RecordedLife life_;
  std::unique_ptr<RecordingRuntime> recorder_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<async::TaskScope> web_scope_;
  std::unique_ptr<probes::FakeServer> web_;
};

void GoldenCalls::SetUp() {
  SimNode::Options options;
  // About what containerd took.
  options.runtime.run_sandbox_takes = absl::Milliseconds(150);
  options.runtime.create_takes = absl::Milliseconds(12);
  options.runtime.start_takes = absl::Milliseconds(60);
  options.runtime.stop_sandbox_takes = absl::Milliseconds(100);
  // Addresses that probes of the test can reach.
  options.runtime.pod_network = "127.88.0.0/16";
  options.configure = [](kubelet::AgentSettings& settings) {
    settings.node = containers::RecordedNode();
    settings.node.paths = settings.paths.get();
    auto sysctls = node::SysctlAllowlist::Make("6.1.0", {});
    ASSERT_TRUE(sysctls.ok()) << sysctls.status();
    settings.sysctls = std::make_shared<const node::SysctlAllowlist>(*std::move(sysctls));
  };
  options.wrap = [this](const kubelet::Seams& seams) {
    recorder_ = std::make_unique<RecordingRuntime>(seams.runtime, seams.images);
    return kubelet::Seams{*recorder_,    *recorder_,   seams.mounter,
                          seams.cgroups, seams.events, seams.metrics};
  };
  node_ = std::make_unique<SimNode>(std::move(options));
  node_->runtime().image_store().Add(kImage);
  node_->runtime().SetProcesses(
      [](const criv1::ContainerConfig& config, const std::string&) { return OnceBad(config); });
  if (!life_.PullError().empty()) {
    fakes::PullOutcome missing;
    missing.error = absl::NotFoundError(life_.PullError());
    node_->runtime().image_store().SetOtherPulls(missing);
  }
  node_->StartAgent();
  kubelet::RuntimeFacts facts;
  facts.name = "sim";
  facts.supplemental_groups_policy = true;
  node_->agent().SetRuntimeFacts(facts);
}

// The page that the container "web" of 15-probes serves, as soon as the pod has an address.
void GoldenCalls::ServeProbes() {
  ASSERT_TRUE(node_->RunUntil([&] { return !node_->runtime().sandboxes().empty(); }));
  const std::string ip = node_->runtime().sandboxes().begin()->second.ip;
  web_scope_ = std::make_unique<async::TaskScope>(node_->loop(), "web");
  web_ = std::make_unique<probes::FakeServer>(
      node_->loop(), *web_scope_,
      [](const std::string&) {
        return probes::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
      },
      false, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address(ip), 8080));
}

// From the manifest to the last remains, as far as the recording goes.
void GoldenCalls::Live() {
  const Life life = GetParam();
  node_->WriteManifest("pod.json", life_.Manifest());
  if (life_.pod_name() == "probes") ServeProbes();
  const auto count = [&](std::string_view method) {
    return std::count_if(ours().begin(), ours().end(),
                         [&](const RecordedCall& call) { return call.method == method; });
  };
  if (life.first_try > 0) {
    const auto pulls =
        std::count_if(life_.calls().begin(), life_.calls().end(),
                      [](const RecordedCall& call) { return call.method == "PullImage"; });
    EXPECT_TRUE(node_->RunUntil(
        [&] { return ours().size() >= 2 * life.first_try && count("PullImage") >= pulls; }));
  } else {
    size_t calls = life.ends_itself ? life_.calls().size() : life_.CallsBeforeEnd();
    if (life.has_pre_stop) --calls;
    EXPECT_TRUE(node_->RunUntil([&] { return ours().size() >= calls; }));
  }
  node_->Run(absl::Milliseconds(500));
  node_->RemoveManifest("pod.json");
  EXPECT_TRUE(node_->RunUntil(
      [&] { return !node_->FindPod(life_.pod_name()) && node_->runtime().sandboxes().empty(); }));
  EXPECT_TRUE(node_->runtime().containers().empty());
}

// The recorded calls as ours should be.
std::vector<RecordedCall> GoldenCalls::Expected() const {
  Substitution substitution = MakeSubstitution(life_, ours(), static_name());
  substitution.directories = {{"/var/lib/kubelet", node_->paths().root()},
                              {"/var/log/pods", node_->paths().pod_logs()}};
  std::vector<RecordedCall> expected;
  for (const RecordedCall& call : life_.calls()) {
    RecordedCall copy = call;
    copy.request.reset(call.request->New());
    copy.request->CopyFrom(*call.request);
    Substitute(substitution, call.id, *copy.request);
    expected.push_back(std::move(copy));
  }
  return expected;
}

std::map<std::string, std::string> GoldenCalls::NamesOfOurs() const {
  std::map<std::string, std::string> names;
  for (const RecordedCall& call : ours()) {
    if (call.method != "CreateContainer") continue;
    const auto& metadata =
        static_cast<const criv1::CreateContainerRequest&>(*call.request).config().metadata();
    names[call.id] = StrCat(metadata.name(), " ", metadata.attempt());
  }
  return names;
}

struct DescribedCall {
  std::string text;
  const RecordedCall* call;
};

// Containers of a pod are stopped at the same time, and the dead have no order: what stands side by
// side is sorted.
std::vector<DescribedCall> Described(const std::vector<RecordedCall>& calls,
                                     const std::map<std::string, std::string>& names) {
  std::vector<DescribedCall> described;
  for (const RecordedCall& call : calls) described.push_back({Describe(call, names), &call});
  for (size_t begin = 0; begin < described.size();) {
    const std::string& method = described[begin].call->method;
    size_t end = begin + 1;
    while (end < described.size() && described[end].call->method == method) ++end;
    if (method == "StopContainer" || method == "RemoveContainer")
      std::sort(described.begin() + static_cast<ptrdiff_t>(begin),
                described.begin() + static_cast<ptrdiff_t>(end),
                [](const auto& a, const auto& b) { return a.text < b.text; });
    begin = end;
  }
  return described;
}

// When the last container has ended, an instance before it becomes superfluous and the pod ends:
// two things that happen side by side. The removal is put first.
void PutRemovalsFirst(std::vector<DescribedCall>& calls) {
  for (size_t i = 0; i + 1 < calls.size(); ++i) {
    if (calls[i].call->method == "StopPodSandbox" && calls[i + 1].call->method == "RemoveContainer")
      std::swap(calls[i], calls[i + 1]);
  }
}

std::vector<std::string> Texts(const std::vector<DescribedCall>& calls, size_t limit) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::min(calls.size(), limit); ++i) texts.push_back(calls[i].text);
  return texts;
}

TEST_P(GoldenCalls, AreTheRecordedOnesInTheirOrder) {
  Live();
  const std::vector<RecordedCall> expected = Expected();
  const std::map<std::string, std::string> names = NamesOfOurs();
  std::vector<DescribedCall> want = Described(expected, names);
  std::vector<DescribedCall> got = Described(ours(), names);
  if (GetParam().ends_itself) {
    PutRemovalsFirst(want);
    PutRemovalsFirst(got);
  }
  const size_t compared = GetParam().first_try > 0 ? GetParam().first_try : want.size();
  ASSERT_EQ(absl::StrJoin(Texts(want, compared), "\n"), absl::StrJoin(Texts(got, compared), "\n"))
      << "all of ours:\n"
      << absl::StrJoin(Texts(got, got.size()), "\n");
  for (size_t i = 0; i < compared; ++i)
    EXPECT_EQ(containers::Difference(*want[i].call->request, *got[i].call->request), "")
        << want[i].text;
  // The recordings end before everything is cleared away.
  const std::set<std::string> remains = {"StopPodSandbox", "RemoveContainer", "RemovePodSandbox"};
  if (GetParam().first_try > 0) return;
  for (size_t i = compared; i < got.size(); ++i)
    EXPECT_TRUE(remains.contains(got[i].call->method)) << got[i].text;
}

// As Kubernetes counts them: what is equal is one event, at the place of the first.
std::vector<RecordedEvent> Counted(const std::vector<simulation::RecordedEvents::Event>& events) {
  std::vector<RecordedEvent> counted;
  for (const auto& event : events) {
    const std::string type = event.warning ? "Warning" : "Normal";
    const auto same = std::find_if(counted.begin(), counted.end(), [&](const RecordedEvent& other) {
      return other.field_path == event.field_path && other.type == type &&
             other.reason == event.reason && other.message == event.message;
    });
    if (same != counted.end()) {
      ++same->count;
    } else {
      counted.push_back({event.field_path, type, event.reason, event.message});
    }
  }
  return counted;
}

// How often a start is tried again, and how often a probe is told, depend on each kubelet's clock.
std::string TextOf(const RecordedEvent& event, bool with_starts) {
  const std::set<std::string> exact = {"Created", "Started", "Killing", "Pulled"};
  const bool counts = with_starts && exact.contains(event.reason);
  return StrCat(event.type, " ", event.reason, " ", event.field_path, ": ", event.message,
                counts ? StrCat(" x", event.count) : "");
}

TEST_P(GoldenCalls, EventsAreTheRecordedOnesInTheirOrder) {
  Live();
  const bool with_starts = GetParam().first_try == 0;
  // A static pod has a name and an address of its own.
  std::vector<std::pair<std::string, std::string>> replace = {
      {StrCat(life_.pod_name(), "_golden("), StrCat(static_name(), "_golden(")}};
  const auto recorded_ip =
      containers::ReadJson(StrCat(containers::kGolden, GetParam().folder, "/pod.json"));
  if (const auto* ip = recorded_ip.at("status").as_object().if_contains("podIP"))
    replace.emplace_back(std::string(ip->as_string()), "127.88.0.2");
  std::vector<std::string> want;
  for (RecordedEvent event : life_.events()) {
    event.message = absl::StrReplaceAll(event.message, replace);
    want.push_back(TextOf(event, with_starts));
  }
  std::vector<std::string> got;
  for (const RecordedEvent& event : Counted(node_->events().events))
    got.push_back(TextOf(event, with_starts));
  EXPECT_EQ(absl::StrJoin(want, "\n"), absl::StrJoin(got, "\n"));
}

INSTANTIATE_TEST_SUITE_P(Pods, GoldenCalls, ::testing::ValuesIn(kLives), [](const auto& info) {
  return absl::StrReplaceAll(info.param.folder, {{"-", "_"}});
});

TEST(GoldenCallsCoverage, EveryRecordingIsHereOrCannotBe) {
  std::set<std::string> known(std::begin(kNotStatic), std::end(kNotStatic));
  for (const Life& life : kLives) known.insert(life.folder);
  const std::vector<std::string> folders = containers::Folders();
  EXPECT_EQ(known, std::set<std::string>(folders.begin(), folders.end()));
}

// What keeps a recording out of the list above is the manifest itself.
TEST(GoldenCallsCoverage, TheOthersAreRefusedAsStaticPods) {
  SimNode node({});
  for (const char* folder : kNotStatic) {
    std::string text = containers::ReadFile(StrCat(containers::kGolden, folder, "/pod.yaml"));
    const size_t last = text.rfind("---\n");
    if (last != std::string::npos) text.erase(0, last + 4);
    const auto pod = node.ParseManifest("pod.yaml", text);
    ASSERT_FALSE(pod.ok()) << folder;
    EXPECT_THAT(std::string(pod.status().message()),
                ::testing::AnyOf(::testing::HasSubstr("static pods may not reference"),
                                 ::testing::HasSubstr("serviceAccountToken: Forbidden")));
  }
}

}  // namespace
}  // namespace cubelet::integration
