// How the client proves who it is: a header for each request, a certificate for each connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/exec_plugin.h"
#include "kube/http2_stream.h"
#include "kube/kubeconfig.h"

namespace cubelet::kube {

class Credentials {
 public:
  struct Certificate {
    PemSource certificate;  // empty without one
    PemSource key;
  };

  // `certificate_changed` is called when connections should be made anew.
  Credentials(async::Loop& loop, ClusterAccess access, std::function<void()> certificate_changed);

  // The headers of the next request: authorization and impersonation. A token file is read again
  // when it has changed; while it cannot be read, its last token serves. Errors: there is no token
  // yet, or the exec plugin gave none.
  async::Task<absl::StatusOr<Headers>> ForRequest();

  // What to show in the next TLS handshake. Error: the exec plugin failed.
  async::Task<absl::StatusOr<Certificate>> ForConnection();

  // The server has answered 401.
  void Refused();

 private:
  struct Stamp {
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t changed_nanos = 0;
    bool operator==(const Stamp&) const = default;
  };
  absl::Status ReadTokenFile();

  async::Loop& loop_;
  const ClusterAccess access_;
  std::unique_ptr<ExecPlugin> exec_;
  std::string file_token_;
  Stamp file_stamp_;
};

}  // namespace cubelet::kube
