// A blocking HTTP client for tests, plain or TLS. Included by tests only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/strings.h"
#include "certs/openssl.h"
#include "certs/test_pki.h"

namespace cubelet::server {

struct TestAnswer {
  int status = 0;  // 0: the connection ended without an answer
  std::string head;
  std::string body;
};

class TestClient {
 public:
  TestClient() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit TestClient(uint16_t port) : TestClient() { Connect(port); }

  bool Connect(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() {
    if (ssl_ != nullptr) SSL_free(ssl_);
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // Shakes hands, with a certificate if one is given.
  bool StartTls(const certs::TestCertificate* certificate = nullptr) {
    const certs::SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    if (certificate != nullptr) {
      SSL_CTX_use_certificate(context.get(), certificate->certificate.get());
      SSL_CTX_use_PrivateKey(context.get(), certificate->key.get());
    }
    ssl_ = SSL_new(context.get());
    SSL_set_fd(ssl_, fd_.get());
    return SSL_connect(ssl_) == 1;
  }

  std::string PeerName() const {
    const certs::X509Ptr peer(SSL_get1_peer_certificate(ssl_));
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
    return name;
  }

  bool Send(std::string_view text) {
    while (!text.empty()) {
      const long n = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                     : ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // The next answer; of one to HEAD there is no body to wait for.
  TestAnswer Receive(bool head_only = false) {
    TestAnswer answer;
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return answer;
    }
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (answer.head.find("Transfer-Encoding: chunked") != std::string::npos) {
      while (std::optional<std::string> piece = ReceiveChunk()) answer.body += *piece;
      return answer;
    }
    const size_t length_at = answer.head.find("Content-Length: ");
    const size_t length =
        length_at == std::string::npos ? 0 : std::stoul(answer.head.substr(length_at + 16));
    while (!head_only && buffer_.size() < length) {
      if (!ReadMore()) break;
    }
    answer.body = buffer_.substr(0, head_only ? 0 : length);
    buffer_.erase(0, answer.body.size());
    return answer;
  }

  // The head of the next answer alone, without its last line; "" when there is none.
  std::string ReceiveHead() {
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return "";
    }
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    return head;
  }

  // The next piece of a chunked body; nothing at its end, or when the connection ends before.
  std::optional<std::string> ReceiveChunk() {
    size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!ReadMore()) return std::nullopt;
    }
    const size_t size = std::stoul(buffer_.substr(0, end), nullptr, 16);
    while (buffer_.size() < end + 2 + size + 2) {
      if (!ReadMore()) return std::nullopt;
    }
    std::string piece = buffer_.substr(end + 2, size);
    buffer_.erase(0, end + 2 + size + 2);
    if (piece.empty()) return std::nullopt;
    return piece;
  }

  // Exactly `size` bytes, fewer when the connection ends.
  std::string ReceiveBytes(size_t size) {
    while (buffer_.size() < size && ReadMore()) {
    }
    std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, bytes.size());
    return bytes;
  }

  // Says that nothing more comes (plain connections).
  void CloseWrite() { ::shutdown(fd_.get(), SHUT_WR); }

  TestAnswer Ask(std::string_view method, std::string_view target, std::string_view body = "") {
    Send(StrCat(method, " ", target, " HTTP/1.1\r\nHost: lab\r\nContent-Length: ", body.size(),
                "\r\n\r\n", body));
    return Receive(method == "HEAD");
  }

  // Whether the server has ended the connection, or does so before the read times out.
  bool Ended() { return buffer_.empty() && !ReadMore() && !timed_out_; }

 private:
  bool ReadMore() {
    char chunk[65536];
    const long n = ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof chunk)
                                   : ::recv(fd_.get(), chunk, sizeof chunk, 0);
    timed_out_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }

  UniqueFd fd_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  bool timed_out_ = false;
};

}  // namespace cubelet::server
