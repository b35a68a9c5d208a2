#include "fakes/api_server/tls_stream.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/strings.h"

namespace cubelet::fakes {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMaxHead = 64 << 10;
constexpr size_t kReadChunk = 16 << 10;

absl::StatusOr<Http1Head> ParseHead(std::string_view text) {
  Http1Head head;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find("\r\n", begin);
    const std::string_view line = text.substr(begin, end - begin);
    begin = end == std::string_view::npos ? text.size() : end + 2;
    if (head.first_line.empty()) {
      head.first_line = line;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return absl::InvalidArgumentError(StrCat("not a header: ", GoQuote(line)));
    head.headers.emplace_back(
        line.substr(0, colon),
        std::string(absl::StripAsciiWhitespace(ToAbsl(line.substr(colon + 1)))));
  }
  return head;
}

}  // namespace

std::string Http1Head::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, ToAbsl(name))) return value;
  }
  return "";
}

async::Task<std::string> ReadSome(TlsStreamPtr stream) {
  std::string buffer(kReadChunk, '\0');
  auto [error, count] = co_await stream->async_read_some(asio::buffer(buffer), kAwait);
  buffer.resize(error ? 0 : count);
  co_return buffer;
}

async::Task<absl::StatusOr<Http1Head>> ReadHead(TlsStreamPtr stream) {
  std::string text;
  size_t end = std::string::npos;
  while (end == std::string::npos) {
    const std::string bytes = co_await ReadSome(stream);
    if (bytes.empty()) co_return absl::UnavailableError("the connection ended within a head");
    text += bytes;
    end = text.find("\r\n\r\n");
    if (text.size() > kMaxHead && end == std::string::npos)
      co_return absl::InvalidArgumentError("a head of more than 64 KiB");
  }
  absl::StatusOr<Http1Head> head = ParseHead(std::string_view(text).substr(0, end));
  if (head.ok()) head->rest = text.substr(end + 4);
  co_return head;
}

async::Task<bool> WriteAll(TlsStreamPtr stream, std::string bytes) {
  auto [error, count] = co_await asio::async_write(*stream, asio::buffer(bytes), kAwait);
  co_return !error;
}

void CloseNow(TlsStream& stream) {
  boost::system::error_code ignored;
  stream.next_layer().close(ignored);
}

KubeletDialer::KubeletDialer(async::Loop& loop, const Authority& authority)
    : loop_(loop), tls_(asio::ssl::context::tls_client) {
  const KeyPair pair =
      authority.ForClient("kube-apiserver-kubelet-client", {"kubeadm:cluster-admins"});
  tls_.use_certificate_chain(asio::buffer(pair.certificate));
  tls_.use_private_key(asio::buffer(pair.key), asio::ssl::context::pem);
  tls_.set_verify_mode(asio::ssl::verify_none);
}

async::Task<absl::StatusOr<TlsStreamPtr>> KubeletDialer::Dial(KubeletTarget target) {
  const std::string what = StrCat("dial tcp ", target.host, ":", target.port);
  boost::system::error_code bad;
  const auto address = asio::ip::make_address(target.host, bad);
  if (bad) co_return absl::InternalError(StrCat(what, ": ", bad.message()));
  auto stream = std::make_shared<TlsStream>(Tcp::socket(loop_.io()), tls_);
  const Tcp::endpoint endpoint(address, target.port);
  auto [refused] = co_await stream->next_layer().async_connect(endpoint, kAwait);
  if (refused) co_return absl::InternalError(StrCat(what, ": ", refused.message()));
  auto [failed] = co_await stream->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (failed) co_return absl::InternalError(StrCat(what, ": ", failed.message()));
  co_return stream;
}

}  // namespace cubelet::fakes
