#include "server/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "server/options.h"

namespace cubelet::server {
namespace {

using testing::HasSubstr;

TEST(Target, SplitsAndDecodes) {
  struct Case {
    std::string target;
    std::string want;  // "path|key=value|..." or "refused"
  };
  const Case cases[] = {
      {"/pods", "/pods"},
      {"/a%20b%2Fc?x=1&y=%26+z&flag&x=2", "/a b/c|x=1|y=& z|flag=|x=2"},
      {"https://lab:10250/healthz?verbose", "/healthz|verbose="},
      {"http://lab", "/"},
      {"/a+b", "/a+b"},
      {"/?&&a=b&", "/|a=b"},
      {"/a=b?c=d=e", "/a=b|c=d=e"},
      {"*", "refused"},
      {"", "refused"},
      {"pods", "refused"},
      {"/%", "refused"},
      {"/%4", "refused"},
      {"/%zz", "refused"},
      {"/a?b=%g1", "refused"},
      {"/a?%", "refused"},
  };
  for (const Case& c : cases) {
    std::string path;
    Query query;
    std::string got = "refused";
    if (ParseTarget(c.target, &path, &query)) {
      got = path;
      for (const auto& [key, value] : query) StrAppend(&got, "|", key, "=", value);
    }
    EXPECT_EQ(got, c.want) << c.target;
  }
}

TEST(Authorization, VerbsAreThoseOfTheMethods) {
  EXPECT_EQ(VerbOf("GET"), "get");
  EXPECT_EQ(VerbOf("POST"), "create");
  EXPECT_EQ(VerbOf("PUT"), "update");
  EXPECT_EQ(VerbOf("PATCH"), "patch");
  EXPECT_EQ(VerbOf("DELETE"), "delete");
  EXPECT_EQ(VerbOf("HEAD"), "");
  EXPECT_EQ(VerbOf("OPTIONS"), "");
}

TEST(Authorization, SubresourcesAreThoseOfThePaths) {
  struct Case {
    const char* path;
    const char* want;
  };
  const Case cases[] = {
      {"/pods", "[pods proxy]"},
      {"/runningpods/", "[pods proxy]"},
      {"/healthz", "[healthz proxy]"},
      {"/healthz/syncloop", "[healthz proxy]"},
      {"/configz", "[configz proxy]"},
      {"/cubelet/status", "[pods proxy]"},
      {"/stats/summary", "[stats]"},
      {"/metrics", "[metrics]"},
      {"/metrics/cadvisor", "[metrics]"},
      {"/logs/syslog", "[log]"},
      {"/checkpoint/a/b/c", "[checkpoint]"},
      {"/statusz", "[statusz]"},
      {"/flagz", "[configz]"},
      {"/exec/a/b/c", "[proxy]"},
      {"/attach/a/b/c", "[proxy]"},
      {"/run/a/b/c", "[proxy]"},
      {"/portForward/a/b", "[proxy]"},
      {"/containerLogs/a/b/c", "[proxy]"},
      {"/debug/flags/v", "[proxy]"},
      {"/debug/tasks", "[proxy]"},
      // Only whole segments count: these are not what they begin like.
      {"/metricsx", "[proxy]"},
      {"/podsx", "[proxy]"},
      {"/logsx/", "[proxy]"},
  };
  for (const Case& c : cases) EXPECT_EQ(GoList(SubresourcesOf(c.path)), c.want) << c.path;
}

TEST(Standalone, WhatNeedsAnApiServerIsNamed) {
  Options options;
  options.port = 10250;
  EXPECT_THAT(std::string(Message(CheckStandalone(options))),
              HasSubstr("authentication.webhook.enabled: true needs an API server to ask: this "
                        "kubelet runs without an API server (no --kubeconfig), so set "
                        "authentication.webhook.enabled to false and authorization.mode to "
                        "AlwaysAllow"));
  options.webhook_authentication_enabled = false;
  EXPECT_THAT(std::string(Message(CheckStandalone(options))),
              HasSubstr("authorization.mode: Webhook needs an API server to ask"));
  options.authorization_mode = "RBAC";
  EXPECT_EQ(Message(CheckStandalone(options)),
            "authorization.mode: \"RBAC\" is neither AlwaysAllow nor Webhook");
  options.authorization_mode = "AlwaysAllow";
  EXPECT_TRUE(CheckStandalone(options).ok());
  options.server_tls_bootstrap = true;
  EXPECT_THAT(std::string(Message(CheckStandalone(options))), HasSubstr("serverTLSBootstrap: "));
}

// enableServer: false asks nobody for anything.
TEST(Standalone, WithoutTheMainPortNothingIsNeeded) {
  EXPECT_TRUE(CheckStandalone(Options()).ok());
}

}  // namespace
}  // namespace cubelet::server
