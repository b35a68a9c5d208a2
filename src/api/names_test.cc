#include "api/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cubelet::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Long(size_t length) { return std::string(length, 'a'); }

constexpr char kLabelFault[] =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

TEST(Names, Dns1123Label) {
  for (const std::string& good :
       {std::string("a"), std::string("0"), std::string("a-b"), std::string("a--b"), Long(63)})
    EXPECT_THAT(Dns1123LabelFaults(good), IsEmpty()) << good;
  for (const char* bad : {"", "-", "a-", "-a", "A", "a_b", "a b", "a..b", "\xc3\xa9"})
    EXPECT_THAT(Dns1123LabelFaults(bad), ElementsAre(kLabelFault)) << bad;
  EXPECT_THAT(Dns1123LabelFaults("a.b"), ElementsAre("must not contain dots"));
  EXPECT_THAT(Dns1123LabelFaults(Long(64)), ElementsAre("must be no more than 63 characters"));
}

TEST(Names, Dns1123Subdomain) {
  for (const std::string& good : {std::string("a"), std::string("a.b-c.0"), Long(253)})
    EXPECT_THAT(Dns1123SubdomainFaults(good), IsEmpty()) << good;
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a.-b", "A.b", "a_b"})
    EXPECT_THAT(
        Dns1123SubdomainFaults(bad),
        ElementsAre("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                    "characters, '-' or '.', and must start and end with an alphanumeric character "
                    "(e.g. 'example.com', regex used for validation is "
                    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"))
        << bad;
  EXPECT_THAT(Dns1123SubdomainFaults(Long(254)),
              ElementsAre("must be no more than 253 characters"));
  EXPECT_THAT(Dns1123SubdomainFaults("_sip._tcp.a_b", true), IsEmpty());
  EXPECT_THAT(Dns1123SubdomainFaults("__a", true), SizeIs(1));
  EXPECT_THAT(Dns1123SubdomainFaults("a_", true), SizeIs(1));
}

TEST(Names, LabelKey) {
  for (const char* good : {"a", "A-b_c.D", "0", "example.com/a", "k8s.io/0_1", "a/b"})
    EXPECT_THAT(LabelKeyFaults(good), IsEmpty()) << good;
  constexpr char kNameFault[] =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
      "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  EXPECT_THAT(LabelKeyFaults("a b"), ElementsAre(kNameFault));
  EXPECT_THAT(LabelKeyFaults(""), ElementsAre("name part must be non-empty", kNameFault));
  EXPECT_THAT(LabelKeyFaults("example.com/"),
              ElementsAre("name part must be non-empty", kNameFault));
  EXPECT_THAT(LabelKeyFaults("/a"), ElementsAre("prefix part must be non-empty"));
  EXPECT_THAT(LabelKeyFaults("Example.com/a"),
              ElementsAre(testing::StartsWith("prefix part a lowercase RFC 1123 subdomain must")));
  EXPECT_THAT(LabelKeyFaults(Long(64)),
              ElementsAre("name part must be no more than 63 characters"));
  EXPECT_THAT(LabelKeyFaults("a/b/c"),
              ElementsAre(testing::StartsWith("a valid label key must consist of")));
}

TEST(Names, LabelValue) {
  for (const char* good : {"", "a", "A.b-c_D", "12345"})
    EXPECT_THAT(LabelValueFaults(good), IsEmpty()) << good;
  for (const char* bad : {"-", "a/b", "a ", "_a", "\xc3\xa9"})
    EXPECT_THAT(
        LabelValueFaults(bad),
        ElementsAre("a valid label must be an empty string or consist of alphanumeric characters, "
                    "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
                    "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
                    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"))
        << bad;
  EXPECT_THAT(LabelValueFaults(Long(64)), ElementsAre("must be no more than 63 characters"));
}

TEST(Names, EnvVarName) {
  for (const char* good : {"A", "a.b-c", "1", "a b", "..", "%$#"})
    EXPECT_THAT(EnvVarNameFaults(good), IsEmpty()) << good;
  EXPECT_THAT(EnvVarNameFaults(""), ElementsAre("environment variable name must be non-empty"));
  for (const char* bad : {"a=b", "a\n", "\x7f", "\xc3\xa9"})
    EXPECT_THAT(
        EnvVarNameFaults(bad),
        ElementsAre("a valid environment variable name must consist only of printable ASCII "
                    "characters other than '='"));
}

TEST(Names, ConfigKey) {
  EXPECT_THAT(ConfigKeyFaults("KEY_name.1-2"), IsEmpty());
  EXPECT_THAT(ConfigKeyFaults("..."), ElementsAre("must not start with '..'"));
  EXPECT_THAT(ConfigKeyFaults(".."), ElementsAre("must not be '..'"));
  EXPECT_THAT(ConfigKeyFaults("."), ElementsAre("must not be '.'"));
  EXPECT_THAT(ConfigKeyFaults("a/b"),
              ElementsAre(testing::StartsWith("a valid config key must consist of")));
  EXPECT_THAT(ConfigKeyFaults(""), SizeIs(1));
  EXPECT_THAT(ConfigKeyFaults(Long(254)), ElementsAre("must be no more than 253 characters"));
}

TEST(Names, Ports) {
  for (const char* good : {"a", "http", "h2c-1", "123456789012a"})
    EXPECT_THAT(PortNameFaults(good), IsEmpty()) << good;
  EXPECT_THAT(PortNameFaults("80"), ElementsAre("must contain at least one letter (a-z)"));
  EXPECT_THAT(PortNameFaults("a--b"), ElementsAre("must not contain consecutive hyphens"));
  EXPECT_THAT(PortNameFaults("a-"), ElementsAre("must not begin or end with a hyphen"));
  EXPECT_THAT(PortNameFaults(Long(16)), ElementsAre("must be no more than 15 characters"));
  EXPECT_THAT(
      PortNameFaults("Web"),
      ElementsAre("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"));
  EXPECT_THAT(PortNumberFaults(1), IsEmpty());
  EXPECT_THAT(PortNumberFaults(65535), IsEmpty());
  EXPECT_THAT(PortNumberFaults(0), ElementsAre("must be between 1 and 65535, inclusive"));
  EXPECT_THAT(PortNumberFaults(65536), SizeIs(1));
}

TEST(Names, Addresses) {
  for (const char* good : {"1.2.3.4", "001.02.3.004", "255.255.255.255", "::", "2001:db8::1",
                           "::ffff:1.2.3.4", "0.0.0.0"})
    EXPECT_THAT(IpFaults(good), IsEmpty()) << good;
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2..4", "a.b.c.d", "1.2.3.4 ",
                          "fe80::1%eth0", "1.2.3.-4", "0x1.2.3.4", "1.2.3.0256"})
    EXPECT_THAT(IpFaults(bad),
                ElementsAre("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
        << bad;
}

TEST(Names, Others) {
  EXPECT_THAT(HttpHeaderNameFaults("X-Forwarded-For"), IsEmpty());
  EXPECT_THAT(HttpHeaderNameFaults("a b"), SizeIs(1));
  EXPECT_THAT(HttpHeaderNameFaults(""), SizeIs(1));
  EXPECT_THAT(IdFaults(0), IsEmpty());
  EXPECT_THAT(IdFaults(4294967295), IsEmpty());
  EXPECT_THAT(IdFaults(4294967296), ElementsAre("must be between 0 and 4294967295, inclusive"));
  EXPECT_THAT(IdFaults(-1), SizeIs(1));
  for (const char* good : {"a", "net.ipv4.tcp_syncookies", "net/ipv4/conf/eth0.1/x", "kernel.sem"})
    EXPECT_TRUE(IsSysctlName(good)) << good;
  for (const char* bad : {"", ".", "a.", "a..b", "A", "_a", "a b", "a.b_"})
    EXPECT_FALSE(IsSysctlName(bad)) << bad;
  EXPECT_FALSE(IsSysctlName(Long(254)));
  EXPECT_EQ(MaskTrailingDash("web-"), "wea");
  EXPECT_EQ(MaskTrailingDash("-"), "-");
  EXPECT_EQ(MaskTrailingDash("web"), "web");
}

}  // namespace
}  // namespace cubelet::api
