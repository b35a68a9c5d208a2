#include "kubelet/client_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "certs/test_pki.h"
#include "os/files.h"
#include "os/test_support.h"

namespace cubelet::kubelet {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class ClientIdentityTest : public testing::Test {
 protected:
  ClientIdentityTest() {
    options_.kubeconfig = directory_ / "kubelet.conf";
    options_.bootstrap_kubeconfig = directory_ / "bootstrap.conf";
    options_.cert_dir = directory_ / "pki";
    options_.rotate = true;
    Write(options_.bootstrap_kubeconfig, "token: abcdef.0123456789abcdef");
  }
  void Write(const std::string& path, const std::string& user) {
    const std::string text =
        StrCat("{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],",
               "clusters: [{name: c, cluster: {server: 'https://api:6443'}}],",
               "users: [{name: u, user: {", user, "}}]}");
    ASSERT_TRUE(os::WriteFileAtomic(path, text, 0600).ok());
  }
  void WriteCertificate(absl::Time not_after) {
    const auto pair = certs::MakeTestCertificate(
        {.common_name = "system:node:lab", .not_before = kNow, .not_after = not_after});
    Write(options_.kubeconfig,
          StrCat("client-certificate-data: ", absl::Base64Escape(pair.CertificatePem()),
                 ", client-key-data: ", absl::Base64Escape(pair.KeyPem())));
  }
  ClientIdentity Find() {
    auto identity = FindClientIdentity(options_, kNow);
    EXPECT_TRUE(identity.ok()) << identity.status();
    return identity.ok() ? *std::move(identity) : ClientIdentity{};
  }
  std::string Current() const { return directory_ / "pki/kubelet-client-current.pem"; }

  os::TemporaryDirectory directory_;
  IdentityOptions options_;
};

TEST_F(ClientIdentityTest, IsTheBootstrapTokenOnlyForAskingWhenThereIsNoKubeconfig) {
  const ClientIdentity identity = Find();
  EXPECT_TRUE(identity.managed);
  EXPECT_TRUE(identity.bootstrap);
  EXPECT_EQ(identity.requester.token, "abcdef.0123456789abcdef");
  EXPECT_EQ(identity.access.token, "");
  EXPECT_EQ(identity.access.server, "https://api:6443");
  EXPECT_EQ(identity.access.client_certificate.file, Current());
  EXPECT_EQ(identity.access.client_key.file, Current());
}

TEST_F(ClientIdentityTest, TheKubeconfigThatIsWrittenIsGoodOnceTheCertificateIsThere) {
  ASSERT_TRUE(WriteKubeconfig(options_, Find().requester).ok());
  EXPECT_EQ(os::Stat(options_.kubeconfig)->st_mode & 07777, 0600u);
  EXPECT_THAT(WhyBootstrap(options_.kubeconfig, kNow), HasSubstr("No such file or directory"));
  const auto pair = certs::MakeTestCertificate({.common_name = "system:node:lab"});
  const certs::CertificateStore store(options_.cert_dir, certs::kClientPrefix);
  ASSERT_TRUE(store.Store(pair.CertificatePem(), pair.key.get(), kNow).ok());
  EXPECT_EQ(WhyBootstrap(options_.kubeconfig, kNow), "");
  EXPECT_FALSE(Find().bootstrap);
  EXPECT_EQ(Find().requester.client_certificate.file, Current());
}

TEST_F(ClientIdentityTest, AKubeconfigWithAnExpiredCertificateOrNoneNeedsTheBootstrap) {
  WriteCertificate(kNow);
  EXPECT_THAT(WhyBootstrap(options_.kubeconfig, kNow), HasSubstr("has expired at 2023-11-14"));
  EXPECT_TRUE(Find().bootstrap);
  Write(options_.kubeconfig, "token: x");
  EXPECT_THAT(WhyBootstrap(options_.kubeconfig, kNow), HasSubstr("no client certificate"));
  ASSERT_TRUE(os::WriteFileAtomic(options_.kubeconfig, "nonsense", 0600).ok());
  EXPECT_THAT(WhyBootstrap(options_.kubeconfig, kNow), HasSubstr("kubelet.conf"));
}

TEST_F(ClientIdentityTest, RotationBeginsWithTheKubeconfigsCertificate) {
  options_.bootstrap_kubeconfig.clear();
  WriteCertificate(kNow + absl::Hours(1));
  const ClientIdentity identity = Find();
  EXPECT_TRUE(identity.managed);
  EXPECT_FALSE(identity.bootstrap);
  EXPECT_EQ(identity.access.client_certificate.file, Current());
  EXPECT_NE(identity.requester.client_certificate.data, "");
  const certs::CertificateStore store(options_.cert_dir, certs::kClientPrefix);
  EXPECT_EQ(store.Current()->value().not_after, kNow + absl::Hours(1));

  // What rotation has put there since is not replaced.
  WriteCertificate(kNow + absl::Hours(2));
  Find();
  EXPECT_EQ(store.Current()->value().not_after, kNow + absl::Hours(1));
}

TEST_F(ClientIdentityTest, WithoutRotationTheKubeconfigIsUsedAsItIs) {
  options_.bootstrap_kubeconfig.clear();
  options_.rotate = false;
  Write(options_.kubeconfig, "token: x");
  const ClientIdentity identity = Find();
  EXPECT_FALSE(identity.managed);
  EXPECT_EQ(identity.access.token, "x");
  EXPECT_FALSE(*os::Exists(options_.cert_dir));
}

TEST_F(ClientIdentityTest, SaysWhichFileIsMissing) {
  options_.bootstrap_kubeconfig = directory_ / "nowhere.conf";
  EXPECT_THAT(FindClientIdentity(options_, kNow).status().message(), HasSubstr("nowhere.conf"));
}

}  // namespace
}  // namespace cubelet::kubelet
