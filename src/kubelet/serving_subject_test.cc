#include "kubelet/serving_subject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cubelet::kubelet {
namespace {

using ::testing::ElementsAre;

v1::Node NodeWith(std::initializer_list<std::pair<const char*, const char*>> addresses) {
  v1::Node node;
  node.mutable_metadata()->set_name("lab");
  for (const auto& [type, text] : addresses) {
    v1::NodeAddress& address = *node.mutable_status()->add_addresses();
    address.set_type(type);
    address.set_address(text);
  }
  return node;
}

TEST(ServingSubject, HasTheNodesNamesAndAddresses) {
  const auto subject = ServingSubject(NodeWith({{"InternalIP", "fd00::1"},
                                                {"ExternalIP", "10.0.0.7"},
                                                {"Hostname", "lab"},
                                                {"InternalDNS", "lab"},
                                                {"ExternalDNS", "a.example"}}));
  ASSERT_TRUE(subject.has_value());
  EXPECT_EQ(subject->common_name, "system:node:lab");
  EXPECT_THAT(subject->organizations, ElementsAre("system:nodes"));
  EXPECT_THAT(subject->dns_names, ElementsAre("a.example", "lab"));
  EXPECT_THAT(subject->ip_addresses, ElementsAre("10.0.0.7", "fd00::1"));
}

TEST(ServingSubject, TakesAHostnameThatIsAnAddressAsOne) {
  const auto subject = ServingSubject(NodeWith({{"Hostname", "10.0.0.7"}}));
  ASSERT_TRUE(subject.has_value());
  EXPECT_THAT(subject->dns_names, ElementsAre());
  EXPECT_THAT(subject->ip_addresses, ElementsAre("10.0.0.7"));
}

TEST(ServingSubject, IsNotThereWithoutAnAddress) {
  EXPECT_FALSE(ServingSubject(NodeWith({{"Hostname", "lab"}})).has_value());
  EXPECT_FALSE(ServingSubject(NodeWith({{"InternalIP", "nonsense"}})).has_value());
}

}  // namespace
}  // namespace cubelet::kubelet
