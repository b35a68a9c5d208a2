#include "containers/hostname.h"

#include <gtest/gtest.h>

#include "containers/hosts_file.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

v1::Pod Named(std::string_view spec, std::string name) {
  v1::Pod pod = PodOf(spec);
  pod.mutable_metadata()->set_name(std::move(name));
  return pod;
}

TEST(Hostname, ComesFromTheSpecOrTheName) {
  const std::string long_name = std::string(62, 'a') + ".b";
  const std::string wide = std::string(40, 'a') + "." + std::string(40, 'b');
  const struct {
    std::string spec, pod_name, hostname, domain;
  } cases[] = {
      {"{}", "web-0", "web-0", ""},
      {"{}", "my.pod", "my.pod", ""},
      {"{}", long_name, std::string(62, 'a'), ""},
      {"{hostname: h, subdomain: s}", "p", "h", "s.ns.svc.cluster.local"},
      {"{subdomain: s}", "p", "p", "s.ns.svc.cluster.local"},
      {"{hostnameOverride: a.b.c, subdomain: s, setHostnameAsFQDN: true}", "p", "a.b.c", ""},
      {"{hostnameOverride: " + wide + "}", "p", wide.substr(0, 63), ""},
  };
  for (const auto& c : cases) {
    const auto name = HostnameOf(Named(c.spec, c.pod_name), "cluster.local");
    ASSERT_TRUE(name.ok()) << name.status();
    EXPECT_EQ(name->hostname, c.hostname);
    EXPECT_EQ(name->domain, c.domain);
  }
}

TEST(Hostname, RefusesWhatDnsDoesNotAllow) {
  const std::string label_form =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const std::string long_label(64, 'a');
  const struct {
    std::string spec, pod_name, error;
  } cases[] = {
      {"{hostname: Bad_}", "p", "pod Hostname \"Bad_\" is not a valid DNS label: " + label_form},
      {"{hostname: a.b}", "p",
       "pod Hostname \"a.b\" is not a valid DNS label: must not contain dots"},
      {"{hostname: " + long_label + "}", "p",
       "pod Hostname \"" + long_label +
           "\" is not a valid DNS label: must be no more than 63 characters"},
      {"{subdomain: -s}", "p", "pod Subdomain \"-s\" is not a valid DNS label: " + label_form},
      {"{hostnameOverride: a..b}", "p",
       "pod HostnameOverride \"a..b\" is not a valid DNS subdomain: a lowercase RFC 1123 subdomain "
       "must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
       "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
       "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
      {"{}", std::string(70, '-'),
       "hostname for pod \"" + std::string(70, '-') + "\" was invalid: \"" + std::string(70, '-') +
           "\""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ErrorOf(HostnameOf(Named(c.spec, c.pod_name), "cluster.local")), c.error);
}

TEST(KernelHostname, HasTheDomainWhenAsked) {
  const PodHostname name{.hostname = "h", .domain = "s.ns.svc.cluster.local"};
  EXPECT_EQ(*KernelHostname(PodOf("{}"), name), "h");
  EXPECT_EQ(*KernelHostname(PodOf("setHostnameAsFQDN: false"), name), "h");
  EXPECT_EQ(*KernelHostname(PodOf("setHostnameAsFQDN: true"), name), "h.s.ns.svc.cluster.local");
  EXPECT_EQ(*KernelHostname(PodOf("setHostnameAsFQDN: true"), {.hostname = "h"}), "h");
}

TEST(KernelHostname, HasALimit) {
  const v1::Pod pod = PodOf("setHostnameAsFQDN: true");
  const PodHostname fits{.hostname = std::string(60, 'h'), .domain = "abc"};
  EXPECT_TRUE(KernelHostname(pod, fits).ok());
  const PodHostname over{.hostname = std::string(60, 'h'), .domain = "abcd"};
  EXPECT_EQ(ErrorOf(KernelHostname(pod, over)),
            "failed to construct FQDN from pod hostname and cluster domain, FQDN " +
                std::string(60, 'h') +
                ".abcd is too long (64 characters is the max, 65 characters requested)");
}

TEST(HostsFile, NamesThePodByEachAddress) {
  const auto file =
      HostsFile(PodOf("{hostname: h, subdomain: s}"), Node(), {"10.1.0.5", "fd00::5"}, "ignored");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file,
            "# Kubernetes-managed hosts file.\n"
            "127.0.0.1\tlocalhost\n"
            "::1\tlocalhost ip6-localhost ip6-loopback\n"
            "fe00::0\tip6-localnet\n"
            "fe00::0\tip6-mcastprefix\n"
            "fe00::1\tip6-allnodes\n"
            "fe00::2\tip6-allrouters\n"
            "10.1.0.5\th.s.ns.svc.cluster.local\th\n"
            "fd00::5\th.s.ns.svc.cluster.local\th\n");
  EXPECT_TRUE(HostsFile(PodOf("{}"), Node(), {"10.1.0.5"}, "")->ends_with("\n10.1.0.5\tp\n"));
  EXPECT_FALSE(HostsFile(PodOf("{hostname: B}"), Node(), {"10.1.0.5"}, "").ok());
}

TEST(HostsFile, OfTheHostIsCopied) {
  const auto file = HostsFile(
      PodOf(
          "{hostNetwork: true, hostAliases: [{ip: 10.1.2.3, hostnames: [a, b]}, {ip: 10.1.2.4}]}"),
      Node(), {"10.1.0.5"}, "127.0.0.1 lab\n");
  EXPECT_EQ(*file,
            "# Kubernetes-managed hosts file (host network).\n"
            "127.0.0.1 lab\n"
            "\n"
            "# Entries added by HostAliases.\n"
            "10.1.2.3\ta\tb\n"
            "10.1.2.4\t\n");
}

}  // namespace
}  // namespace cubelet::containers
