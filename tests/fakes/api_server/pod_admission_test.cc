// A pod that was created is the one that a real API server stored for the same manifest.
#include "fakes/api_server/pod_admission.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "fakes/api_server/test_request.h"

namespace cubelet::fakes {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Only the first document that is a pod.
std::string PodDocument(const std::string& text) {
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find("\n---", begin), text.size());
    const std::string document = text.substr(begin, end - begin);
    if (document.find("kind: Pod\n") != std::string::npos) return document;
    begin = end == text.size() ? end : text.find('\n', end + 1) + 1;
  }
  return "";
}

// The random part of the token volume's name, and a ConfigMap of the server that was recorded.
json::value Comparable(const json::value& spec) {
  std::string text = api::Serialize(spec);
  const size_t name = text.find("kube-api-access-");
  if (name != std::string::npos) {
    const std::string full = text.substr(name, text.find('"', name) - name);
    for (size_t at = text.find(full); at != std::string::npos; at = text.find(full, at + 1))
      text.replace(at, full.size(), "kube-api-access-");
  }
  const size_t service = text.find(R"(,{"configMap":{"name":"openshift-service-ca.crt")");
  if (service != std::string::npos) text.erase(service, text.find("]}}", service) + 3 - service);
  return *api::ParseJson(text);
}

class PodAdmissionTest : public FakeApiTest {};

TEST_F(PodAdmissionTest, MakesTheRecordedPods) {
  ASSERT_EQ(Ask("POST", "/api/v1/namespaces", "{metadata: {name: golden}}").code, 201);
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(CUBELET_SOURCE_DIR) / "tests/golden")) {
    if (!fs::exists(entry.path() / "pod.yaml")) continue;
    const std::string manifest = PodDocument(ReadText(entry.path() / "pod.yaml"));
    const ApiAnswer created = Ask("POST", "/api/v1/namespaces/golden/pods", manifest);
    ASSERT_EQ(created.code, 201) << entry.path() << created.body;
    json::value want = *api::ParseJson(ReadText(entry.path() / "pod.json"));
    want.at("spec").as_object().erase("nodeName");
    v1::Pod pod;
    ASSERT_TRUE(api::FromJson(want, pod).ok());
    const json::value got = *api::ParseJson(created.body);
    EXPECT_EQ(Comparable(got.at("spec")), Comparable(api::ToJson(pod).at("spec"))) << entry.path();
    EXPECT_EQ(got.at("status").at("qosClass"), want.at("status").at("qosClass"));
    ++compared;
  }
  EXPECT_EQ(compared, 20);
}

TEST_F(PodAdmissionTest, LeavesMirrorPodsWithoutAServiceAccount) {
  v1::Pod pod;
  (*pod.mutable_metadata()->mutable_annotations())["kubernetes.io/config.mirror"] = "x";
  AdmitPod("abcde", pod);
  EXPECT_EQ(pod.spec().serviceaccountname(), "");
  EXPECT_EQ(pod.spec().volumes_size(), 0);
}

TEST_F(PodAdmissionTest, RefusesAServiceAccountThatIsNotThere) {
  const ApiAnswer refused =
      Ask("POST", kPods, "{metadata: {name: web}, spec: {serviceAccountName: robot}}");
  EXPECT_EQ(refused.code, 403);
  EXPECT_EQ(At(refused, "/message"),
            "pods \"web\" is forbidden: error looking up service account default/robot: "
            "serviceaccount \"robot\" not found");
}

}  // namespace
}  // namespace cubelet::fakes
