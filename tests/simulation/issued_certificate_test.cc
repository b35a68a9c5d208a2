// Certificates that the cluster issues, against the fake API server, on virtual time.
#include "kubelet/issued_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "async/scope.h"
#include "base/strings.h"
#include "certs/signing_request.h"
#include "fakes/api_server/api.h"
#include "os/files.h"
#include "os/test_support.h"
#include "simulation/direct_client.h"

namespace cubelet::kubelet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Request = certificatesv1::CertificateSigningRequest;

constexpr char kBootstrapUser[] = "system:bootstrap:abcdef";

class IssuedCertificateTest : public testing::Test {
 protected:
  IssuedCertificateTest() { api_.signer().SetLifetime(absl::Hours(100)); }
  ~IssuedCertificateTest() override { End(); }

  void Begin(IssuedCertificateOptions options = {}) {
    options.directory = directory_.path();
    certificate_ = std::make_unique<IssuedCertificate>(*loop_, options, metrics_);
    scope_ = std::make_unique<async::TaskScope>(*loop_, "test");
    if (options.kind == &kClientCertificate) certificate_->SetWanted(certs::NodeSubject("lab"));
    ASSERT_TRUE(certificate_->Read().ok());
    certificate_->Start(*scope_, {&own_, &bootstrap_, [this] { ++changes_; },
                                  [this](absl::Status why) { hopeless_.push_back(why); }});
  }
  void End() {
    if (scope_ == nullptr) return;
    async::TaskScope ending(*loop_, "ending");
    ending.Spawn("close", scope_->Close());
    Wait(absl::Seconds(1));
    scope_.reset();
  }
  void Wait(absl::Duration time) { loop_->RunUntil(loop_->Now() + time); }

  std::vector<Request> Requests() { return api_.List<Request>(); }
  void Deny(Request request) {
    auto* condition = request.mutable_status()->add_conditions();
    condition->set_type("Denied");
    condition->set_status("True");
    condition->set_reason("NotToday");
    condition->set_message("ask the operator");
    request.mutable_metadata()->clear_resourceversion();
    ASSERT_TRUE(api_.Update(std::move(request), "status").ok());
  }
  void Approve() {
    api_.signer().SetAutoApprove(true);
    for (const Request& request : Requests())
      ASSERT_TRUE(api_.signer().Process(request.metadata().name()).ok());
  }
  // A certificate in the store that ends at `not_after`.
  void Fill(const std::string& name, absl::Time not_after) {
    const auto pair = certs::MakeTestCertificate({.common_name = name,
                                                  .organizations = {"system:nodes"},
                                                  .not_before = loop_->Now() - absl::Hours(10),
                                                  .not_after = not_after});
    ASSERT_TRUE(store_.Store(pair.CertificatePem(), pair.key.get(), loop_->Now()).ok());
  }
  std::string Scrape() { return *metrics_.Render("/metrics"); }

  os::TemporaryDirectory directory_;
  std::unique_ptr<async::Loop> loop_ =
      async::Loop::Virtual(absl::FromUnixSeconds(1'700'000'000), 1);
  fakes::FakeApi api_{*loop_};
  simulation::DirectClient own_{*loop_, api_, "system:node:lab"};
  simulation::DirectClient bootstrap_{*loop_, api_, kBootstrapUser};
  Metrics metrics_;
  certs::CertificateStore store_{directory_.path(), certs::kClientPrefix};
  std::unique_ptr<IssuedCertificate> certificate_;
  std::unique_ptr<async::TaskScope> scope_;
  int changes_ = 0;
  std::vector<absl::Status> hopeless_;
};

async::Task<void> NoteReady(IssuedCertificate* certificate, bool* ready) {
  *ready = (co_await certificate->Ready()).ok();
}

TEST_F(IssuedCertificateTest, IsAskedForWhenThereIsNone) {
  api_.signer().SetAutoApprove(false);
  Begin();
  bool ready = false;
  scope_->Spawn("ready", NoteReady(certificate_.get(), &ready));
  Wait(absl::Minutes(1));
  ASSERT_EQ(Requests().size(), 1u);
  const Request request = Requests()[0];
  EXPECT_THAT(request.metadata().name(), StartsWith("csr-"));
  EXPECT_EQ(request.spec().signername(), "kubernetes.io/kube-apiserver-client-kubelet");
  EXPECT_THAT(request.spec().usages(), testing::ElementsAre("digital signature", "client auth"));
  EXPECT_EQ(request.spec().username(), kBootstrapUser);
  EXPECT_FALSE(ready);
  EXPECT_THAT(Scrape(), HasSubstr("kubelet_certificate_manager_client_ttl_seconds +Inf"));

  Approve();
  Wait(absl::Seconds(1));
  EXPECT_TRUE(ready);
  EXPECT_EQ(changes_, 1);
  const auto current = store_.Current();
  ASSERT_TRUE(current.ok() && current->has_value());
  EXPECT_EQ((*current)->common_name, "system:node:lab");
  EXPECT_THAT((*current)->organizations, testing::ElementsAre("system:nodes"));
  EXPECT_THAT(Scrape(), HasSubstr("kubelet_certificate_manager_client_ttl_seconds 3"));
}

TEST_F(IssuedCertificateTest, IsRenewedWithItselfInTime) {
  Begin();
  Wait(absl::Hours(69));
  EXPECT_EQ(Requests().size(), 1u);
  Wait(absl::Hours(21));
  ASSERT_EQ(Requests().size(), 2u);
  EXPECT_EQ(changes_, 2);
  std::vector<std::string> users = {Requests()[0].spec().username(),
                                    Requests()[1].spec().username()};
  EXPECT_THAT(users, testing::UnorderedElementsAre(kBootstrapUser, "system:node:lab"));
  EXPECT_GT((*store_.Current())->not_after, loop_->Now() + absl::Hours(75));
  EXPECT_TRUE(hopeless_.empty());
}

TEST_F(IssuedCertificateTest, IsNotAskedForWhenThereIsAGoodOne) {
  Fill("system:node:lab", loop_->Now() + absl::Hours(100));
  Begin();
  Wait(absl::Hours(60));
  EXPECT_TRUE(Requests().empty());
  EXPECT_EQ(changes_, 0);
}

TEST_F(IssuedCertificateTest, IsAskedForAtOnceWhenItNamesAnotherNode) {
  Fill("system:node:other", loop_->Now() + absl::Hours(100));
  Begin();
  Wait(absl::Seconds(1));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ((*store_.Current())->common_name, "system:node:lab");
}

TEST_F(IssuedCertificateTest, IsAskedForAgainAfterADenial) {
  api_.signer().SetAutoApprove(false);
  Begin();
  Wait(absl::Seconds(1));
  ASSERT_EQ(Requests().size(), 1u);
  Deny(Requests()[0]);
  api_.signer().SetAutoApprove(true);
  Wait(absl::Seconds(1));
  EXPECT_EQ(changes_, 0);
  EXPECT_THAT(Scrape(), HasSubstr("kubelet_certificate_manager_client_expiration_renew_errors 1"));
  Wait(absl::Seconds(3));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(Requests().size(), 2u);
}

TEST_F(IssuedCertificateTest, IsWaitedForThroughALossOfTheConnection) {
  api_.signer().SetAutoApprove(false);
  Begin({.bootstrap = true});
  Wait(absl::Seconds(1));
  bootstrap_.SetCutOff(true);
  Wait(absl::Seconds(30));
  Approve();
  bootstrap_.SetCutOff(false);
  Wait(absl::Seconds(31));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(Requests().size(), 1u);
}

TEST_F(IssuedCertificateTest, WithoutRotationItsRequestIsFoundAgainByANewProcess) {
  api_.signer().SetAutoApprove(false);
  Begin({.rotate = false});
  Wait(absl::Seconds(1));
  ASSERT_EQ(Requests().size(), 1u);
  EXPECT_THAT(Requests()[0].metadata().name(), StartsWith("node-csr-"));
  End();
  Begin({.rotate = false});
  Wait(absl::Seconds(1));
  ASSERT_EQ(Requests().size(), 1u);
  Approve();
  Wait(absl::Seconds(1));
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(*os::Exists(directory_.path() + "/kubelet-client.key.tmp"));
  Wait(absl::Hours(200));
  EXPECT_EQ(Requests().size(), 1u);
  EXPECT_TRUE(hopeless_.empty());
}

TEST_F(IssuedCertificateTest, WithoutRotationADeniedRequestIsFollowedByAnother) {
  api_.signer().SetAutoApprove(false);
  Begin({.rotate = false});
  Wait(absl::Seconds(1));
  Deny(Requests()[0]);
  api_.signer().SetAutoApprove(true);
  Wait(absl::Seconds(4));
  EXPECT_EQ(Requests().size(), 2u);
  EXPECT_EQ(changes_, 1);
}

TEST_F(IssuedCertificateTest, TheProcessEndsWhenNoneComesThoughTheServerAnswers) {
  api_.signer().SetAutoApprove(false);
  Begin({.bootstrap = true});
  Wait(absl::Minutes(4));
  bootstrap_.SetCutOff(true);
  Wait(absl::Minutes(10));
  EXPECT_TRUE(hopeless_.empty());
  bootstrap_.SetCutOff(false);
  Wait(absl::Seconds(11));
  ASSERT_EQ(hopeless_.size(), 1u);
  EXPECT_THAT(Message(hopeless_[0]), StartsWith("no client certificate was issued for 5m0s"));
}

TEST_F(IssuedCertificateTest, TheProcessEndsAtOnceWithAnExpiredOneAndNoOtherCredentials) {
  api_.signer().SetAutoApprove(false);
  Fill("system:node:lab", loop_->Now() - absl::Hours(1));
  Begin();
  Wait(absl::Seconds(1));
  ASSERT_EQ(hopeless_.size(), 1u);
  EXPECT_THAT(Message(hopeless_[0]),
              StartsWith("the client certificate has expired at 2023-11-14"));
}

TEST_F(IssuedCertificateTest, AnExpiredOneIsReplacedWithTheBootstrapCredentials) {
  Fill("system:node:lab", loop_->Now() - absl::Hours(1));
  api_.signer().SetAutoApprove(false);
  Begin({.bootstrap = true});
  bool ready = false;
  scope_->Spawn("ready", NoteReady(certificate_.get(), &ready));
  Wait(absl::Minutes(1));
  EXPECT_FALSE(ready);  // the expired one would only be refused
  Approve();
  Wait(absl::Minutes(10));
  EXPECT_TRUE(ready);
  EXPECT_TRUE(hopeless_.empty());
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(Requests()[0].spec().username(), kBootstrapUser);
}

TEST_F(IssuedCertificateTest, OfTheServerNamesTheNodesAddressesAndFollowsThem) {
  const certs::CertificateStore store(directory_.path(), certs::kServingPrefix);
  Begin({.kind = &kServingCertificate});
  Wait(absl::Hours(1));
  EXPECT_TRUE(Requests().empty());  // nobody knows the addresses yet

  certs::Subject subject = certs::NodeSubject("lab");
  subject.dns_names = {"lab"};
  subject.ip_addresses = {"10.0.0.7", "fd00::7"};
  certificate_->SetWanted(subject);
  Wait(absl::Seconds(1));
  ASSERT_EQ(Requests().size(), 1u);
  EXPECT_EQ(Requests()[0].spec().signername(), "kubernetes.io/kubelet-serving");
  EXPECT_THAT(Requests()[0].spec().usages(),
              testing::ElementsAre("digital signature", "server auth"));
  EXPECT_THAT((*store.Current())->dns_names, testing::ElementsAre("lab"));
  EXPECT_THAT((*store.Current())->ip_addresses, testing::ElementsAre("10.0.0.7", "fd00::7"));

  subject.ip_addresses = {"10.0.0.7"};  // more names than wanted do no harm
  certificate_->SetWanted(subject);
  Wait(absl::Hours(1));
  EXPECT_EQ(Requests().size(), 1u);
  subject.ip_addresses = {"10.0.0.8"};
  certificate_->SetWanted(subject);
  Wait(absl::Seconds(1));
  EXPECT_EQ(Requests().size(), 2u);
  EXPECT_THAT((*store.Current())->ip_addresses, testing::ElementsAre("10.0.0.8"));
  EXPECT_EQ(changes_, 2);
}

}  // namespace
}  // namespace cubelet::kubelet
