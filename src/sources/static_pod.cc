#include "sources/static_pod.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "api/codec.h"
#include "api/pod.h"
#include "api/pod_defaults.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::sources {
namespace {

namespace json = boost::json;

constexpr size_t kMaxUidLength = 128;

// FNV-1a with 128 bits.
class Fnv128 {
 public:
  void Add(std::string_view text) {
    for (char c : text) {
      state_ ^= static_cast<unsigned char>(c);
      state_ *= kPrime;
    }
  }
  std::string Hex() const {
    std::string bytes;
    for (int shift = 120; shift >= 0; shift -= 8)
      bytes += static_cast<char>(static_cast<unsigned char>(state_ >> shift));
    return HexEncode(bytes);
  }

 private:
  using Word = unsigned __int128;
  static constexpr Word kPrime = (Word{1} << 88) + 0x13B;
  Word state_ = (Word{0x6c62272e07bb0142} << 64) + 0x62b821756295c58d;
};

// Keys sorted at every level, so that equal content is equal text.
json::value Sorted(const json::value& value) {
  if (value.is_array()) {
    json::array sorted;
    for (const json::value& item : value.get_array()) sorted.push_back(Sorted(item));
    return sorted;
  }
  if (!value.is_object()) return value;
  std::map<std::string, json::value> members;
  for (const auto& [key, member] : value.get_object())
    members.emplace(std::string(key), Sorted(member));
  json::object sorted;
  for (auto& [key, member] : members) sorted.emplace(key, std::move(member));
  return sorted;
}

absl::Status Unparseable(const absl::Status& why) {
  return absl::InvalidArgumentError(
      StrCat("couldn't parse as pod(", Message(why), "), please check config file"));
}

absl::Status Invalid(std::string_view why) {
  return absl::InvalidArgumentError(StrCat("invalid pod: ", why));
}

// UIDs name directories and cgroups.
bool IsUsableUid(std::string_view uid) {
  if (uid.empty() || uid.size() > kMaxUidLength || !absl::ascii_isalnum(uid.front())) return false;
  for (char c : uid) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

// Static pods stay when the node is tainted under them.
void TolerateNoExecute(v1::PodSpec& spec) {
  for (v1::Toleration& toleration : *spec.mutable_tolerations()) {
    if (toleration.key().empty() && toleration.operator_() == "Exists" &&
        toleration.effect() == "NoExecute") {
      toleration.clear_tolerationseconds();
      return;
    }
  }
  v1::Toleration* toleration = spec.add_tolerations();
  toleration->set_operator_("Exists");
  toleration->set_effect("NoExecute");
}

void DropClusterState(v1::Pod& pod) {
  pod.mutable_metadata()->clear_deletiontimestamp();
  pod.mutable_metadata()->clear_deletiongraceperiodseconds();
  pod.mutable_metadata()->mutable_annotations()->erase(api::kConfigMirrorAnnotation);
  pod.clear_status();
  pod.mutable_status()->set_phase("Pending");
}

void ApplyStaticDefaults(const json::value& manifest, const Origin& origin, v1::Pod& pod) {
  DropClusterState(pod);
  auto& metadata = *pod.mutable_metadata();
  if (metadata.uid().empty()) metadata.set_uid(GenerateUid(manifest, origin));
  metadata.set_name(StrCat(metadata.name(), "-", absl::AsciiStrToLower(ToAbsl(origin.node_name))));
  if (metadata.namespace_().empty()) metadata.set_namespace_("default");
  (*metadata.mutable_annotations())[api::kConfigSourceAnnotation] = origin.source;
  (*metadata.mutable_annotations())[api::kConfigHashAnnotation] = metadata.uid();
  pod.mutable_spec()->set_nodename(origin.node_name);
  if (origin.source == api::kFileSource) TolerateNoExecute(*pod.mutable_spec());
}

absl::StatusOr<PodPtr> MakeStaticPod(const json::value& manifest, const Origin& origin,
                                     std::vector<std::string>* unknown) {
  auto pod = std::make_shared<v1::Pod>();
  if (const absl::Status decoded = api::FromJson(manifest, *pod, {.unknown = unknown});
      !decoded.ok())
    return Unparseable(decoded);
  if (pod->metadata().name().empty()) return Invalid("name is needed for the pod");
  if (!pod->metadata().uid().empty() && !IsUsableUid(pod->metadata().uid()))
    return Invalid(StrCat("metadata.uid: Invalid value: ", GoQuote(pod->metadata().uid()),
                          ": must consist of alphanumeric characters, '-', '_' or '.'"));
  api::SetDefaults(*pod);
  ApplyStaticDefaults(manifest, origin, *pod);
  if (const absl::Status valid = api::ValidatePod(*pod); !valid.ok())
    return Invalid(Message(valid));
  RETURN_IF_ERROR(api::CheckNoApiReferences(*pod));
  return pod;
}

absl::StatusOr<api::TypeMeta> TypeOf(const absl::StatusOr<json::value>& value) {
  if (!value.ok()) return Unparseable(value.status());
  absl::StatusOr<api::TypeMeta> type = api::PeekTypeMeta(*value);
  if (!type.ok()) return Unparseable(type.status());
  return type;
}

absl::Status WrongKind(const api::TypeMeta& type, std::string_view wanted) {
  return Invalid(StrCat("want ", wanted, " of apiVersion v1, got kind ", GoQuote(type.kind),
                        " of apiVersion ", GoQuote(type.api_version)));
}

absl::StatusOr<json::value> Parse(std::string_view text) {
  return api::ParseJsonOrYaml(text, {.max_bytes = kMaxManifestBytes});
}

// Items may leave out what the list says of them.
absl::StatusOr<PodPtr> MakeListItem(const json::value& item, const Origin& origin) {
  ASSIGN_OR_RETURN(const api::TypeMeta type, TypeOf(item));
  const bool is_pod = (type.kind == "Pod" && type.api_version == "v1") ||
                      (type.kind.empty() && type.api_version.empty());
  if (!is_pod) return WrongKind(type, "a Pod");
  return MakeStaticPod(item, origin, nullptr);
}

}  // namespace

std::string GenerateUid(const json::value& manifest, const Origin& origin) {
  Fnv128 hash;
  hash.Add(api::Serialize(Sorted(manifest)));
  // A byte that no JSON text holds keeps content and place apart.
  const std::string_view separator("\0", 1);
  if (origin.source == api::kFileSource) {
    hash.Add(separator);
    hash.Add(StrCat("host:", origin.node_name));
    hash.Add(separator);
    hash.Add(StrCat("file:", origin.location));
  } else {
    hash.Add(separator);
    hash.Add(StrCat("url:", origin.location));
  }
  return hash.Hex();
}

absl::StatusOr<PodPtr> ParseStaticPod(std::string_view text, const Origin& origin,
                                      std::vector<std::string>* unknown) {
  const absl::StatusOr<json::value> value = Parse(text);
  ASSIGN_OR_RETURN(const api::TypeMeta type, TypeOf(value));
  if (type.kind != "Pod" || type.api_version != "v1") return WrongKind(type, "a Pod");
  return MakeStaticPod(*value, origin, unknown);
}

absl::StatusOr<ParsedPods> ParseStaticPods(std::string_view text, const Origin& origin) {
  const absl::StatusOr<json::value> value = Parse(text);
  ASSIGN_OR_RETURN(const api::TypeMeta type, TypeOf(value));
  ParsedPods parsed;
  if (type.kind == "Pod" && type.api_version == "v1") {
    ASSIGN_OR_RETURN(PodPtr pod, MakeStaticPod(*value, origin, nullptr));
    parsed.pods.push_back(std::move(pod));
    return parsed;
  }
  if ((type.kind != "PodList" && type.kind != "List") || type.api_version != "v1")
    return WrongKind(type, "a Pod or a PodList");
  const json::value* items = value->get_object().if_contains("items");
  if (items == nullptr || items->is_null()) return parsed;
  if (!items->is_array()) return Unparseable(absl::InvalidArgumentError("items: want an array"));
  for (size_t i = 0; i < items->get_array().size(); ++i) {
    absl::StatusOr<PodPtr> pod = MakeListItem(items->get_array()[i], origin);
    if (pod.ok()) {
      parsed.pods.push_back(*std::move(pod));
    } else {
      parsed.problems[StrCat("items[", i, "]")] = std::string(Message(pod.status()));
    }
  }
  return parsed;
}

}  // namespace cubelet::sources
