#include "fakes/api_server/csr_signer.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "base/strings.h"
#include "certs/certificate.h"
#include "fakes/api_server/test_request.h"

namespace cubelet::fakes {
namespace {

constexpr const char* kRequests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

// A request for the certificate of a node, PEM in base64.
std::string NodeRequest() {
  const certs::KeyPtr key(EVP_EC_gen("P-256"));
  X509_REQ* const request = X509_REQ_new();
  const auto add = [&](const char* field, const char* text) {
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), field, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  add("O", "system:nodes");
  add("CN", "system:node:lab");
  X509_REQ_set_pubkey(request, key.get());
  X509_REQ_sign(request, key.get(), EVP_sha256());
  const certs::BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request);
  X509_REQ_free(request);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return absl::Base64Escape(absl::string_view(data, static_cast<size_t>(size)));
}

class CsrSignerTest : public FakeApiTest {
 protected:
  ApiAnswer Request(const std::string& request) {
    return Ask("POST", kRequests,
               StrCat("{metadata: {name: csr}, spec: {request: ", request,
                      ", signerName: kubernetes.io/kube-apiserver-client-kubelet,"
                      " expirationSeconds: 3600, usages: [client auth]}}"));
  }
  ApiAnswer Read() { return Ask("GET", StrCat(kRequests, "/csr")); }
};

TEST_F(CsrSignerTest, ApprovesAndSigns) {
  ASSERT_EQ(Request(NodeRequest()).code, 201);
  const ApiAnswer csr = Read();
  EXPECT_EQ(At(csr, "/status/conditions/0/type"), "Approved");
  EXPECT_EQ(At(csr, "/spec/username"), "system:anonymous");
  std::string pem;
  ASSERT_TRUE(absl::Base64Unescape(At(csr, "/status/certificate"), &pem));
  const auto certificates = certs::ParseCertificates(pem);
  ASSERT_TRUE(certificates.ok()) << certificates.status();
  const certs::CertificateFacts facts = certs::FactsOf((*certificates)[0].get());
  EXPECT_EQ(facts.common_name, "system:node:lab");
  EXPECT_EQ(facts.organizations, std::vector<std::string>{"system:nodes"});
  EXPECT_EQ(facts.issuer_common_name, "kubernetes");
  EXPECT_EQ(absl::ToUnixSeconds(facts.not_after), absl::ToUnixSeconds(loop_->Now()) + 3600);
  const auto authority = certs::ParseCertificates(api_.authority().CertificatePem());
  EXPECT_EQ(X509_verify((*certificates)[0].get(), X509_get0_pubkey((*authority)[0].get())), 1);
}

TEST_F(CsrSignerTest, WaitsForApprovalWhenToldTo) {
  api_.signer().SetAutoApprove(false);
  ASSERT_EQ(Request(NodeRequest()).code, 201);
  EXPECT_EQ(At(Read(), "/status/certificate"), "-");
  const ApiAnswer approved =
      Ask("PATCH", StrCat(kRequests, "/csr/approval"),
          "{status: {conditions: [{type: Approved, status: 'True', reason: r}]}}",
          "application/merge-patch+json");
  EXPECT_EQ(approved.code, 200);
  EXPECT_NE(At(Read(), "/status/certificate"), "-");
}

TEST_F(CsrSignerTest, FailsWhatIsNoRequest) {
  ASSERT_EQ(Request("bm9uc2Vuc2U=").code, 201);
  EXPECT_EQ(At(Read(), "/status/conditions/1/type"), "Failed");
}

}  // namespace
}  // namespace cubelet::fakes
