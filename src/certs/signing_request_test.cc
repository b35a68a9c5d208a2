#include "certs/signing_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "certs/certificate_store.h"
#include "certs/key.h"
#include "certs/test_pki.h"
#include "os/files.h"
#include "os/test_support.h"

namespace cubelet::certs {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

CertificateFacts LabFacts() {
  CertificateFacts facts;
  facts.common_name = "system:node:lab";
  facts.organizations = {"system:nodes"};
  facts.not_before = kNow;
  facts.not_after = kNow + absl::Hours(100);
  return facts;
}

TEST(SigningRequest, NamesTheNodeAndItsKey) {
  const KeyPtr key = *NewEcKey();
  const std::string pem = *MakeSigningRequest(key.get(), NodeSubject("lab"));
  EXPECT_THAT(pem, StartsWith("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_TRUE(CheckSigningRequest(pem, key.get(), NodeSubject("lab")).ok());
  EXPECT_THAT(Message(CheckSigningRequest(pem, key.get(), NodeSubject("other"))),
              HasSubstr("it is for \"system:node:lab\""));
  EXPECT_EQ(Message(CheckSigningRequest(pem, NewEcKey()->get(), NodeSubject("lab"))),
            "it is for another key");
  EXPECT_FALSE(CheckSigningRequest("nonsense", key.get(), NodeSubject("lab")).ok());
}

TEST(SigningRequest, HasANameThatIsFoundAgain) {
  const KeyPtr key = *NewEcKey();
  const std::string name = *SigningRequestName(key.get(), NodeSubject("lab"), ClientUsages());
  EXPECT_THAT(name, ::testing::MatchesRegex("node-csr-[-_A-Za-z0-9]{43}"));
  EXPECT_EQ(*SigningRequestName(key.get(), NodeSubject("lab"), ClientUsages()), name);
  EXPECT_NE(*SigningRequestName(key.get(), NodeSubject("lab2"), ClientUsages()), name);
  EXPECT_NE(*SigningRequestName(key.get(), NodeSubject("lab"), {}), name);
  EXPECT_NE(*SigningRequestName(NewEcKey()->get(), NodeSubject("lab"), ClientUsages()), name);
}

TEST(Certificate, ServesUntilItExpires) {
  const Subject lab = NodeSubject("lab");
  EXPECT_EQ(WhyUnfit(LabFacts(), lab, kNow), "");
  EXPECT_EQ(WhyUnfit(LabFacts(), lab, kNow + absl::Hours(100)), "it has expired");
  EXPECT_EQ(WhyUnfit(LabFacts(), NodeSubject("b"), kNow), "it is not for system:node:b");
  CertificateFacts facts = LabFacts();
  facts.organizations = {"others"};
  EXPECT_EQ(WhyUnfit(facts, lab, kNow), "it does not name the group system:nodes");
  facts.organizations = {"others", "system:nodes"};
  EXPECT_EQ(WhyUnfit(facts, lab, kNow), "");
}

TEST(Certificate, HasToNameAllThatIsWanted) {
  CertificateFacts facts = LabFacts();
  facts.dns_names = {"lab", "more"};
  facts.ip_addresses = {"10.0.0.7", "fd00::7"};
  Subject wanted = NodeSubject("lab");
  wanted.dns_names = {"lab"};
  wanted.ip_addresses = {"fd00:0::7"};
  EXPECT_EQ(WhyUnfit(facts, wanted, kNow), "");
  wanted.ip_addresses = {"10.0.0.8"};
  EXPECT_EQ(WhyUnfit(facts, wanted, kNow), "it is not for 10.0.0.8");
  wanted.dns_names = {"other"};
  EXPECT_EQ(WhyUnfit(facts, wanted, kNow), "it is not for other");
}

TEST(SigningRequest, RefusesAnAddressThatIsNone) {
  Subject subject = NodeSubject("lab");
  subject.ip_addresses = {"nonsense"};
  EXPECT_THAT(Message(MakeSigningRequest(NewEcKey()->get(), subject).status()),
              HasSubstr("\"nonsense\" is not an IP address"));
}

TEST(Certificate, IsRenewedBeforeItExpires) {
  EXPECT_EQ(RotationTime(LabFacts(), 0), kNow + absl::Hours(70));
  EXPECT_NEAR(absl::ToDoubleHours(RotationTime(LabFacts(), 0.5) - kNow), 80, 1e-6);
  EXPECT_LT(RotationTime(LabFacts(), 0.999999), kNow + absl::Hours(90));
}

class StoreTest : public testing::Test {
 protected:
  TestCertificate Pair(const std::string& name) {
    return MakeTestCertificate({.common_name = name, .organizations = {"system:nodes"}});
  }
  std::string In(const std::string& name) { return os::JoinPath(directory_.path(), name); }

  os::TemporaryDirectory directory_;
  CertificateStore store_{directory_.path(), "kubelet-client"};
};

TEST_F(StoreTest, KeepsThePairWithTheNamesOfTheGoKubelet) {
  EXPECT_EQ(*store_.Current(), std::nullopt);
  const TestCertificate pair = Pair("system:node:lab");
  ASSERT_TRUE(store_.Store(pair.CertificatePem(), pair.key.get(), kNow).ok());
  const std::string path = In("kubelet-client-2023-11-14-22-13-20.pem");
  EXPECT_EQ(*os::ReadLink(store_.CurrentPath()), path);
  EXPECT_EQ(store_.CurrentPath(), In("kubelet-client-current.pem"));
  EXPECT_EQ(os::Stat(path)->st_mode & 07777, 0600u);
  const std::string text = *os::ReadFile(path);
  EXPECT_THAT(text, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_THAT(text, EndsWith("-----END EC PRIVATE KEY-----\n"));
  EXPECT_EQ(store_.Current()->value().common_name, "system:node:lab");

  const TestCertificate next = Pair("system:node:next");
  ASSERT_TRUE(store_.Store(next.CertificatePem(), next.key.get(), kNow + absl::Hours(1)).ok());
  EXPECT_EQ(store_.Current()->value().common_name, "system:node:next");
}

TEST_F(StoreTest, RefusesWhatIsNoPair) {
  const TestCertificate pair = Pair("a");
  EXPECT_EQ(Message(store_.Store(pair.CertificatePem(), NewEcKey()->get(), kNow).status()),
            "the certificate and the key do not belong together");
  EXPECT_FALSE(store_.Store("nonsense", pair.key.get(), kNow).ok());
  EXPECT_EQ(*store_.Current(), std::nullopt);
}

TEST_F(StoreTest, DoesNotTouchAFileThatIsNoLink) {
  ASSERT_TRUE(os::WriteFileAtomic(store_.CurrentPath(), "x", 0600).ok());
  EXPECT_THAT(Message(store_.Current().status()),
              HasSubstr("kubelet-client-current.pem\" to be a symlink but it is a file"));
  const TestCertificate pair = Pair("a");
  EXPECT_FALSE(store_.Store(pair.CertificatePem(), pair.key.get(), kNow).ok());
  EXPECT_EQ(*os::ReadFile(store_.CurrentPath()), "x");
}

TEST_F(StoreTest, FinishesAnInterruptedSwitchOfTheGoKubelet) {
  const TestCertificate pair = Pair("a");
  ASSERT_TRUE(store_.Store(pair.CertificatePem(), pair.key.get(), kNow).ok());
  ASSERT_TRUE(os::Rename(store_.CurrentPath(), In("kubelet-client-updated.pem")).ok());
  EXPECT_EQ(store_.Current()->value().common_name, "a");
}

TEST_F(StoreTest, KeepsTheKeyOfARequestUnderWay) {
  const std::string path = In("kubelet-client.key.tmp");
  const KeyPtr key = *store_.PendingKey();
  EXPECT_EQ(os::Stat(path)->st_mode & 07777, 0600u);
  EXPECT_EQ(EVP_PKEY_eq(store_.PendingKey()->get(), key.get()), 1);
  ASSERT_TRUE(os::WriteFileAtomic(path, "torn", 0600).ok());
  EXPECT_NE(EVP_PKEY_eq(store_.PendingKey()->get(), key.get()), 1);
  ASSERT_TRUE(store_.RemovePendingKey().ok());
  EXPECT_FALSE(*os::Exists(path));
}

}  // namespace
}  // namespace cubelet::certs
