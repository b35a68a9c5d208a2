#include "containers/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Made {
  criv1::DNSConfig dns;
  std::vector<Warning> warnings;
};

Made Make(std::string_view spec, const NodeContext& node,
          const std::optional<ResolvConf>& host = std::nullopt) {
  Made made;
  made.dns = MakeDnsConfig(PodOf(spec), node, host, &made.warnings);
  return made;
}

TEST(ResolvConf, IsParsed) {
  const auto config = ParseResolvConf(
      "# a comment\n"
      "nameserver 1.1.1.1\r\n"
      "  nameserver\t8.8.8.8 trailing\n"
      "search old.example\n"
      "search a.example. . b.example\n"
      "options ndots:1 edns0\n"
      "options ndots:3\n"
      "sortlist x\n"
      "nameserverx y");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->nameservers, ElementsAre("1.1.1.1", "8.8.8.8"));
  EXPECT_THAT(config->searches, ElementsAre("a.example", "b.example"));
  EXPECT_THAT(config->options, ElementsAre("ndots:3", "edns0"));
}

TEST(ResolvConf, RefusesWhatItCannotRead) {
  EXPECT_EQ(ErrorOf(ParseResolvConf("search x\nnameserver \n")),
            "resolv.conf line 2: nameserver without an address");
  EXPECT_FALSE(ParseResolvConf(std::string(kMaxResolvConfBytes + 1, '#')).ok());
  EXPECT_TRUE(ParseResolvConf("").ok());
}

TEST(DnsConfig, ClusterFirstPutsTheClusterBeforeTheHost) {
  const ResolvConf host{
      .nameservers = {"1.1.1.1"}, .searches = {"corp", "cluster.local"}, .options = {"rotate"}};
  const Made made = Make("dnsPolicy: ClusterFirst", Node(), host);
  EXPECT_THAT(made.dns.servers(), ElementsAre("10.96.0.10"));
  EXPECT_THAT(made.dns.searches(),
              ElementsAre("ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp"));
  EXPECT_THAT(made.dns.options(), ElementsAre("ndots:5"));
  EXPECT_THAT(made.warnings, IsEmpty());
}

TEST(DnsConfig, WithoutClusterDomainOnlyHostSearchesStay) {
  NodeContext node = Node();
  node.cluster_domain = "";
  const Made made = Make("dnsPolicy: ClusterFirst", node, ResolvConf{.searches = {"corp"}});
  EXPECT_THAT(made.dns.searches(), ElementsAre("corp"));
}

TEST(DnsConfig, PoliciesSelectTheSource) {
  const ResolvConf host{.nameservers = {"1.1.1.1"}, .options = {"rotate"}};
  const struct {
    const char* spec;
    const char* server;
  } cases[] = {
      {"dnsPolicy: Default", "1.1.1.1"},
      {"{dnsPolicy: ClusterFirst, hostNetwork: true}", "1.1.1.1"},
      {"{dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true}", "10.96.0.10"},
      {"dnsPolicy: Unheard", "10.96.0.10"},
      {"dnsPolicy: None", ""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(absl::StrJoin(Make(c.spec, Node(), host).dns.servers(), " "), c.server) << c.spec;
}

TEST(DnsConfig, WithoutHostFileServersLeadNowhere) {
  NodeContext node = Node();
  node.host_ips = {"10.0.0.1", "fd00::1"};
  const Made made = Make("dnsPolicy: Default", node);
  EXPECT_THAT(made.dns.servers(), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(made.dns.searches(), ElementsAre("."));
  node.host_ips = {};
  EXPECT_THAT(Make("dnsPolicy: Default", node).dns.servers(), ElementsAre("127.0.0.1"));
}

TEST(DnsConfig, MissingClusterDnsFallsBackAndWarns) {
  NodeContext node = Node();
  node.cluster_dns = {};
  const Made made = Make("dnsPolicy: ClusterFirst", node, ResolvConf{.nameservers = {"1.1.1.1"}});
  EXPECT_THAT(made.dns.servers(), ElementsAre("1.1.1.1"));
  ASSERT_THAT(made.warnings, SizeIs(2));
  const std::string text =
      "kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" "
      "policy. Falling back to \"Default\" policy.";
  EXPECT_TRUE(made.warnings[0].about_node);
  EXPECT_EQ(made.warnings[0].reason, "MissingClusterDNS");
  EXPECT_EQ(made.warnings[0].message, text);
  EXPECT_FALSE(made.warnings[1].about_node);
  EXPECT_EQ(made.warnings[1].message, "pod: \"p_ns(u1)\". " + text);
}

TEST(DnsConfig, PodConfigIsMerged) {
  const Made made = Make(R"(
dnsPolicy: ClusterFirst
dnsConfig:
  nameservers: [10.96.0.10, 9.9.9.9]
  searches: [cluster.local, x.example]
  options: [{name: ndots, value: "2"}, {name: edns0}])",
                         Node());
  EXPECT_THAT(made.dns.servers(), ElementsAre("10.96.0.10", "9.9.9.9"));
  EXPECT_THAT(made.dns.searches(), ElementsAre("ns.svc.cluster.local", "svc.cluster.local",
                                               "cluster.local", "x.example"));
  EXPECT_THAT(made.dns.options(), ElementsAre("ndots:2", "edns0"));
}

TEST(DnsConfig, NameserversAreLimited) {
  const Made made = Make(
      "{dnsPolicy: None, dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3, 4.4.4.4]}}", Node());
  EXPECT_THAT(made.dns.servers(), ElementsAre("1.1.1.1", "2.2.2.2", "3.3.3.3"));
  ASSERT_THAT(made.warnings, SizeIs(1));
  EXPECT_EQ(made.warnings[0].reason, "DNSConfigForming");
  EXPECT_EQ(made.warnings[0].message,
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied "
            "nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3");
}

TEST(DnsConfig, SearchesAreLimitedInNumberLengthAndSum) {
  const auto searches_of = [](const std::vector<std::string>& searches) {
    return Make("dnsPolicy: Default", Node(), ResolvConf{.searches = searches});
  };
  std::vector<std::string> many;
  for (int i = 0; i < 33; ++i) many.push_back(StrCat("s", i));
  const Made by_number = searches_of(many);
  EXPECT_EQ(by_number.dns.searches_size(), 32);
  ASSERT_THAT(by_number.warnings, SizeIs(1));
  EXPECT_EQ(by_number.warnings[0].message,
            StrCat("Search Line limits were exceeded, some search paths have been omitted, the "
                   "applied search line is: ",
                   absl::StrJoin(by_number.dns.searches(), " ")));

  const Made by_length = searches_of({"a", std::string(254, 'x'), std::string(253, 'y')});
  EXPECT_THAT(by_length.dns.searches(), ElementsAre("a", std::string(253, 'y')));
  EXPECT_THAT(by_length.warnings, SizeIs(1));

  // Nine of 227 and their eight blanks are 2051 bytes.
  std::vector<std::string> nine;
  for (char c = 'a'; c < 'j'; ++c) nine.emplace_back(227, c);
  const Made by_sum = searches_of(nine);
  EXPECT_EQ(by_sum.dns.searches_size(), 8);
  EXPECT_THAT(by_sum.warnings, SizeIs(1));

  many.pop_back();
  EXPECT_THAT(searches_of(many).warnings, IsEmpty());
}

TEST(HostResolvConf, IsCheckedOnce) {
  const auto checked = [](std::string_view text, std::string domain = "cluster.local") {
    NodeContext node = Node();
    node.cluster_domain = std::move(domain);
    const auto warning = CheckHostResolvConf("/etc/resolv.conf", text, node);
    if (!warning) return std::string();
    EXPECT_EQ(warning->reason, "CheckLimitsForResolvConf");
    EXPECT_TRUE(warning->about_node);
    return warning->message;
  };
  std::string search = "search";
  for (int i = 0; i < 30; ++i) StrAppend(&search, " s", i);
  EXPECT_EQ(checked("nameserver 1.1.1.1\nsearch a b"), "");
  EXPECT_EQ(checked(search, ""), "");
  EXPECT_EQ(checked(search),
            "Resolv.conf file '/etc/resolv.conf' contains search line consisting of more than 29 "
            "domains!");
  EXPECT_EQ(checked("search " + std::string(254, 'x')),
            "Resolv.conf file \"/etc/resolv.conf\" contains a search path which length is more "
            "than allowed 253 chars!");
  std::string wide = "search";
  for (int i = 0; i < 9; ++i) StrAppend(&wide, " ", std::string(240, 'x'));
  EXPECT_EQ(checked(wide),
            "Resolv.conf file '/etc/resolv.conf' contains search line which length is more than "
            "allowed 2048 chars!");
  EXPECT_EQ(checked("nameserver"), "resolv.conf line 1: nameserver without an address");
}

}  // namespace
}  // namespace cubelet::containers
