#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "certs/client_ca.h"
#include "certs/self_signed.h"
#include "certs/server_tls.h"
#include "certs/test_pki.h"
#include "certs/tls_settings.h"

namespace cubelet::certs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2026, 11, 24), absl::UTCTimeZone());

class CertsTest : public testing::Test {
 protected:
  CertsTest() : clock_(kNow) {
    directory_ = StrCat(testing::TempDir(), "/certs_test.", ::getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~CertsTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  // Replaced as editors and volumes do it, so that the stamp changes whatever the clock's grain.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name + ".new")) << text;
    std::filesystem::rename(Path(name + ".new"), Path(name));
    return Path(name);
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(Path(name));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  mode_t Mode(const std::string& name) const {
    struct stat info{};
    EXPECT_EQ(::stat(Path(name).c_str(), &info), 0) << name;
    return info.st_mode & 07777;
  }
  CertificateFacts FirstFacts(const std::string& name) const {
    auto chain = ParseCertificates(Read(name));
    EXPECT_TRUE(chain.ok()) << chain.status();
    return chain.ok() ? FactsOf(chain->front().get()) : CertificateFacts{};
  }
  std::string Ensure(const ServingNames& names, absl::Time now) {
    std::string made;
    const absl::Status status = EnsureSelfSigned(directory_, names, now, &made);
    EXPECT_TRUE(status.ok()) << status;
    return made;
  }
  ReloadProblem Problems() {
    return [this](const std::string&, const absl::Status& why) {
      problems_.emplace_back(Message(why));
    };
  }

  VirtualClock clock_;
  std::string directory_;
  std::vector<std::string> problems_;
};

// ---- The self-signed pair

TEST_F(CertsTest, MakesAPairThatIsAsTheReferenceHasIt) {
  EXPECT_EQ(Ensure({"lab", {"lab.example"}, {"10.99.0.1", "fd00::1"}}, kNow), "there was none");
  EXPECT_EQ(Mode("kubelet.crt"), 0644u);
  EXPECT_EQ(Mode("kubelet.key"), 0600u);
  auto chain = ParseCertificates(Read("kubelet.crt"));
  ASSERT_TRUE(chain.ok()) << chain.status();
  ASSERT_THAT(*chain, SizeIs(2));
  const CertificateFacts leaf = FactsOf((*chain)[0].get());
  EXPECT_EQ(leaf.common_name, StrCat("lab@", absl::ToUnixSeconds(kNow)));
  EXPECT_EQ(leaf.issuer_common_name, StrCat("lab-ca@", absl::ToUnixSeconds(kNow)));
  EXPECT_EQ(leaf.not_before, kNow - absl::Hours(1));
  EXPECT_EQ(leaf.not_after, kNow + absl::Hours(24 * 365));
  EXPECT_THAT(leaf.dns_names, ElementsAre("lab", "lab.example"));
  EXPECT_THAT(leaf.ip_addresses, ElementsAre("10.99.0.1", "fd00::1"));
  auto key = ParsePrivateKey(Read("kubelet.key"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(X509_check_private_key((*chain)[0].get(), key->get()), 1);
}

// A client that trusts the authority in the file trusts the server.
TEST_F(CertsTest, TheAuthorityInTheFileStandsForThePair) {
  Ensure({"lab", {}, {"10.99.0.1"}}, kNow);
  auto chain = ParseCertificates(Read("kubelet.crt"));
  ASSERT_TRUE(chain.ok());
  const X509StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), (*chain)[1].get());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store.get(), (*chain)[0].get(), nullptr);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(param, absl::ToTimeT(kNow));
  X509_VERIFY_PARAM_set1_ip_asc(param, "10.99.0.1");
  EXPECT_EQ(X509_verify_cert(context), 1)
      << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
}

TEST_F(CertsTest, AGoodPairIsUsedAgain) {
  const ServingNames names{"lab", {}, {"fd00::1"}};
  Ensure(names, kNow);
  const std::string certificate = Read("kubelet.crt"), key = Read("kubelet.key");
  EXPECT_EQ(Ensure(names, kNow + absl::Hours(24 * 300)), "");
  EXPECT_EQ(Ensure({"lab", {}, {"fd00:0::1"}}, kNow), "");
  EXPECT_EQ(Read("kubelet.crt"), certificate);
  EXPECT_EQ(Read("kubelet.key"), key);
}

TEST_F(CertsTest, AnOldOrIncompleteCertificateIsMadeAnewForTheSameKey) {
  const ServingNames names{"lab", {}, {"10.99.0.1"}};
  Ensure(names, kNow);
  const std::string key = Read("kubelet.key");
  EXPECT_EQ(Ensure({"lab", {}, {"10.99.0.1", "10.99.0.2"}}, kNow), "it is not for 10.99.0.2");
  EXPECT_EQ(Ensure({"lab2", {}, {}}, kNow), "it is not for lab2");
  const absl::Time later = kNow + absl::Hours(24 * 340);
  EXPECT_EQ(Ensure({"lab2", {}, {}}, later), "it expires in 600h0m0s");
  EXPECT_EQ(FirstFacts("kubelet.crt").not_after, later + absl::Hours(24 * 365));
  EXPECT_EQ(Ensure({"lab2", {}, {}}, later + absl::Hours(24 * 400)), "it has expired");
  EXPECT_EQ(Read("kubelet.key"), key);
}

TEST_F(CertsTest, APairOfSomebodyElseIsNeverTouched) {
  TestCertificateOptions options;
  options.common_name = "lab";
  options.usage = "serverAuth";
  options.not_after = kNow - absl::Hours(1);
  const TestCertificate pair = MakeTestCertificate(options);
  Write("kubelet.crt", pair.CertificatePem());
  Write("kubelet.key", pair.KeyPem());
  EXPECT_EQ(Ensure({"lab", {}, {"10.99.0.1"}}, kNow), "");
  EXPECT_EQ(Read("kubelet.crt"), pair.CertificatePem());
  EXPECT_EQ(Read("kubelet.key"), pair.KeyPem());
}

// A kubelet killed between writing the key and the certificate goes on with the key.
TEST_F(CertsTest, AKeyAloneGetsACertificate) {
  Ensure({"lab", {}, {}}, kNow);
  const std::string key = Read("kubelet.key");
  std::filesystem::remove(Path("kubelet.crt"));
  EXPECT_EQ(Ensure({"lab", {}, {}}, kNow), "there was none");
  EXPECT_EQ(Read("kubelet.key"), key);
  // And one whose key was exchanged does not stay unusable.
  Write("kubelet.key", MakeTestAuthority("x").KeyPem());
  EXPECT_EQ(Ensure({"lab", {}, {}}, kNow), "it is not for the key");
}

TEST_F(CertsTest, WhatCannotBeUsedIsNamed) {
  std::string made;
  Write("kubelet.crt", "x");
  absl::Status status = EnsureSelfSigned(directory_, {"lab", {}, {}}, kNow, &made);
  EXPECT_EQ(Message(status), StrCat("serving certificate: there is ", Path("kubelet.crt"),
                                    " but no ", Path("kubelet.key"),
                                    ": add the key, or remove the certificate to have both made"));
  Write("kubelet.key", "secret");
  status = EnsureSelfSigned(directory_, {"lab", {}, {}}, kNow, &made);
  EXPECT_EQ(Message(status), StrCat(Path("kubelet.key"), ": there is no PEM private key in it"));
  Write("kubelet.key", MakeTestAuthority("x").KeyPem());
  status = EnsureSelfSigned(directory_, {"lab", {}, {}}, kNow, &made);
  EXPECT_EQ(Message(status), StrCat(Path("kubelet.crt"), ": there is no PEM certificate in it"));
  std::filesystem::remove(Path("kubelet.crt"));
  status = EnsureSelfSigned(directory_, {"lab", {}, {"10.0.0.256"}}, kNow, &made);
  EXPECT_EQ(Message(status), "\"10.0.0.256\" is not an IP address");
}

TEST_F(CertsTest, LongAndNumericHostsWork) {
  const std::string longest(253, 'a');
  Ensure({longest, {}, {}}, kNow);
  EXPECT_THAT(FirstFacts("kubelet.crt").dns_names, ElementsAre(longest));
  Ensure({"10.0.0.7", {}, {}}, kNow);
  EXPECT_THAT(FirstFacts("kubelet.crt").ip_addresses, ElementsAre("10.0.0.7"));
  EXPECT_THAT(FirstFacts("kubelet.crt").dns_names, IsEmpty());
}

// A name is one entry, whatever is in it.
TEST_F(CertsTest, NamesCannotSmuggleEntries) {
  Ensure({"lab,IP:1.2.3.4", {}, {}}, kNow);
  EXPECT_THAT(FirstFacts("kubelet.crt").ip_addresses, IsEmpty());
  EXPECT_THAT(FirstFacts("kubelet.crt").dns_names, ElementsAre("lab,IP:1.2.3.4"));
}

// ---- PEM

TEST(Pem, MessagesHoldNoSecrets) {
  const std::string key =
      "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(Message(ParsePrivateKey(key).status()),
            "its private key cannot be read, or is encrypted");
  EXPECT_FALSE(ParsePrivateKey("").ok());
  EXPECT_FALSE(ParseCertificates("").ok());
}

TEST(Pem, ABrokenCertificateInABundleIsAnError) {
  const std::string good = MakeTestAuthority("a").CertificatePem();
  const std::string bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(ParseCertificates(good + bad).ok());
  EXPECT_EQ(ParseCertificates("text\n" + good + "more text\n" + good)->size(), 2u);
}

// ---- TLS settings

TEST(TlsSettings, DefaultsAreGosDefaults) {
  auto settings = ParseTlsSettings("", {}, {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->min_version, TLS1_2_VERSION);
  EXPECT_THAT(settings->cipher_list, HasSubstr("ECDHE-ECDSA-AES128-GCM-SHA256"));
  EXPECT_THAT(settings->cipher_list, Not(HasSubstr(":AES128-GCM-SHA256")));
  EXPECT_EQ(settings->groups, "");
  EXPECT_THAT(settings->warnings, IsEmpty());
}

TEST(TlsSettings, NamesAreGosNames) {
  struct Case {
    std::string version;
    std::vector<std::string> suites;
    std::vector<int32_t> curves;
    std::string want;  // "<version> <list> <groups>", or the error
    size_t warnings = 0;
  };
  const Case cases[] = {
      {"VersionTLS13", {"TLS_RSA_WITH_AES_256_CBC_SHA"}, {29, 23}, "304 AES256-SHA X25519:P-256"},
      {"VersionTLS10", {"TLS_RSA_WITH_AES_256_CBC_SHA"}, {}, "301 AES256-SHA:@SECLEVEL=0 "},
      {"", {"TLS_AES_128_GCM_SHA256"}, {}, "304  "},
      {"", {"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"}, {}, "303 AES256-SHA ", 1},
      {"",
       {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"},
       {4588, 29},
       "303 ECDHE-RSA-CHACHA20-POLY1305 X25519",
       1},
      {"VersionTLS9", {}, {}, "tlsMinVersion: unknown tls version \"VersionTLS9\""},
      {"", {"ECDHE"}, {}, "tlsCipherSuites: Cipher suite ECDHE not supported or doesn't exist"},
      {"",
       {"TLS_RSA_WITH_RC4_128_SHA"},
       {},
       "tlsCipherSuites: none of [TLS_RSA_WITH_RC4_128_SHA] is available"},
      {"", {}, {99}, "tlsCurvePreferences: unknown curve 99"},
      {"", {}, {4588}, "tlsCurvePreferences: none of [4588] is available"},
  };
  for (const Case& c : cases) {
    auto settings = ParseTlsSettings(c.version, c.suites, c.curves);
    const std::string got = settings.ok() ? StrCat(absl::Hex(settings->min_version), " ",
                                                   settings->cipher_list, " ", settings->groups)
                                          : std::string(Message(settings.status()));
    EXPECT_EQ(got, c.want);
    if (settings.ok()) EXPECT_THAT(settings->warnings, SizeIs(c.warnings)) << c.want;
  }
}

// ---- Clients' certificates

class ClientCaTest : public CertsTest {
 protected:
  ClientCaTest() : authority_(MakeTestAuthority("cluster")) {
    Write("ca.crt", authority_.CertificatePem());
    auto ca = ClientCa::Load(Path("ca.crt"), Problems());
    EXPECT_TRUE(ca.ok()) << ca.status();
    ca_ = *std::move(ca);
  }
  std::string Who(const TestCertificate& certificate,
                  const TestCertificate* intermediate = nullptr) {
    std::vector<X509*> chain = {certificate.certificate.get()};
    if (intermediate != nullptr) chain.push_back(intermediate->certificate.get());
    auto identity = ca_->Verify(chain, kNow);
    if (!identity.ok()) return std::string(Message(identity.status()));
    if (!identity->has_value()) return "nobody";
    return StrCat((*identity)->user, " ", GoList((*identity)->groups));
  }
  TestCertificateOptions Admin() const {
    TestCertificateOptions options;
    options.common_name = "admin";
    options.organizations = {"system:masters", "ops"};
    return options;
  }

  TestCertificate authority_;
  std::unique_ptr<ClientCa> ca_;
};

TEST_F(ClientCaTest, NamesTheUserAndItsGroups) {
  EXPECT_EQ(Who(MakeTestCertificate(Admin(), &authority_)), "admin [system:masters ops]");
  TestCertificateOptions unnamed;
  EXPECT_EQ(Who(MakeTestCertificate(unnamed, &authority_)), "nobody");
  TestCertificateOptions any_usage = Admin();
  any_usage.usage = "";
  EXPECT_EQ(Who(MakeTestCertificate(any_usage, &authority_)), "admin [system:masters ops]");
}

TEST_F(ClientCaTest, RefusesWithTheReason) {
  EXPECT_EQ(Who(MakeTestCertificate(Admin())),
            "client certificate of \"admin\": self-signed certificate");
  const TestCertificate other = MakeTestAuthority("other");
  EXPECT_THAT(Who(MakeTestCertificate(Admin(), &other)), HasSubstr("unable to get local issuer"));
  TestCertificateOptions expired = Admin();
  expired.not_after = kNow - absl::Seconds(1);
  EXPECT_THAT(Who(MakeTestCertificate(expired, &authority_)), HasSubstr("expired"));
  TestCertificateOptions early = Admin();
  early.not_before = kNow + absl::Hours(1);
  EXPECT_THAT(Who(MakeTestCertificate(early, &authority_)), HasSubstr("not yet valid"));
  TestCertificateOptions server = Admin();
  server.usage = "serverAuth";
  EXPECT_THAT(Who(MakeTestCertificate(server, &authority_)), HasSubstr("purpose"));
  // Somebody with a certificate for clients cannot issue others.
  const TestCertificate client = MakeTestCertificate(Admin(), &authority_);
  TestCertificateOptions eve = Admin();
  eve.common_name = "eve";
  EXPECT_THAT(Who(MakeTestCertificate(eve, &client), &client), HasSubstr("CA"));
}

TEST_F(ClientCaTest, IntermediatesComeFromTheClientOrTheFile) {
  const TestCertificate intermediate = MakeTestAuthority("middle", &authority_);
  const TestCertificate client = MakeTestCertificate(Admin(), &intermediate);
  EXPECT_THAT(Who(client), HasSubstr("unable to get local issuer"));
  EXPECT_EQ(Who(client, &intermediate), "admin [system:masters ops]");
  Write("ca.crt", intermediate.CertificatePem());
  EXPECT_EQ(Who(client), "admin [system:masters ops]");
}

TEST_F(ClientCaTest, AChangedFileIsNoticedAndABrokenOneChangesNothing) {
  const TestCertificate next = MakeTestAuthority("next");
  const TestCertificate client = MakeTestCertificate(Admin(), &next);
  EXPECT_THAT(Who(client), HasSubstr("unable to get local issuer"));
  Write("ca.crt", authority_.CertificatePem() + next.CertificatePem());
  EXPECT_EQ(Who(client), "admin [system:masters ops]");
  Write("ca.crt", "broken");
  EXPECT_EQ(Who(client), "admin [system:masters ops]");
  EXPECT_EQ(Who(client), "admin [system:masters ops]");
  EXPECT_THAT(problems_, ElementsAre(Path("ca.crt") + ": there is no PEM certificate in it"));
  std::filesystem::remove(Path("ca.crt"));
  EXPECT_EQ(Who(client), "admin [system:masters ops]");
  EXPECT_THAT(problems_, SizeIs(2));
}

TEST_F(ClientCaTest, LoadingNamesTheField) {
  EXPECT_THAT(std::string(Message(ClientCa::Load(Path("none"), Problems()).status())),
              HasSubstr("authentication.x509.clientCAFile: open "));
}

// ---- The serving side

class ServerTlsTest : public CertsTest {
 protected:
  ServerTlsOptions Options() {
    ServerTlsOptions options;
    options.self_signed_directory = directory_;
    options.names = {"lab", {}, {"127.0.0.1"}};
    options.settings = *ParseTlsSettings("", {}, {});
    options.problem = Problems();
    return options;
  }
  TestCertificate WritePair(const std::string& name) {
    TestCertificateOptions options;
    options.common_name = name;
    options.usage = "serverAuth";
    TestCertificate pair = MakeTestCertificate(options);
    Write("tls.crt", pair.CertificatePem());
    Write("tls.key", pair.KeyPem());
    return pair;
  }
  ServerTlsOptions FileOptions() {
    ServerTlsOptions options = Options();
    options.certificate_file = Path("tls.crt");
    options.key_file = Path("tls.key");
    return options;
  }

  // What a client sees that shakes hands over memory: "<protocol> <alpn> <common name>", or
  // "refused".
  std::string Handshake(ServerTls& tls, int max_version = TLS1_3_VERSION, bool alpn = false) {
    const SslContextPtr client_context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(client_context.get(), max_version);
    if (max_version < TLS1_2_VERSION) {
      SSL_CTX_set_min_proto_version(client_context.get(), max_version);
      SSL_CTX_set_cipher_list(client_context.get(), "ALL:@SECLEVEL=0");
    }
    const std::shared_ptr<boost::asio::ssl::context> context = tls.ForHandshake();
    SSL* const client = SSL_new(client_context.get());
    SSL* const server = SSL_new(context->native_handle());
    BIO *client_bio = nullptr, *server_bio = nullptr;
    BIO_new_bio_pair(&client_bio, 0, &server_bio, 0);
    SSL_set_bio(client, client_bio, client_bio);
    SSL_set_bio(server, server_bio, server_bio);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    if (alpn) {
      static constexpr unsigned char kOffer[] = "\x02h2\x08http/1.1";
      SSL_set_alpn_protos(client, kOffer, sizeof kOffer - 1);
    }
    int from_client = -1, from_server = -1;
    for (int i = 0; i < 10 && (from_client != 1 || from_server != 1); ++i) {
      from_client = SSL_do_handshake(client);
      from_server = SSL_do_handshake(server);
    }
    std::string seen = "refused";
    if (from_client == 1 && from_server == 1) {
      const unsigned char* protocol = nullptr;
      unsigned int length = 0;
      SSL_get0_alpn_selected(client, &protocol, &length);
      const X509Ptr peer(SSL_get1_peer_certificate(client));
      seen = StrCat(SSL_get_version(client), " ",
                    std::string_view(reinterpret_cast<const char*>(protocol), length), " ",
                    FactsOf(peer.get()).common_name);
    }
    SSL_free(client);
    SSL_free(server);
    return seen;
  }
};

TEST_F(ServerTlsTest, ShowsTheSelfSignedPair) {
  auto tls = ServerTls::Create(Options(), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ((*tls)->made(), "there was none");
  EXPECT_EQ((*tls)->expires(), kNow + absl::Hours(24 * 365));
  EXPECT_EQ(Handshake(**tls), StrCat("TLSv1.3  lab@", absl::ToUnixSeconds(kNow)));
  EXPECT_EQ(Handshake(**tls, TLS1_2_VERSION, true),
            StrCat("TLSv1.2 http/1.1 lab@", absl::ToUnixSeconds(kNow)));
}

TEST_F(ServerTlsTest, RenewsTheSelfSignedPairWhileItRuns) {
  auto tls = ServerTls::Create(Options(), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  clock_.Advance(absl::Hours(24 * 340));
  EXPECT_EQ(Handshake(**tls), StrCat("TLSv1.3  lab@", absl::ToUnixSeconds(clock_.Now())));
  EXPECT_EQ((*tls)->expires(), clock_.Now() + absl::Hours(24 * 365));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(ServerTlsTest, RefusesOldVersionsUnlessConfigured) {
  auto tls = ServerTls::Create(Options(), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ(Handshake(**tls, TLS1_1_VERSION), "refused");
  ServerTlsOptions old = Options();
  old.settings = *ParseTlsSettings("VersionTLS11", {}, {});
  auto old_tls = ServerTls::Create(old, clock_);
  ASSERT_TRUE(old_tls.ok()) << old_tls.status();
  EXPECT_THAT(Handshake(**old_tls, TLS1_1_VERSION), HasSubstr("TLSv1.1"));
  ServerTlsOptions strict = Options();
  strict.settings = *ParseTlsSettings("VersionTLS13", {}, {});
  auto strict_tls = ServerTls::Create(strict, clock_);
  ASSERT_TRUE(strict_tls.ok()) << strict_tls.status();
  EXPECT_EQ(Handshake(**strict_tls, TLS1_2_VERSION), "refused");
}

TEST_F(ServerTlsTest, ChangedFilesAreInTheNextHandshake) {
  WritePair("one");
  auto tls = ServerTls::Create(FileOptions(), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  one");
  WritePair("two");
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  two");
}

TEST_F(ServerTlsTest, HalfAChangeLeavesTheOldPairInUse) {
  WritePair("one");
  auto tls = ServerTls::Create(FileOptions(), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  TestCertificateOptions options;
  options.common_name = "two";
  options.usage = "serverAuth";
  const TestCertificate two = MakeTestCertificate(options);
  Write("tls.crt", two.CertificatePem());
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  one");
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  one");
  EXPECT_THAT(problems_,
              ElementsAre(StrCat(Path("tls.key"), " does not belong to the certificate in ",
                                 Path("tls.crt"))));
  Write("tls.key", two.KeyPem());
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  two");
}

// Until a signer has given the certificate, clients are refused; then no restart is needed.
TEST_F(ServerTlsTest, AwaitsFilesThatComeLater) {
  ServerTlsOptions options = Options();
  options.certificate_file = options.key_file = Path("kubelet-server-current.pem");
  options.awaited = true;
  auto tls = ServerTls::Create(std::move(options), clock_);
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ(Handshake(**tls), "refused");
  EXPECT_EQ(Handshake(**tls, TLS1_2_VERSION), "refused");
  EXPECT_EQ((*tls)->expires(), absl::InfiniteFuture());

  TestCertificateOptions issued;
  issued.common_name = "system:node:lab";
  const TestCertificate pair = MakeTestCertificate(issued);
  Write("kubelet-server-current.pem", pair.CertificatePem() + pair.KeyPem());
  EXPECT_EQ(Handshake(**tls), "TLSv1.3  system:node:lab");
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(ServerTlsTest, CreationNamesFieldAndFile) {
  ServerTlsOptions options = FileOptions();
  EXPECT_THAT(std::string(Message(ServerTls::Create(options, clock_).status())),
              HasSubstr(StrCat("serving certificate: open ", Path("tls.crt"), ": ")));
  options.key_file = "";
  EXPECT_EQ(Message(ServerTls::Create(options, clock_).status()),
            "tlsPrivateKeyFile: must be set together with tlsCertFile");
  options = FileOptions();
  options.certificate_file = "";
  EXPECT_EQ(Message(ServerTls::Create(options, clock_).status()),
            "tlsCertFile: must be set together with tlsPrivateKeyFile");
}

}  // namespace
}  // namespace cubelet::certs
