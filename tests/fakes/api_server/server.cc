#include "fakes/api_server/server.h"

#include <absl/strings/escaping.h>

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

std::string KubeconfigOf(const std::string& address, const std::string& ca,
                         const std::string& user) {
  return StrCat("apiVersion: v1\nkind: Config\nclusters:\n- name: fake\n  cluster:\n    server: ",
                address, "\n    certificate-authority-data: ", absl::Base64Escape(ca),
                "\nusers:\n- name: user\n  user:\n", user,
                "contexts:\n- name: fake\n  context:\n    cluster: fake\n    user: user\n"
                "current-context: fake\n");
}

}  // namespace

absl::StatusOr<uint16_t> FakeApiServer::Start(uint16_t port) {
  ASSIGN_OR_RETURN(port_, http_.Start(port));
  return port_;
}

std::string FakeApiServer::Address() const { return StrCat("https://127.0.0.1:", port_); }

std::string FakeApiServer::Kubeconfig(const std::string& user,
                                      const std::vector<std::string>& groups) const {
  const KeyPair pair = api_.authority().ForClient(user, groups);
  return KubeconfigOf(Address(), CaPem(),
                      StrCat("    client-certificate-data: ", absl::Base64Escape(pair.certificate),
                             "\n    client-key-data: ", absl::Base64Escape(pair.key), "\n"));
}

std::string FakeApiServer::AdminKubeconfig() const {
  return Kubeconfig("kubernetes-admin", {"system:masters"});
}

std::string FakeApiServer::NodeKubeconfig(const std::string& node) const {
  return Kubeconfig(StrCat("system:node:", node), {"system:nodes"});
}

std::string FakeApiServer::TokenKubeconfig(const std::string& token) const {
  return KubeconfigOf(Address(), CaPem(), StrCat("    token: ", token, "\n"));
}

}  // namespace cubelet::fakes
