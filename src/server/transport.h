// A connected stream, plain or TLS, TCP or unix: reading, writing and closing, nothing of HTTP.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"
#include "async/task.h"
#include "base/fd.h"
#include "certs/openssl.h"

namespace boost::asio::ssl {
class context;
}

namespace cubelet::server {

class Transport {
 public:
  // Takes a connected stream socket of address family `family`. With `tls` the peer speaks TLS.
  Transport(async::Loop& loop, UniqueFd socket, int family,
            std::shared_ptr<boost::asio::ssl::context> tls);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // The TLS handshake; at once true on a plain stream.
  async::Task<bool> Handshake();

  // The same as the client: `host` must stand in the other side's certificate. Error: why not.
  async::Task<absl::Status> HandshakeAsClient(std::string host);

  // At least one byte into `data`, which stays valid; 0 when the peer has closed, or on any error.
  async::Task<size_t> Read(char* data, size_t size);

  // Some of `data`, which stays valid; 0 on any error.
  async::Task<size_t> Write(const char* data, size_t size);

  // Tells the peer that nothing more comes.
  async::Task<void> Shutdown();

  // Tells the peer that nothing more comes and goes on reading. False where that cannot be said
  // (TLS).
  bool HalfClose();

  // Whether the peer has closed its side, or the connection is broken; costs a system call.
  bool PeerHasClosed() const;

  // Reads into `data` what the peer still sends after Shutdown, whatever it is; 0 when it has
  // closed.
  async::Task<size_t> Discard(char* data, size_t size);

  // Ends whatever is waiting here, with 0 or false.
  void Close();

  // The certificates the peer has shown, its own first; valid as long as this object.
  std::vector<X509*> PeerChain();

 private:
  struct Streams;
  std::unique_ptr<Streams> streams_;
  certs::X509Ptr peer_;
};

}  // namespace cubelet::server
