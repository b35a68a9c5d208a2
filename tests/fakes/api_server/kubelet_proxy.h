// Passes on to kubelets what only they can answer.
#pragma once

#include <optional>
#include <string>

#include "async/loop.h"
#include "async/scope.h"
#include "fakes/api_server/api.h"
#include "fakes/api_server/tls_stream.h"

namespace cubelet::fakes {

class KubeletProxy {
 public:
  // Copies bytes in tasks of `scope`.
  KubeletProxy(async::Loop& loop, FakeApi& api, async::TaskScope& scope)
      : dialer_(loop, api.authority()), api_(api), scope_(scope) {}

  // The kubelet's answer to a GET, its body as a stream; an error's answer when it cannot be had.
  async::Task<ApiAnswer> Get(KubeletTarget target);

  // Serves one request of a client that speaks HTTP/1.1: an upgrade (exec, attach, port-forward) is
  // handed through to the kubelet and lasts until either side ends; everything else is answered
  // and the connection closed.
  async::Task<void> ServeClient(TlsStreamPtr client, std::optional<User> user,
                                bool bad_certificate);

 private:
  async::Task<void> PassOn(TlsStreamPtr client, Http1Head head, KubeletTarget target);
  async::Task<void> CopyBody(TlsStreamPtr kubelet, std::weak_ptr<BodyStream> body);
  static async::Task<void> Copy(TlsStreamPtr from, TlsStreamPtr to);

  KubeletDialer dialer_;
  FakeApi& api_;
  async::TaskScope& scope_;
};

}  // namespace cubelet::fakes
