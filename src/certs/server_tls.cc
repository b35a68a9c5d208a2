#include "certs/server_tls.h"

#include <openssl/err.h>

#include <cstring>

#include "base/status.h"
#include "base/strings.h"
#include "certs/certificate.h"
#include "certs/openssl.h"

namespace cubelet::certs {
namespace {

// How often a self-signed certificate is looked at for its end while the server runs.
constexpr absl::Duration kRenewalCheck = absl::Hours(1);

// HTTP/1.1 is all we speak; a client that offers nothing we know is served it anyway.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* in, unsigned int in_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  for (unsigned int at = 0; at + 1 + in[at] <= in_length; at += 1u + in[at]) {
    if (in[at] != kHttp11[0] || std::memcmp(in + at + 1, kHttp11 + 1, kHttp11[0]) != 0) continue;
    *out = in + at + 1;
    *out_length = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

// Whatever certificate comes is accepted here: authentication judges it, with the client CA of that
// moment.
int AcceptAnyCertificate(X509_STORE_CTX*, void*) { return 1; }

absl::StatusOr<SslContextPtr> NewContext(const TlsSettings& settings) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return OpenSslError("set up TLS");
  SSL_CTX* const ctx = context.get();
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx, AcceptAnyCertificate, nullptr);
  SSL_CTX_set_alpn_select_cb(ctx, SelectProtocol, nullptr);
  if (SSL_CTX_set_min_proto_version(ctx, settings.min_version) != 1)
    return OpenSslError("tlsMinVersion");
  if (!settings.cipher_list.empty() &&
      SSL_CTX_set_cipher_list(ctx, settings.cipher_list.c_str()) != 1)
    return OpenSslError("tlsCipherSuites");
  if (!settings.groups.empty() && SSL_CTX_set1_groups_list(ctx, settings.groups.c_str()) != 1)
    return OpenSslError("tlsCurvePreferences");
  return context;
}

absl::Status UsePair(SSL_CTX* ctx, const std::vector<X509Ptr>& chain, EVP_PKEY* key,
                     const KeyPairPaths& paths) {
  if (SSL_CTX_use_certificate(ctx, chain.front().get()) != 1)
    return OpenSslError(paths.certificate);
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(ctx, chain[i].get()) != 1) return OpenSslError(paths.certificate);
  }
  if (X509_check_private_key(chain.front().get(), key) != 1) {
    ERR_clear_error();  // what OpenSSL has to say of it is said better here
    return absl::InvalidArgumentError(
        StrCat(paths.key, " does not belong to the certificate in ", paths.certificate));
  }
  if (SSL_CTX_use_PrivateKey(ctx, key) != 1) return OpenSslError(paths.key);
  return absl::OkStatus();
}

KeyPairPaths PathsOf(const ServerTlsOptions& options) {
  if (options.certificate_file.empty()) return SelfSignedPaths(options.self_signed_directory);
  return {options.certificate_file, options.key_file};
}

}  // namespace

ServerTls::ServerTls(ServerTlsOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), paths_(PathsOf(options_)) {}

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Create(ServerTlsOptions options,
                                                             const Clock& clock) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError(
        options.key_file.empty() ? "tlsPrivateKeyFile: must be set together with tlsCertFile"
                                 : "tlsCertFile: must be set together with tlsPrivateKeyFile");
  }
  std::unique_ptr<ServerTls> tls(new ServerTls(std::move(options), clock));
  if (tls->self_signed()) {
    RETURN_IF_ERROR(EnsureSelfSigned(tls->options_.self_signed_directory, tls->options_.names,
                                     clock.Now(), &tls->made_));
    tls->look_for_renewal_ = clock.Now() + kRenewalCheck;
  }
  if (absl::Status status = tls->Read(); !status.ok())
    return Annotate(status, "serving certificate");
  return tls;
}

absl::Status ServerTls::Read() {
  stamps_ = StampsOf({paths_.certificate, paths_.key});
  if (options_.awaited && stamps_.front() == FileStamp()) {
    // Without a certificate, no cipher suite will do.
    ASSIGN_OR_RETURN(SslContextPtr context, NewContext(options_.settings));
    context_ = std::make_shared<boost::asio::ssl::context>(context.release());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadCertificates(paths_.certificate));
  ASSIGN_OR_RETURN(const KeyPtr key, ReadPrivateKey(paths_.key));
  ASSIGN_OR_RETURN(SslContextPtr context, NewContext(options_.settings));
  RETURN_IF_ERROR(UsePair(context.get(), chain, key.get(), paths_));
  expires_ = FactsOf(chain.front().get()).not_after;
  context_ = std::make_shared<boost::asio::ssl::context>(context.release());
  return absl::OkStatus();
}

std::shared_ptr<boost::asio::ssl::context> ServerTls::ForHandshake() {
  absl::Status status;
  if (self_signed() && clock_.Now() >= look_for_renewal_) {
    look_for_renewal_ = clock_.Now() + kRenewalCheck;
    std::string why;
    status = EnsureSelfSigned(options_.self_signed_directory, options_.names, clock_.Now(), &why);
  }
  if (status.ok() && StampsOf({paths_.certificate, paths_.key}) != stamps_) status = Read();
  if (!status.ok() && options_.problem) options_.problem(paths_.certificate, status);
  return context_;
}

}  // namespace cubelet::certs
