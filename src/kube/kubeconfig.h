// kubeconfig files: where an API server is, how to know it, and how to prove who we are.
//
//   ASSIGN_OR_RETURN(ClusterAccess access, LoadKubeconfig("/etc/kubernetes/kubelet.conf"));
//
// The file is read as client-go reads it: YAML or JSON, unknown fields passed over, relative paths
// relative to the file, "-data" fields before the files of the same name. Only what the current
// context names is looked at.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace cubelet::kube {

// PEM text, or the absolute path of a file that holds it; a file is read whenever it is used.
struct PemSource {
  std::string data;
  std::string file;

  bool empty() const { return data.empty() && file.empty(); }
};

// A program that gives credentials (client.authentication.k8s.io).
struct ExecConfig {
  std::string api_version;  // "client.authentication.k8s.io/v1" or ".../v1beta1"
  std::string command;      // a path, or a name looked up in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::string install_hint;
  bool provide_cluster_info = false;
  boost::json::value cluster_config;  // of the cluster's extension for exec plugins; or null
};

struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> extra;
};

struct ClusterAccess {
  std::string server;           // "https://10.0.0.1:6443"
  PemSource authority;          // empty: the system's
  bool insecure = false;        // any certificate will do
  std::string tls_server_name;  // to expect in the certificate instead of the server's host
  std::string proxy_url;
  bool disable_compression = false;

  PemSource client_certificate;
  PemSource client_key;
  std::string token;
  std::string token_file;  // goes before `token`
  std::string username;
  std::string password;
  std::optional<ExecConfig> exec;
  Impersonation impersonate;
};

// What the current context of the text gives; `path` is for messages and relative paths. Errors
// name the file, the field and what is wrong with it, never a secret.
absl::StatusOr<ClusterAccess> ParseKubeconfig(std::string_view text, const std::string& path);

// The same of a file. NOT_FOUND when it is not there.
absl::StatusOr<ClusterAccess> LoadKubeconfig(const std::string& path);

}  // namespace cubelet::kube
