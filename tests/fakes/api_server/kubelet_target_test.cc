#include "fakes/api_server/kubelet_target.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "fakes/api_server/test_request.h"

namespace cubelet::fakes {
namespace {

class KubeletTargetTest : public FakeApiTest {
 protected:
  void SetUp() override {
    v1::Node node;
    node.mutable_metadata()->set_name("lab");
    ASSERT_TRUE(api_.Create(node).ok());
    v1::NodeAddress& address = *node.mutable_status()->add_addresses();
    address.set_type("InternalIP");
    address.set_address("10.0.0.7");
    node.mutable_status()->mutable_daemonendpoints()->mutable_kubeletendpoint()->set_port(10350);
    ASSERT_TRUE(api_.Update(node, "status").ok());
    CreatePod("web");
    ASSERT_TRUE(api_.objects().Bind("default", "web", "lab").ok());
  }

  std::string Target(const std::string& rest) {
    const ApiAnswer answer = Ask("GET", StrCat(kPods, "/web/", rest));
    if (!answer.kubelet.has_value()) return At(answer, "/message");
    EXPECT_EQ(answer.kubelet->host, "10.0.0.7");
    EXPECT_EQ(answer.kubelet->port, 10350);
    return answer.kubelet->target;
  }
};

TEST_F(KubeletTargetTest, SaysItInTheKubeletsWords) {
  EXPECT_EQ(Target("log?container=main&follow=true&tailLines=5"),
            "/containerLogs/default/web/main?follow=true&tailLines=5");
  EXPECT_EQ(Target("exec?command=sh&command=-c&command=a+b&stdin=true&stdout=true&tty=true"),
            "/exec/default/web/main?command=sh&command=-c&command=a%20b&input=1&output=1&tty=1");
  EXPECT_EQ(Target("attach?container=other&stdout=1&stderr=0"),
            "/attach/default/web/other?output=1");
  EXPECT_EQ(Target("portforward?ports=80"), "/portForward/default/web?port=80");
}

TEST_F(KubeletTargetTest, NeedsAPodOnANode) {
  CreatePod("free");
  EXPECT_EQ(At(Ask("GET", StrCat(kPods, "/free/log")), "/message"),
            "pod free does not have a host assigned");
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/none/log")).code, 404);
}

}  // namespace
}  // namespace cubelet::fakes
