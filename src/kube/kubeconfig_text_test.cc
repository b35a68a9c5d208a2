#include "kube/kubeconfig_text.h"

#include <gtest/gtest.h>

namespace cubelet::kube {
namespace {

TEST(KubeconfigText, IsReadAsItWasMeant) {
  ClusterAccess access;
  access.server = "https://[fd00::1]:6443";
  access.authority.data = "-----BEGIN CERTIFICATE-----\n";
  access.tls_server_name = "api: \"internal\" #1";
  access.proxy_url = "http://proxy:3128";
  access.token = "abcdef.0123456789abcdef";
  const std::string text = KubeconfigText(access, "/pki/kubelet-client-current.pem");
  EXPECT_EQ(text.find(access.token), std::string::npos);

  const auto read = ParseKubeconfig(text, "/etc/kubernetes/kubelet.conf");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->server, access.server);
  EXPECT_EQ(read->authority.data, access.authority.data);
  EXPECT_EQ(read->tls_server_name, access.tls_server_name);
  EXPECT_EQ(read->proxy_url, access.proxy_url);
  EXPECT_EQ(read->token, "");
  EXPECT_EQ(read->client_certificate.file, "/pki/kubelet-client-current.pem");
  EXPECT_EQ(read->client_key.file, "/pki/kubelet-client-current.pem");
}

TEST(KubeconfigText, NamesFilesWhereTheBootstrapKubeconfigDoes) {
  ClusterAccess access;
  access.server = "https://10.0.0.1:6443";
  access.authority.file = "/etc/kubernetes/pki/ca.crt";
  const auto read = ParseKubeconfig(KubeconfigText(access, "/x.pem"), "/k");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->authority.file, "/etc/kubernetes/pki/ca.crt");
  EXPECT_EQ(read->authority.data, "");
  access.authority = {};
  access.insecure = true;
  EXPECT_TRUE(ParseKubeconfig(KubeconfigText(access, "/x.pem"), "/k")->insecure);
}

}  // namespace
}  // namespace cubelet::kube
