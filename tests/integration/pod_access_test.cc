// What the kubelet program answers about the inside of its pods.
#include "integration/kubelet_node.h"
//
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::integration {
namespace {

class PodAccessTest : public KubeletTest {
 protected:
  std::string Answer(const std::string& path) {
    const auto answer = Get(path, &client());
    return answer.ok() ? StrCat(answer->status, " ", answer->body) : answer.status().ToString();
  }
};

TEST_F(PodAccessTest, LogsAreReadAndStreamsNeedAnUpgrade) {
  StartRuntime({"--write-files", "true"});
  StartKubelet();
  WriteManifest("web.yaml", Simple("web"));
  ASSERT_TRUE(BecomesReady("web"));
  const auto row = Row("web");
  ASSERT_TRUE(row);
  const std::string log = StrCat(directory(), "/logs/default_web-it_", row->uid, "/main/0.log");
  ASSERT_TRUE(os::WriteFileAtomic(log,
                                  "2026-11-24T10:00:00.1Z stdout P one \n"
                                  "2026-11-24T10:00:00.2Z stderr F line\n",
                                  0644)
                  .ok());
  EXPECT_EQ(Answer("/containerLogs/default/web-it/main?tailLines=2"), "200 one line\n");
  EXPECT_EQ(Answer("/containerLogs/default/web-it/main?tailLines=1&timestamps=1"),
            "200 2026-11-24T10:00:00.200000000Z line\n");
  EXPECT_EQ(Answer("/containerLogs/default/web-it/other"),
            "404 container \"other\" not found in pod \"web-it\"");
  EXPECT_EQ(Answer("/containerLogs/default/none/main"), "404 pod \"none\" does not exist");
  EXPECT_EQ(Answer("/containerLogs/default/web-it/main?previous=true"),
            "400 previous terminated container \"main\" in pod \"web-it\" not found");
  EXPECT_EQ(Answer("/exec/default/web-it/main?command=ls&output=1"),
            "500 Upgrade request required\n");
  EXPECT_EQ(Answer("/portForward/default/web-it"), "500 Upgrade request required\n");
  const auto nobody = Get("/containerLogs/default/web-it/main", nullptr);
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_EQ(nobody->status, 401);
}

TEST_F(PodAccessTest, WithoutDebuggingHandlersNothingIsReached) {
  StartRuntime();
  StartKubelet("enableDebuggingHandlers: false\n");
  for (const char* path : {"/containerLogs/a/b/c", "/exec/a/b/c?output=1", "/attach/a/b/c",
                           "/portForward/a/b", "/run/a/b/c", "/logs/"})
    EXPECT_EQ(Answer(path), "405 Debug endpoints are disabled.\n") << path;
}

}  // namespace
}  // namespace cubelet::integration
