#include "kube/server_address.h"

#include <gtest/gtest.h>

namespace cubelet::kube {
namespace {

TEST(ServerAddress, Parses) {
  struct Case {
    const char* text;
    const char* authority;
    const char* host_port;
    const char* path;
  };
  const Case cases[] = {
      {"https://10.0.0.1:6443", "10.0.0.1:6443", "10.0.0.1:6443", ""},
      {"https://api.example.com", "api.example.com", "api.example.com:443", ""},
      {"https://[fd00::1]:443/", "[fd00::1]", "[fd00::1]:443", ""},
      {"https://a/k8s/clusters/c-1/", "a", "a:443", "/k8s/clusters/c-1"},
      {"api:6443", "api:6443", "api:6443", ""},
  };
  for (const Case& c : cases) {
    const auto address = ParseServerAddress(c.text);
    ASSERT_TRUE(address.ok()) << c.text << ": " << address.status();
    EXPECT_EQ(address->Authority(), c.authority);
    EXPECT_EQ(address->HostPort(), c.host_port);
    EXPECT_EQ(address->path, c.path);
  }
}

TEST(ServerAddress, Refuses) {
  for (const char* text : {"", "http://a", "ftp://a", "https://", "https://a:0", "https://a:65536",
                           "https://[::1", "https://a b", "https://u:p@a", "https://a?x", "a:b:c"})
    EXPECT_FALSE(ParseServerAddress(text).ok()) << text;
}

TEST(ProxyAddress, KeepsUserAndPassword) {
  const auto proxy = ParseProxyAddress("http://me:p%40ss@proxy:3128");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  EXPECT_EQ(proxy->user_info, "me:p@ss");
  EXPECT_EQ(proxy->HostPort(), "proxy:3128");
  EXPECT_FALSE(ParseProxyAddress("https://proxy").ok());
}

TEST(ProxyFor, ObeysNoProxy) {
  const auto proxied = [](const char* server, const char* no_proxy) {
    return ProxyFor(*ParseServerAddress(server), {"http://p", no_proxy}) == "http://p";
  };
  EXPECT_TRUE(proxied("https://api.example.com", ""));
  EXPECT_FALSE(proxied("https://127.0.0.1:6443", ""));
  EXPECT_FALSE(proxied("https://localhost:6443", ""));
  EXPECT_FALSE(proxied("https://api.example.com", "a, example.com"));
  EXPECT_FALSE(proxied("https://api.example.com", ".example.com"));
  EXPECT_TRUE(proxied("https://example.com", ".example.com"));
  EXPECT_FALSE(proxied("https://10.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(proxied("https://11.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(proxied("https://[fd00::5]", "fd00::/16"));
  EXPECT_FALSE(proxied("https://[fd00::5]", "fd00::5"));
  EXPECT_FALSE(proxied("https://a:8443", "a:8443"));
  EXPECT_TRUE(proxied("https://a", "a:8443"));
  EXPECT_FALSE(proxied("https://a", "*"));
}

}  // namespace
}  // namespace cubelet::kube
