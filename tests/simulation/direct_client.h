// The fake API server as a kube::Client, without sockets: for tests and simulations on any loop.
#pragma once

#include <memory>
#include <string>

#include "async/loop.h"
#include "fakes/api_server/api.h"
#include "kube/client.h"

namespace cubelet::simulation {

class DirectClient final : public kube::Client {
 public:
  // Comes as `user` of the groups that nodes have; both outlive the client.
  DirectClient(async::Loop& loop, fakes::FakeApi& api, std::string user);

  // While cut off nothing reaches the server, and its watches have broken.
  void SetCutOff(bool cut_off);

  async::Task<absl::StatusOr<kube::Answer>> Do(kube::Request request) override;
  async::Task<absl::StatusOr<std::unique_ptr<kube::WatchStream>>> Watch(
      kube::Request request) override;
  void CloseConnections() override;
  void RetireConnections() override {}

 private:
  class Stream;
  fakes::ApiRequest ToApi(const kube::Request& request) const;

  async::Loop& loop_;
  fakes::FakeApi& api_;
  const std::string user_;
  bool cut_off_ = false;
  uint64_t connection_ = 0;  // streams of an earlier one have broken
};

}  // namespace cubelet::simulation
