#include "kube/kubeconfig.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::kube {
namespace {

constexpr char kPath[] = "/etc/kubernetes/kubelet.conf";

// What kubeadm and the Go kubelet write.
constexpr char kKubeadm[] = R"(
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.0.0.1:6443
  name: default-cluster
contexts:
- context: {cluster: default-cluster, namespace: default, user: default-auth}
  name: default-context
current-context: default-context
preferences: {}
users:
- name: default-auth
  user:
    client-certificate: pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
)";

std::string With(std::string_view cluster, std::string_view user) {
  return StrCat("{clusters: [{name: c, cluster: {", cluster, "}}], users: [{name: u, user: {", user,
                "}}], contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}");
}

std::string ErrorOf(std::string_view text) {
  return std::string(Message(ParseKubeconfig(text, kPath).status()));
}

TEST(Kubeconfig, ReadsWhatKubeadmWrites) {
  const auto access = ParseKubeconfig(kKubeadm, kPath);
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->authority.data, "CA");
  EXPECT_EQ(access->client_certificate.file, "/etc/kubernetes/pki/kubelet-client-current.pem");
  EXPECT_EQ(access->client_key.file, "/var/lib/kubelet/pki/kubelet-client-current.pem");
  EXPECT_FALSE(access->insecure);
}

TEST(Kubeconfig, ReadsEveryWayToProveOneself) {
  auto access = ParseKubeconfig(With("server: 'https://a', tls-server-name: api, proxy-url: "
                                     "'http://p:3128', disable-compression: true",
                                     "token: t, tokenFile: token"),
                                kPath);
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->tls_server_name, "api");
  EXPECT_EQ(access->proxy_url, "http://p:3128");
  EXPECT_TRUE(access->disable_compression);
  EXPECT_EQ(access->token, "t");
  EXPECT_EQ(access->token_file, "/etc/kubernetes/token");

  access = ParseKubeconfig(With("server: 'https://a', insecure-skip-tls-verify: true",
                                "username: me, password: secret, as: other, as-groups: [g], "
                                "as-user-extra: {k: [v, w]}"),
                           kPath);
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_TRUE(access->insecure);
  EXPECT_EQ(access->username + access->password, "mesecret");
  EXPECT_EQ(access->impersonate.user, "other");
  EXPECT_EQ(access->impersonate.extra.size(), 2);

  access = ParseKubeconfig(
      With("server: 'https://a', extensions: [{name: client.authentication.k8s.io/exec, "
           "extension: {audience: x}}]",
           "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/aws, args: [a, b], "
           "env: [{name: REGION, value: v}], provideClusterInfo: true, interactiveMode: Never}"),
      kPath);
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->exec->command, "/etc/kubernetes/./bin/aws");
  EXPECT_EQ(access->exec->arguments, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(access->exec->provide_cluster_info);
  EXPECT_TRUE(access->exec->cluster_config.is_object());
}

TEST(Kubeconfig, ErrorsNameFileFieldAndValue) {
  const std::string file = "kubeconfig /etc/kubernetes/kubelet.conf: ";
  EXPECT_EQ(ErrorOf("{}"), file + ".current-context: it is missing");
  EXPECT_EQ(ErrorOf("{current-context: x}"), file + ".contexts: there is no context \"x\"");
  EXPECT_EQ(ErrorOf("{current-context: 3}"), file + ".current-context: want a string");
  EXPECT_EQ(ErrorOf(With("server: 'http://a'", "")),
            file +
                ".clusters[0].cluster.server: address \"http://a\": only https is spoken with "
                "an API server, as credentials go over the connection");
  EXPECT_EQ(ErrorOf(With("server: 'https://a', certificate-authority-data: '*'", "")),
            file + ".clusters[0].cluster.certificate-authority-data: it is not base64");
  EXPECT_EQ(ErrorOf(With("server: 'https://a', proxy-url: 'socks5://u:pw@p'", "")),
            file +
                ".clusters[0].cluster.proxy-url: proxies of the kind \"socks5\" are not spoken, "
                "only http");
  EXPECT_EQ(ErrorOf(With("server: 'https://a'", "token: t, username: u")),
            file + ".users[0].user.username: it may not be there together with a token");
  EXPECT_EQ(ErrorOf(With("server: 'https://a'", "client-certificate: c")),
            file +
                ".users[0].user.client-certificate and client-key: one is there without the "
                "other");
  EXPECT_EQ(ErrorOf(With("server: 'https://a'", "exec: {apiVersion: v1, command: c}")),
            file +
                ".users[0].user.exec.apiVersion: want client.authentication.k8s.io/v1 or "
                "v1beta1, got \"v1\"");
  EXPECT_EQ(ErrorOf(With("server: 'https://a'", "auth-provider: {name: gcp}")),
            file + ".users[0].user.auth-provider: Kubernetes has removed it; use exec");
  EXPECT_NE(ErrorOf("a: [").find(file), std::string::npos);
}

}  // namespace
}  // namespace cubelet::kube
