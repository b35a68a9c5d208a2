#include "kube/tls_context.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::kube {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

constexpr size_t kMaxPemBytes = 4 << 20;
constexpr unsigned char kAlpn[] = {2, 'h', '2'};

absl::StatusOr<std::string> ReadPem(const PemSource& source) {
  if (source.file.empty()) return source.data;
  return os::ReadFile(source.file, kMaxPemBytes);
}

absl::Status Refused(std::string_view what, const PemSource& source,
                     const boost::system::error_code& error) {
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("read ", what, source.file.empty() ? "" : " " + source.file, ": ", error.message()));
}

absl::Status LoadAuthority(const PemSource& authority, ssl::context& context) {
  boost::system::error_code error;
  if (authority.empty()) {
    context.set_default_verify_paths(error);
    return Refused("certificate authorities of the system", {}, error);
  }
  ASSIGN_OR_RETURN(const std::string pem, ReadPem(authority));
  context.add_certificate_authority(asio::buffer(pem), error);
  return Refused("certificate authority", authority, error);
}

absl::Status LoadCertificate(const DialTarget& target, ssl::context& context) {
  if (target.certificate.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::string pem, ReadPem(target.certificate));
  const absl::Cleanup forget = [&] { OPENSSL_cleanse(pem.data(), pem.size()); };
  boost::system::error_code error;
  context.use_certificate_chain(asio::buffer(pem), error);
  RETURN_IF_ERROR(Refused("client certificate", target.certificate, error));
  ASSIGN_OR_RETURN(std::string key, ReadPem(target.key));
  const absl::Cleanup forget_key = [&] { OPENSSL_cleanse(key.data(), key.size()); };
  context.use_private_key(asio::buffer(key), ssl::context::pem, error);
  return Refused("client key", target.key, error);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ssl::context>> MakeTlsContext(const DialTarget& target) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Two buffers of 16 KiB for a connection that is mostly silent.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_protos(native, kAlpn, sizeof kAlpn);
  boost::system::error_code error;
  // Without this OpenSSL would ask for the password of an encrypted key on the terminal.
  context->set_password_callback([](size_t, ssl::context::password_purpose) { return ""; }, error);
  context->set_verify_mode(target.insecure ? ssl::verify_none : ssl::verify_peer, error);
  if (!target.insecure) RETURN_IF_ERROR(LoadAuthority(target.authority, *context));
  RETURN_IF_ERROR(LoadCertificate(target, *context));
  return context;
}

absl::Status ExpectServer(SSL* session, const DialTarget& target) {
  const std::string& name =
      target.tls_server_name.empty() ? target.server.host : target.tls_server_name;
  boost::system::error_code not_address;
  asio::ip::make_address(name, not_address);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(session);
  const bool set = not_address ? SSL_set_tlsext_host_name(session, name.c_str()) == 1 &&
                                     X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size())
                               : X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1;
  if (set) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("TLS: ", GoQuote(name), " is no name of a server"));
}

absl::Status HandshakeError(SSL* session, const boost::system::error_code& error) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict == X509_V_OK)
    return absl::UnavailableError(StrCat("TLS handshake: ", error.message()));
  return absl::UnavailableError(StrCat("TLS handshake: certificate verify failed: ",
                                       std::string_view(X509_verify_cert_error_string(verdict))));
}

absl::Status CheckHttp2(SSL* session) {
  const unsigned char* protocol = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(session, &protocol, &length);
  if (std::string_view(reinterpret_cast<const char*>(protocol), length) == "h2")
    return absl::OkStatus();
  return absl::UnavailableError("TLS handshake: the server does not speak HTTP/2");
}

}  // namespace cubelet::kube
