// Credentials from a program (client.authentication.k8s.io v1 and v1beta1).
//
// The program is told about the cluster in KUBERNETES_EXEC_INFO and prints an ExecCredential with a
// token, a certificate, or both. What it gave is used until it expires, or until the server has
// refused it. It runs on the pool; only one at a time.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/signal.h"
#include "async/task.h"
#include "kube/kubeconfig.h"

namespace cubelet::kube {

struct ExecCredential {
  std::string token;
  std::string certificate;  // PEM; "" without one
  std::string key;
  absl::Time expires = absl::InfiniteFuture();

  bool operator==(const ExecCredential&) const = default;
};

class ExecPlugin {
 public:
  // `access.exec` is set. `certificate_changed` is called when the program has given another
  // certificate than before.
  ExecPlugin(async::Loop& loop, ClusterAccess access, std::function<void()> certificate_changed);

  // What is at hand, or what the program gives now. Error: `exec plugin aws: exit status 1: <the
  // first line of its error output>`, an answer that is none.
  async::Task<absl::StatusOr<ExecCredential>> Get();

  // The server has answered 401: the next Get asks the program.
  void Refused() { credential_.expires = absl::InfinitePast(); }

 private:
  bool Fresh() const;
  async::Task<absl::StatusOr<ExecCredential>> Ask();

  async::Loop& loop_;
  const ClusterAccess access_;
  std::function<void()> certificate_changed_;
  ExecCredential credential_{.expires = absl::InfinitePast()};
  async::Semaphore running_;
};

// What the program printed. Pure. Errors name the field.
absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view output,
                                                   std::string_view api_version);

// The value of KUBERNETES_EXEC_INFO. Pure. `authority` is the PEM text of the cluster's authority.
std::string ExecInfo(const ClusterAccess& access, std::string_view authority);

}  // namespace cubelet::kube
