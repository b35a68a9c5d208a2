// A whole fake API server in this process: kubectl, kubelets and tests talk to it over HTTP/2 and
// TLS, tests also reach into it.
//
//   FakeApiServer server(loop);
//   ASSIGN_OR_RETURN(uint16_t port, server.Start());
//   WriteFile(path, server.NodeKubeconfig("lab"));
//   server.api().Create(pod);
//   server.http().CutConnections();
//   ... co_await server.Stop();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "fakes/api_server/api.h"
#include "fakes/api_server/http_server.h"

namespace cubelet::fakes {

class FakeApiServer {
 public:
  explicit FakeApiServer(async::Loop& loop) : api_(loop), http_(loop, api_) {}

  // 0 takes any free port of 127.0.0.1.
  absl::StatusOr<uint16_t> Start(uint16_t port = 0);
  async::Task<void> Stop() { return http_.Stop(); }

  // Kubeconfig texts, all inline; after Start.
  std::string AdminKubeconfig() const;
  std::string NodeKubeconfig(const std::string& node) const;
  std::string Kubeconfig(const std::string& user, const std::vector<std::string>& groups) const;
  // `token` must have been given to identities(): bootstrap tokens, service accounts.
  std::string TokenKubeconfig(const std::string& token) const;

  std::string Address() const;  // "https://127.0.0.1:<port>"
  std::string CaPem() const { return api_.authority().CertificatePem(); }

  FakeApi& api() { return api_; }
  HttpServer& http() { return http_; }

 private:
  FakeApi api_;
  HttpServer http_;
  uint16_t port_ = 0;
};

}  // namespace cubelet::fakes
