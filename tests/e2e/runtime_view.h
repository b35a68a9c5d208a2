// What a container runtime has, asked over its socket the way the kubelet asks. Blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cri/types.h"

namespace cubelet::e2e {

struct Container {
  std::string id;
  std::string pod;  // the pod's name
  std::string pod_uid;
  std::string sandbox;  // its id
  std::string name;
  uint32_t attempt = 0;
  bool running = false;
  absl::Time created;
};

class RuntimeView {
 public:
  explicit RuntimeView(const std::string& socket);

  // Whether the runtime answers.
  absl::Status Check() const { return Version().status(); }
  absl::StatusOr<std::string> Version() const;  // "v2.1.9", "1.6.20~ds1"

  // All containers, running or not, oldest first.
  absl::StatusOr<std::vector<Container>> Containers() const;
  absl::StatusOr<criv1::ContainerStatus> ContainerStatus(const std::string& id) const;

  // Ids of all sandboxes, ready or not.
  absl::StatusOr<std::vector<std::string>> Sandboxes() const;

  // The output of a command in a container. Error also when the command fails.
  absl::StatusOr<std::string> Exec(const std::string& container_id,
                                   std::vector<std::string> command) const;

 private:
  struct Connection;
  template <typename T, typename Make>
  T Ask(Make make) const;

  Connection* connection_;
};

}  // namespace cubelet::e2e
