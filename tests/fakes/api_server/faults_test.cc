// What goes wrong on purpose, and who is let in.
#include "fakes/api_server/faults.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "fakes/api_server/test_request.h"

namespace cubelet::fakes {
namespace {

using FaultsTest = FakeApiTest;

TEST_F(FaultsTest, MeetTheRequestsTheyAreFor) {
  api_.faults().Add({.what = ApiFault::Answer(429, absl::Seconds(3)),
                     .times = 1,
                     .matches = ApiFaults::Method("POST", "/pods")});
  EXPECT_EQ(Ask("GET", kPods).code, 200);
  const ApiAnswer refused = Ask("POST", kPods, "{metadata: {name: web}}");
  EXPECT_EQ(refused.code, 429);
  EXPECT_EQ(At(refused, "/details/retryAfterSeconds"), "3");
  ASSERT_EQ(refused.headers.size(), 1);
  EXPECT_EQ(refused.headers[0].second, "3");
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/web")).code, 404);
  EXPECT_EQ(Ask("POST", kPods, "{metadata: {name: web}}").code, 201);
}

TEST_F(FaultsTest, LoseTheAnswerAfterTheDeed) {
  api_.faults().Add({.what = ApiFault::LoseAnswer(), .times = 1});
  EXPECT_TRUE(Ask("POST", kPods, "{metadata: {name: web}}").drop_connection);
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/web")).code, 200);
}

TEST_F(FaultsTest, CutBeforeTheDeed) {
  api_.faults().Add({.what = ApiFault::Cut(), .times = 1});
  EXPECT_TRUE(Ask("POST", kPods, "{metadata: {name: web}}").drop_connection);
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/web")).code, 404);
}

TEST_F(FaultsTest, AnswerFromAnOlderState) {
  CreatePod("web");
  api_.store().Freeze();
  ASSERT_TRUE(api_.Delete<v1::Pod>("default", "web").ok());
  api_.faults().Add({.what = ApiFault::Stale(), .times = 2});
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/web")).code, 200);
  EXPECT_EQ(At(Ask("GET", kPods), "/items/0/metadata/name"), "web");
  EXPECT_EQ(Ask("GET", StrCat(kPods, "/web")).code, 404);
}

TEST_F(FaultsTest, AnswerLate) {
  api_.faults().Add({.what = ApiFault::Late(absl::Seconds(20)), .times = 1});
  const absl::Time before = loop_->Now();
  EXPECT_EQ(Ask("GET", kPods).code, 200);
  EXPECT_GE(loop_->Now() - before, absl::Seconds(20));
}

class IdentitiesTest : public FakeApiTest {
 protected:
  int CodeFor(const std::string& authorization) {
    ApiRequest request;
    request.method = "GET";
    request.path = kPods;
    request.authorization = authorization;
    return Await(*loop_, api_.Serve(std::move(request))).code;
  }
};

TEST_F(IdentitiesTest, KnowsItsTokens) {
  api_.identities().AddToken("abcdef.secret", {"system:bootstrap:abcdef", {}});
  EXPECT_EQ(CodeFor("Bearer abcdef.secret"), 200);
  EXPECT_EQ(api_.requests().back().user, "system:bootstrap:abcdef");
  EXPECT_EQ(CodeFor("Bearer other"), 401);
  EXPECT_EQ(CodeFor("Basic YTpi"), 401);
  EXPECT_EQ(CodeFor(""), 200);
  api_.SetAnonymous(false);
  EXPECT_EQ(CodeFor(""), 401);
}

TEST_F(IdentitiesTest, RefusesABadCertificate) {
  ApiRequest request;
  request.method = "GET";
  request.path = kPods;
  request.certificate = User{"system:node:lab", {"system:nodes"}};
  request.bad_certificate = true;
  EXPECT_EQ(Await(*loop_, api_.Serve(std::move(request))).code, 401);
}

TEST_F(IdentitiesTest, IssuesTokensThatExpire) {
  const ApiAnswer issued = Ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token",
                               "{spec: {audiences: [vault], expirationSeconds: 600}}");
  ASSERT_EQ(issued.code, 201);
  const std::string token = At(issued, "/status/token");
  const auto review = [&](const std::string& audience) {
    return Ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
               StrCat("{spec: {token: '", token, "', audiences: [", audience, "]}}"));
  };
  EXPECT_EQ(At(review("vault"), "/status/authenticated"), "true");
  EXPECT_EQ(At(review("vault"), "/status/user/username"), "system:serviceaccount:default:default");
  EXPECT_EQ(At(review("other"), "/status/authenticated"), "-");
  EXPECT_EQ(CodeFor("Bearer " + token), 401);
  loop_->RunUntil(loop_->Now() + absl::Seconds(601));
  EXPECT_EQ(At(review("vault"), "/status/error"), "service account token has expired");
}

TEST_F(IdentitiesTest, ReviewsAccess) {
  api_.SetAccess([](const auto& spec) { return spec.user() == "admin"; });
  const auto allowed = [&](const std::string& user) {
    return At(Ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                  StrCat("{spec: {user: ", user, ", nonResourceAttributes: {path: /x}}}")),
              "/status/allowed");
  };
  EXPECT_EQ(allowed("admin"), "true");
  EXPECT_EQ(allowed("eve"), "false");
}

}  // namespace
}  // namespace cubelet::fakes
