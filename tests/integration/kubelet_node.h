// The kubelet program and the fake runtime's, as an operator would start them: each a process of
// its own, with a directory, ports and sockets that nobody else has.
#pragma once

// First, as CRI's signals have the names of macros in <signal.h>.
#include "cri/types.h"
//
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "e2e/child_process.h"
#include "e2e/http_get.h"
#include "e2e/runtime_view.h"
#include "integration/https_get.h"
#include "os/process.h"
#include "server/status_report.h"

namespace cubelet::integration {

inline constexpr char kNodeName[] = "it";
inline constexpr absl::Duration kLimit = absl::Seconds(20);

class KubeletTest : public ::testing::Test {
 protected:
  KubeletTest();
  void SetUp() override;     // skips where a kubelet cannot run
  void TearDown() override;  // ends what runs; the kubelet's log goes with a failed case

  // ---- The fake runtime, with further flags; returns when it answers.
  void StartRuntime(std::vector<std::string> flags = {});
  e2e::ChildProcess& runtime_process() { return *runtime_process_; }
  e2e::RuntimeView runtime() const { return e2e::RuntimeView(runtime_socket()); }
  // Ids of running containers of a pod, by its full name.
  std::vector<std::string> Running(const std::string& pod) const;

  // ---- The kubelet. Its configuration is what a standalone node needs and `configuration`.
  // Returns when /healthz says ok.
  void StartKubelet(const std::string& configuration = "",
                    std::vector<std::string> environment = {});
  e2e::ChildProcess& kubelet() { return *kubelet_; }
  // Runs it with nothing but these arguments, to its end.
  static os::ProcessResult Run(std::vector<std::string> arguments);
  // Runs it with the configuration given as a whole and further arguments, to its end.
  os::ProcessResult RunConfigured(const std::string& configuration,
                                  const std::vector<std::string>& more = {});
  std::string StandaloneConfiguration() const;
  std::string KubeletLog() const;

  // ---- What it says
  absl::StatusOr<server::StatusReport> Status() const;
  os::ProcessResult StatusCommand(std::vector<std::string> arguments = {}) const;
  // The row of a pod by its name in the manifest.
  std::optional<server::PodRow> Row(const std::string& pod) const;
  ::testing::AssertionResult BecomesReady(const std::string& pod,
                                          absl::Duration limit = kLimit) const;
  // Until the row's reason has `text` in it.
  ::testing::AssertionResult SaysOf(const std::string& pod, const std::string& text,
                                    absl::Duration limit = kLimit) const;
  // Until one of the problems has `text` in it.
  ::testing::AssertionResult HasProblem(const std::string& text,
                                        absl::Duration limit = kLimit) const;

  // ---- HTTP
  absl::StatusOr<e2e::HttpAnswer> GetHealth(const std::string& path) const {
    return e2e::HttpGet("127.0.0.1", healthz_port_, path);
  }
  absl::StatusOr<e2e::HttpAnswer> Get(const std::string& path,
                                      const certs::TestCertificate* identity) const {
    return HttpsGet({directory_ + "/pki/kubelet.crt", identity}, port_, path);
  }
  const certs::TestCertificate& client() const { return client_; }

  // ---- Manifests
  static std::string Pod(const std::string& name, const std::string& spec);
  // One container "main" of the image, which runs `command`.
  static std::string Simple(const std::string& name, const std::string& command = "sleep, infinity",
                            const std::string& more = "");
  void WriteManifest(const std::string& name, const std::string& text) const;
  void RemoveManifest(const std::string& name) const;

  const std::string& directory() const { return directory_; }
  std::string runtime_socket() const { return directory_ + "/fake.sock"; }
  std::string manifests() const { return directory_ + "/manifests"; }

 private:
  std::vector<std::string> Arguments(const std::string& configuration) const;
  std::string StatusVariable() const;

  std::string directory_;
  std::string node_ip_;
  int seed_ = 0;
  uint16_t port_ = 0;
  uint16_t healthz_port_ = 0;
  const certs::TestCertificate authority_;
  const certs::TestCertificate client_;
  std::unique_ptr<e2e::ChildProcess> runtime_process_;
  std::unique_ptr<e2e::ChildProcess> kubelet_;
};

}  // namespace cubelet::integration
