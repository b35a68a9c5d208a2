// Every Kubernetes object recorded in tests/golden goes through the codec and comes out the same.
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"
#include "k8s.io/api/certificates/v1/generated.pb.h"
#include "k8s.io/api/coordination/v1/generated.pb.h"
#include "k8s.io/api/storage/v1/generated.pb.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using google::protobuf::Message;

const fs::path kGolden = fs::path(CUBELET_SOURCE_DIR) / "tests" / "golden";

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream.good()) << path;
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<fs::path> PodFolders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    if (fs::exists(entry.path() / "pod.yaml")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<std::string> SplitDocuments(const std::string& text) {
  std::vector<std::string> documents(1);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line == "---") {
      documents.emplace_back();
    } else {
      documents.back() += line + "\n";
    }
  }
  return documents;
}

std::unique_ptr<Message> NewMessage(const std::string& kind) {
  using ::k8s::io::api::authentication::v1::TokenRequest;
  using ::k8s::io::api::certificates::v1::CertificateSigningRequest;
  using ::k8s::io::api::coordination::v1::Lease;
  using ::k8s::io::api::storage::v1::CSINode;
  static const std::map<std::string, const Message*> kKinds = {
      {"CSINode", &CSINode::default_instance()},
      {"CertificateSigningRequest", &CertificateSigningRequest::default_instance()},
      {"ConfigMap", &v1::ConfigMap::default_instance()},
      {"DeleteOptions", &metav1::DeleteOptions::default_instance()},
      {"Event", &v1::Event::default_instance()},
      {"Lease", &Lease::default_instance()},
      {"Node", &v1::Node::default_instance()},
      {"Pod", &v1::Pod::default_instance()},
      {"Secret", &v1::Secret::default_instance()},
      {"Service", &v1::Service::default_instance()},
      {"TokenRequest", &TokenRequest::default_instance()},
  };
  const auto found = kKinds.find(kind);
  return found == kKinds.end() ? nullptr : std::unique_ptr<Message>(found->second->New());
}

// What differs, one line each; `extra` says whether a member may be in `got` alone.
void Diff(const json::value& want, const json::value& got, const std::string& path,
          const std::function<bool(const json::value&)>& extra, std::vector<std::string>& out) {
  if (want.is_object() && got.is_object()) {
    for (const auto& [key, value] : want.get_object()) {
      const json::value* other = got.get_object().if_contains(key);
      const std::string member = path + "." + std::string(key);
      if (other == nullptr) {
        out.push_back(member + " is missing");
      } else {
        Diff(value, *other, member, extra, out);
      }
    }
    for (const auto& [key, value] : got.get_object()) {
      if (!want.get_object().contains(key) && !extra(value))
        out.push_back(path + "." + std::string(key) + " is too much: " + Serialize(value));
    }
  } else if (want.is_array() && got.is_array() &&
             want.get_array().size() == got.get_array().size()) {
    for (size_t i = 0; i < want.get_array().size(); ++i)
      Diff(want.get_array()[i], got.get_array()[i], StrCat(path, "[", i, "]"), extra, out);
  } else if (want != got) {
    out.push_back(path + ": want " + Serialize(want) + ", got " + Serialize(got));
  }
}

json::value RoundTrip(const json::value& value) {
  const absl::StatusOr<TypeMeta> meta = PeekTypeMeta(value);
  EXPECT_TRUE(meta.ok()) << meta.status();
  std::unique_ptr<Message> message = NewMessage(meta->kind);
  EXPECT_NE(message, nullptr) << meta->kind;
  const absl::Status decoded = FromJson(value, *message, {.strict = true});
  EXPECT_TRUE(decoded.ok()) << decoded;
  // Over the wire form too, as objects come from the API server.
  std::unique_ptr<Message> received(message->New());
  EXPECT_TRUE(received->ParseFromString(message->SerializeAsString()));
  return ToObjectJson(*received, meta->api_version, meta->kind);
}

void ExpectSame(const json::value& want, const json::value& got, const std::string& where) {
  std::vector<std::string> differences;
  Diff(want, got, "", [](const json::value&) { return false; }, differences);
  for (const std::string& difference : differences) ADD_FAILURE() << where << difference;
}

TEST(Golden, StoredObjectsComeOutTheSame) {
  std::vector<fs::path> files = {kGolden / "node" / "node.json", kGolden / "node" / "lease.json"};
  for (const fs::path& folder : PodFolders()) files.push_back(folder / "pod.json");
  EXPECT_EQ(files.size(), 22u);
  for (const fs::path& file : files) {
    const absl::StatusOr<json::value> value = ParseJson(ReadFile(file));
    ASSERT_TRUE(value.ok()) << file << value.status();
    ExpectSame(*value, RoundTrip(*value), file.string() + ": ");
  }
}

// A manifest leaves out what the codec always writes, as Kubernetes does: `resources: {}`, `status:
// {}` (a Service's `{loadBalancer: {}}`), a null time, an empty name, a divisor of "0", a target
// port of 0.
bool IsAlwaysWritten(const json::value& value) {
  return value.is_null() || value == json::object() || value == json::string() ||
         (value.is_object() && value.get_object().size() == 1 &&
          value.get_object().begin()->value() == json::object()) ||
         value == json::string("0") || value == json::value(0);
}

TEST(Golden, ManifestsComeOutWithAllTheyHeld) {
  int documents = 0;
  for (const fs::path& folder : PodFolders()) {
    for (const std::string& text : SplitDocuments(ReadFile(folder / "pod.yaml"))) {
      const absl::StatusOr<json::value> value = ParseJsonOrYaml(text);
      ASSERT_TRUE(value.ok()) << folder << value.status();
      std::vector<std::string> differences;
      Diff(*value, RoundTrip(*value), "", IsAlwaysWritten, differences);
      for (const std::string& difference : differences) ADD_FAILURE() << folder << difference;
      ++documents;
    }
  }
  EXPECT_EQ(documents, 25);
}

// What the Go kubelet sent, byte for byte: also the order of members is the same. Patches are
// passed over: they hold directives, and nulls that mean removal.
TEST(Golden, RequestBodiesComeOutByteForByte) {
  std::istringstream lines(ReadFile(kGolden / "api" / "conversation.jsonl"));
  int bodies = 0;
  for (std::string line; std::getline(lines, line);) {
    const absl::StatusOr<json::value> call = ParseJson(line);
    ASSERT_TRUE(call.ok()) << call.status();
    const json::value* body = call->get_object().if_contains("body");
    if (body == nullptr || call->at("verb") == json::string("patch")) continue;
    EXPECT_EQ(Serialize(*body), Serialize(RoundTrip(*body)));
    ++bodies;
  }
  EXPECT_EQ(bodies, 78);
}

}  // namespace
}  // namespace cubelet::api
