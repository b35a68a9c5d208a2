#include "node/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DefaultRouteInterface, TakesTheLowestMetric) {
  const char* ipv4 =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
      "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
      "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
      "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  EXPECT_EQ(DefaultRouteInterface(ipv4, false), "eth0");
  const std::string zero(32, '0');
  const std::string ipv6 =
      StrCat(zero, " 00 ", zero, " 00 fe80 00000400 0 0 00450003 eth7\n", zero, " 00 ", zero,
             " 00 ", zero, " ffffffff 00000001 00000000 00200200 lo\n");
  EXPECT_EQ(DefaultRouteInterface(ipv6, true), "eth7");
  EXPECT_EQ(DefaultRouteInterface("", false), "");
  EXPECT_EQ(DefaultRouteInterface("garbage \n\n x y z", true), "");
}

TEST(ParseNodeIp, TellsAddressesFromPreferences) {
  EXPECT_THAT(ParseNodeIp("10.0.0.1,fd00::1")->ips, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_TRUE(ParseNodeIp("::")->prefer_ipv6);
  EXPECT_TRUE(ParseNodeIp("::")->ips.empty());
  EXPECT_FALSE(ParseNodeIp("0.0.0.0")->prefer_ipv6);
  EXPECT_THAT(Message(ParseNodeIp("10.0.0.1,10.0.0.2").status()), HasSubstr("dual-stack pair"));
  EXPECT_THAT(Message(ParseNodeIp("10.0.0").status()), HasSubstr("\"10.0.0\" is not an IP"));
}

AddressInput Machine() {
  AddressInput input;
  input.node_name = "n1";
  input.addresses = {
      {"lo", "127.0.0.1"}, {"eth0", "10.0.0.5"}, {"eth0", "fe80::1"}, {"eth0", "fd00::5"}};
  input.default_ipv4_interface = "eth0";
  input.default_ipv6_interface = "eth0";
  return input;
}

TEST(ChooseNodeIps, InTheSpecifiedOrder) {
  AddressInput input = Machine();
  EXPECT_THAT(*ChooseNodeIps(input), ElementsAre("10.0.0.5"));
  input.flag.prefer_ipv6 = true;
  EXPECT_THAT(*ChooseNodeIps(input), ElementsAre("fd00::5"));
  input.flag.prefer_ipv6 = false;
  input.resolved = {"127.0.1.1", "fd00::5"};
  EXPECT_THAT(*ChooseNodeIps(input), ElementsAre("fd00::5"));
  input.flag.ips = {"10.0.0.5", "fd00::5"};
  EXPECT_THAT(*ChooseNodeIps(input), ElementsAre("10.0.0.5", "fd00::5"));
}

TEST(ChooseNodeIps, RefusesWhatTheMachineDoesNotHave) {
  AddressInput input = Machine();
  input.flag.ips = {"192.0.2.1"};
  EXPECT_EQ(Message(ChooseNodeIps(input).status()),
            "failed to validate nodeIP: node IP: \"192.0.2.1\" not found in the host's network "
            "interfaces");
  input.flag.ips = {"127.0.0.1"};
  EXPECT_THAT(Message(ChooseNodeIps(input).status()), HasSubstr("can't be loopback address"));
  input = Machine();
  input.default_ipv4_interface = "";
  EXPECT_THAT(Message(ChooseNodeIps(input).status()),
              HasSubstr("can't get ip address of node n1. error: "));
}

}  // namespace
}  // namespace cubelet::node
