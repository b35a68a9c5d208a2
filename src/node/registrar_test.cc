#include "node/registrar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "node/node_conditions.h"
#include "node/test_api_server.h"
#include "node/test_facts.h"

namespace cubelet::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kPostNode[] = "POST /api/v1/nodes\n";
constexpr char kGetNode[] = "GET /api/v1/nodes/lab\n";
constexpr char kPatchStatus[] = "PATCH /api/v1/nodes/lab/status\n";
constexpr char kGetLease[] =
    "GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/lab\n";
constexpr char kPostLease[] =
    "POST /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases\n";
constexpr char kPutLease[] =
    "PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/lab\n";

class Recorder final : public api::EventRecorder {
 public:
  void Record(const api::ObjectReference& object, api::EventType, std::string reason,
              std::string message) override {
    EXPECT_EQ(object.kind, "Node");
    EXPECT_EQ(object.name, "lab");
    EXPECT_EQ(object.uid, "");
    EXPECT_EQ(message, StrCat("Node lab status is now: ", reason));
    reasons.push_back(std::move(reason));
  }
  std::vector<std::string> reasons;
};

class RegistrarTest : public testing::Test {
 protected:
  RegistrarTest()
      : loop_(async::Loop::Virtual(TimeOf("2026-11-24T00:54:32Z"), 7)),
        server_(*loop_),
        scope_(*loop_, "test"),
        facts_(RecordedFacts()) {}
  ~RegistrarTest() override {
    scope_.CancelAll();
    Advance(absl::Seconds(1));
  }

  void Start(RegistrarOptions options = {}) {
    options.node_name = "lab";
    registrar_ = std::make_unique<Registrar>(*loop_, &server_, events_, std::move(options),
                                             [this] { return Gather(); });
    registrar_->SetOnReported([this](const NodePtr&) { ++agreed_; });
    registrar_->Start(scope_);
  }
  async::Task<NodeFacts> Gather() {
    facts_.now = loop_->Now();
    co_return facts_;
  }

  void Advance(absl::Duration time) { loop_->RunUntil(loop_->Now() + time); }

  // The Node that an earlier life of the agent has left.
  void LeaveNode() {
    server_.node = InitialNode(RecordedFacts()).node;
    server_.node->mutable_metadata()->set_uid("node-uid");
    server_.node->mutable_metadata()->set_resourceversion("0");
  }

  size_t Count(const std::string& what) const {
    return static_cast<size_t>(
        std::count(server_.asked.begin(), server_.asked.end(), what.substr(0, what.size() - 1)));
  }

  std::unique_ptr<async::Loop> loop_;
  TestApiServer server_;
  Recorder events_;
  async::TaskScope scope_;
  NodeFacts facts_;
  std::unique_ptr<Registrar> registrar_;
  int agreed_ = 0;
};

TEST_F(RegistrarTest, JoinsAtOnceAndSaysNothingTwice) {
  Start();
  Advance(absl::Milliseconds(20));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPostNode, kGetLease, kPostLease));
  EXPECT_TRUE(IsReady(server_.node->status()));
  EXPECT_EQ(server_.lease->metadata().ownerreferences(0).uid(), "node-uid");
  EXPECT_EQ(agreed_, 1);
  EXPECT_THAT(events_.reasons, ElementsAre("NodeHasSufficientMemory", "NodeHasNoDiskPressure",
                                           "NodeHasSufficientPID"));
  Advance(absl::Seconds(43));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPutLease, kPutLease, kPutLease, kPutLease));
  EXPECT_EQ(events_.reasons.size(), 3u);
}

TEST_F(RegistrarTest, TakesOverTheNodeOfAnEarlierLife) {
  LeaveNode();
  server_.lease = WantedLease(nullptr, "lab", 40, &*server_.node, absl::UnixEpoch());
  (*server_.node->mutable_metadata()->mutable_labels())["kubernetes.io/hostname"] = "old";
  loop_->RunUntil(loop_->Now() + absl::Minutes(1));
  Start();
  Advance(absl::Milliseconds(20));
  EXPECT_EQ(Count(kPostNode), 1u);
  EXPECT_EQ(Count(kGetNode), 1u);
  EXPECT_EQ(Count(kGetLease), 1u);
  EXPECT_EQ(Count(kPutLease), 1u);
  ASSERT_EQ(server_.patches.size(), 2u);
  EXPECT_EQ(server_.patches[0], R"({"metadata":{"labels":{"kubernetes.io/hostname":"lab"}}})");
  EXPECT_THAT(server_.patches[1], testing::HasSubstr("lastHeartbeatTime"));
  EXPECT_THAT(server_.patches[1], testing::Not(testing::HasSubstr("lastTransitionTime")));
}

TEST_F(RegistrarTest, HeartbeatsTellTheirTimeout) {
  LeaveNode();
  Start();
  Advance(absl::Milliseconds(20));
  for (const kube::Request& request : server_.requests) {
    const bool heartbeat =
        request.path.ends_with("/status") || request.path.ends_with("leases/lab");
    const bool told = std::count(request.query.begin(), request.query.end(),
                                 std::pair<std::string, std::string>("timeout", "10s")) == 1;
    if (heartbeat) EXPECT_TRUE(told) << request.path;
  }
}

TEST_F(RegistrarTest, RegistrationIsTriedAgain) {
  server_.cut_off = true;
  const absl::Time start = loop_->Now();
  Start();
  Advance(absl::Seconds(40));
  std::vector<absl::Duration> waits;
  absl::Time last = start;
  for (size_t i = 0; i < server_.asked.size(); ++i) {
    if (server_.asked[i] + "\n" != kPostNode) continue;
    waits.push_back(absl::Trunc(server_.times[i] - last, absl::Milliseconds(10)));
    last = server_.times[i];
  }
  const auto ms = [](int n) { return absl::Milliseconds(n); };
  EXPECT_THAT(waits, ElementsAre(ms(0), ms(100), ms(200), ms(400), ms(800), ms(1600), ms(3200),
                                 ms(6400), ms(7000), ms(7000), ms(7000)));
  server_.cut_off = false;
  Advance(absl::Seconds(8));
  EXPECT_TRUE(server_.node.has_value());
  EXPECT_TRUE(server_.lease.has_value());
}

TEST_F(RegistrarTest, OneThatMayNotCreateNodesTakesItsOwn) {
  server_.refusals = {{"POST /api/v1/nodes", 403}, {"POST /api/v1/nodes", 403}};
  Start();
  Advance(absl::Milliseconds(20));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPostNode, kGetNode));
  LeaveNode();
  Advance(absl::Milliseconds(120));
  EXPECT_EQ(Count(kPostNode), 1u);
  EXPECT_EQ(Count(kGetNode), 1u);
  EXPECT_NE(registrar_->node(), nullptr);
}

TEST_F(RegistrarTest, ReadinessIsToldAtOnce) {
  facts_.problems = {"container runtime network not ready: x"};
  Start();
  Advance(absl::Seconds(3));
  EXPECT_FALSE(IsReady(server_.node->status()));
  facts_.problems.clear();
  registrar_->Wake();
  Advance(absl::Milliseconds(5));
  EXPECT_TRUE(IsReady(server_.node->status()));
  EXPECT_EQ(events_.reasons.back(), "NodeReady");
  EXPECT_EQ(server_.patches.size(), 1u);
}

TEST_F(RegistrarTest, AChangeThatNobodyAnnouncesIsToldAtTheNextRound) {
  Start();
  Advance(absl::Seconds(1));
  facts_.memory_pressure = true;
  Advance(absl::Seconds(11));
  EXPECT_EQ(server_.patches.size(), 1u);
  EXPECT_EQ(events_.reasons.back(), "NodeHasInsufficientMemory");
}

TEST_F(RegistrarTest, UnchangedStatusIsReportedEveryFiveMinutes) {
  Start();
  Advance(absl::Minutes(61));
  // Rounds are up to 10.4 s apart, so that a report is as late as that.
  EXPECT_THAT(server_.patches.size(), testing::AllOf(testing::Ge(11u), testing::Le(12u)));
  EXPECT_EQ(Count(kGetNode), 0u);
  EXPECT_EQ(Count(kPostNode), 1u);
}

TEST_F(RegistrarTest, SurvivesAnOutage) {
  Start();
  Advance(absl::Seconds(1));
  server_.TakeAsked();
  server_.cut_off = true;
  facts_.problems = {"container runtime is down"};
  registrar_->Wake();
  Advance(absl::Milliseconds(50));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPatchStatus, kGetNode, kGetNode, kGetNode, kGetNode));
  EXPECT_EQ(server_.retired, 4);
  EXPECT_THAT(events_.reasons, testing::SizeIs(3));  // what was not reported is not told
  Advance(absl::Minutes(1));
  server_.cut_off = false;
  server_.TakeAsked();
  Advance(absl::Seconds(11));
  EXPECT_FALSE(IsReady(server_.node->status()));
  EXPECT_EQ(events_.reasons.back(), "NodeNotReady");
  EXPECT_EQ(Count(kPatchStatus), 1u);
  EXPECT_GE(Count(kPutLease), 1u);
}

TEST_F(RegistrarTest, ADeletedNodeIsNotMadeAgain) {
  Start();
  Advance(absl::Seconds(1));
  server_.node.reset();
  registrar_->ServerHas(nullptr);
  server_.TakeAsked();
  Advance(absl::Seconds(10.5));
  EXPECT_EQ(Count(kPostNode), 0u);
  EXPECT_EQ(Count(kGetNode), 2u);
  EXPECT_EQ(Count(kPutLease), 1u);
  EXPECT_EQ(registrar_->node(), nullptr);
}

TEST_F(RegistrarTest, WithoutRegistrationTheNodeIsWaitedFor) {
  RegistrarOptions options;
  options.register_node = false;
  Start(options);
  Advance(absl::Seconds(12));
  EXPECT_EQ(Count(kPostNode), 0u);
  EXPECT_FALSE(server_.lease.has_value());
  LeaveNode();
  Advance(absl::Seconds(12));
  EXPECT_EQ(server_.patches.size(), 1u);
  EXPECT_TRUE(server_.lease.has_value());
}

TEST_F(RegistrarTest, TheWatchBringsWhatOthersChange) {
  Start();
  Advance(absl::Seconds(1));
  auto cordoned = std::make_shared<v1::Node>(*server_.node);
  cordoned->mutable_metadata()->set_resourceversion("50");
  cordoned->mutable_spec()->set_unschedulable(true);
  registrar_->ServerHas(cordoned);
  registrar_->Wake();
  Advance(absl::Milliseconds(20));
  EXPECT_EQ(events_.reasons.back(), "NodeNotSchedulable");
  EXPECT_THAT(server_.patches, IsEmpty());
  auto older = std::make_shared<v1::Node>(*server_.node);
  older->mutable_metadata()->set_resourceversion("7");
  registrar_->ServerHas(older);
  EXPECT_EQ(registrar_->node(), cordoned);
}

TEST_F(RegistrarTest, TheLeaseIsTakenAnewWhenSomebodyElseWroteOrDeletedIt) {
  Start();
  Advance(absl::Seconds(1));
  server_.lease->mutable_metadata()->set_resourceversion("77");
  server_.TakeAsked();
  Advance(absl::Seconds(10.5));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPutLease, kGetLease, kPutLease));
  server_.lease.reset();
  Advance(absl::Seconds(10.5));
  EXPECT_EQ(server_.TakeAsked(), StrCat(kPutLease, kGetLease, kPostLease));
  EXPECT_EQ(server_.retired, 0);
}

TEST_F(RegistrarTest, TheLeaseIsRenewedThoughTheNodeCannotRegister) {
  LeaveNode();
  server_.lease = WantedLease(nullptr, "lab", 40, &*server_.node, absl::UnixEpoch());
  for (int i = 0; i < 20; ++i) server_.refusals.emplace_back("POST /api/v1/nodes", 500);
  Start();
  Advance(absl::Seconds(11));
  EXPECT_EQ(Count(kPutLease), 1u);
}

TEST_F(RegistrarTest, LeaseRequestsThatFailAreRetriedSoon) {
  Start();
  Advance(absl::Seconds(1));
  server_.cut_off = true;
  server_.TakeAsked();
  Advance(absl::Seconds(10.5));
  EXPECT_GE(Count(kPutLease), 5u);
  EXPECT_GE(server_.retired, 4);
  server_.cut_off = false;
  server_.TakeAsked();
  Advance(absl::Seconds(2));
  EXPECT_EQ(Count(kPutLease), 1u);
}

}  // namespace
}  // namespace cubelet::node
