// What an API server sends on an HTTP/2 connection: two requests are under way, the bytes come in
// pieces, and everything is read, ended and thrown away again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "kube/http2_session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cubelet;
  if (size == 0) return 0;
  const size_t piece = data[0] % 128 + 1;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto loop = async::Loop::Virtual(absl::FromUnixSeconds(1'800'000'000), 1);
  kube::Http2Session session(*loop);
  std::vector<std::shared_ptr<kube::Http2Stream>> streams;
  for (const char* method : {"GET", "PATCH"}) {
    auto stream = session.Submit(
        {.method = method, .authority = "a", .target = "/api/v1/pods?watch=1", .body = "{}"});
    if (stream.ok()) streams.push_back(*stream);
  }
  (void)session.TakeOutput();
  absl::Status status;
  while (!rest.empty() && status.ok()) {
    status = session.Receive(rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
    for (const auto& stream : streams) {
      session.Consumed(*stream, stream->received.size());
      stream->received.clear();
    }
    (void)session.TakeOutput();
  }
  if (!streams.empty()) session.Cancel(*streams.front());
  (void)session.TakeOutput();
  session.Fail(absl::UnavailableError("ends"));
  return 0;
}
