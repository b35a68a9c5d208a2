#include "kube/kubeconfig_text.h"

#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

// A JSON string is a YAML string, whatever is in it.
void AddField(const char* name, const std::string& value, std::string* text) {
  if (!value.empty()) StrAppend(text, "    ", name, ": ", JsonQuote(value), "\n");
}

}  // namespace

std::string KubeconfigText(const ClusterAccess& access, const std::string& certificate_path) {
  std::string text =
      "apiVersion: v1\nkind: Config\nclusters:\n- name: default-cluster\n  cluster:\n";
  AddField("certificate-authority", access.authority.file, &text);
  AddField("certificate-authority-data", absl::Base64Escape(access.authority.data), &text);
  if (access.insecure) text += "    insecure-skip-tls-verify: true\n";
  if (access.disable_compression) text += "    disable-compression: true\n";
  AddField("proxy-url", access.proxy_url, &text);
  AddField("server", access.server, &text);
  AddField("tls-server-name", access.tls_server_name, &text);
  text += "users:\n- name: default-auth\n  user:\n";
  AddField("client-certificate", certificate_path, &text);
  AddField("client-key", certificate_path, &text);
  text += "contexts:\n- name: default-context\n  context:\n";
  AddField("cluster", "default-cluster", &text);
  AddField("namespace", "default", &text);
  AddField("user", "default-auth", &text);
  text += "current-context: default-context\n";
  return text;
}

}  // namespace cubelet::kube
