// A node made of real parts: a containerd of its own and the kubelet program, in the world of
// isolation.h. Everything blocks, bounded in time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/test_pki.h"
#include "e2e/child_process.h"
#include "e2e/http_get.h"
#include "e2e/isolation.h"
#include "e2e/runtime_view.h"
#include "server/status_report.h"

namespace cubelet::e2e {

inline constexpr char kNodeName[] = "e2e";
inline constexpr char kBusybox[] = "cubelet.test/busybox:1";

struct NodeOptions {
  World world;
  std::string name;           // of a directory in the world, and of a bridge
  int subnet = 1;             // pods get addresses of 10.213.<subnet>.0/24
  std::string kubelet;        // the program
  std::string configuration;  // further lines of KubeletConfiguration
  std::string fake_runtime;   // the program that takes containerd's place, "" for containerd
};

class Node {
 public:
  // Makes directories and configuration; nothing runs yet.
  static absl::StatusOr<std::unique_ptr<Node>> Create(NodeOptions options);

  // Ends what runs; containers are left to the end of the world.
  ~Node() = default;

  // ---- The runtime
  absl::Status StartRuntime();  // until it answers; images are there
  absl::Status EndRuntime(int signal);
  const RuntimeView& runtime() const { return runtime_; }
  // Kills the process of a container or a sandbox behind the kubelet's back.
  absl::Status KillTask(const std::string& id);

  // ---- The kubelet
  absl::Status StartKubelet();  // until /healthz says ok
  absl::Status StartKubeletWithoutWaiting();
  absl::StatusOr<int> EndKubelet(int signal);  // its exit code, or 128 + the signal
  bool kubelet_runs() { return kubelet_ != nullptr && kubelet_->running(); }
  ChildProcess& kubelet() { return *kubelet_; }
  bool Healthy() const;

  // ---- Manifests, by name without ".yaml"
  absl::Status WriteManifest(std::string_view name, std::string_view yaml);
  absl::Status RemoveManifest(std::string_view name);

  // ---- What the kubelet says
  // Over the status socket, as `kubelet status` does.
  absl::StatusOr<server::StatusReport> Status() const;
  // GET on the read-only port: "/pods", "/metrics".
  absl::StatusOr<HttpAnswer> Get(const std::string& path) const;
  std::string KubeletLog() const;
  // What opens port 10250: a client certificate that the kubelet takes.
  const certs::TestCertificate& identity() const { return identity_; }

  // ---- Places
  const std::string& directory() const { return directory_; }
  std::string root() const { return directory_ + "/kubelet"; }  // --root-dir
  std::string pod_logs() const { return directory_ + "/logs"; }
  std::string manifests() const { return directory_ + "/manifests"; }

 private:
  explicit Node(NodeOptions options);
  std::vector<std::string> ShellCommand(const std::string& script) const;
  std::vector<std::string> ShellEnvironment() const;
  absl::Status Shell(const std::string& script);
  absl::Status StartContainerd();
  absl::Status StartFakeRuntime();
  absl::Status WriteConfiguration();
  std::string StatusSocket() const { return directory_ + "/run/status.sock"; }

  const NodeOptions options_;
  const std::string directory_;
  const std::string socket_;
  const RuntimeView runtime_;
  const certs::TestCertificate authority_;
  const certs::TestCertificate identity_;
  bool images_loaded_ = false;
  std::unique_ptr<ChildProcess> runtime_process_;
  std::unique_ptr<ChildProcess> kubelet_;
};

}  // namespace cubelet::e2e
