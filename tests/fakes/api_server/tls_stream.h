// TLS over TCP, and HTTP/1.1 heads over it, as the fronts and the way to the kubelet use them.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "fakes/api_server/authority.h"
#include "fakes/api_server/request.h"

namespace cubelet::fakes {

using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
using TlsStreamPtr = std::shared_ptr<TlsStream>;  // held by both directions that are copied

struct Http1Head {
  std::string first_line;  // "GET /x HTTP/1.1", "HTTP/1.1 200 OK"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string rest;  // what came after it already

  // "" when it is not there; names are compared without case.
  std::string Header(std::string_view name) const;
};

// Reads up to the empty line. Error: it ends before, is longer than 64 KiB, or is no head.
async::Task<absl::StatusOr<Http1Head>> ReadHead(TlsStreamPtr stream);

// Some bytes; "" when it has ended.
async::Task<std::string> ReadSome(TlsStreamPtr stream);
async::Task<bool> WriteAll(TlsStreamPtr stream, std::string bytes);
void CloseNow(TlsStream& stream);

// Connects to a kubelet with the API server's own client certificate; the kubelet's is not judged,
// as it may be self-signed.
class KubeletDialer {
 public:
  KubeletDialer(async::Loop& loop, const Authority& authority);
  async::Task<absl::StatusOr<TlsStreamPtr>> Dial(KubeletTarget target);

 private:
  async::Loop& loop_;
  boost::asio::ssl::context tls_;
};

}  // namespace cubelet::fakes
