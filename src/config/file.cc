#include "config/file.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "api/codec.h"
#include "api/yaml.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::config {
namespace {

namespace json = boost::json;

constexpr char kApiVersion[] = "kubelet.config.k8s.io/v1beta1";
constexpr char kKind[] = "KubeletConfiguration";
constexpr char kHeaders[] = "staticPodURLHeader";

// Bounds on what others write. A full configuration has 10 KB.
constexpr api::DecodeLimits kLimits = {.max_bytes = 4 << 20, .max_depth = 50, .max_nodes = 100'000};
constexpr size_t kMaxDropIns = 1000;
constexpr size_t kMaxFolderDepth = 20;
constexpr size_t kMaxValueShown = 60;

// Settings whose relative paths start at the file's directory.
constexpr const char* kPathFields[] = {
    "staticPodPath", "authentication.x509.clientCAFile",
    "tlsCertFile",   "tlsPrivateKeyFile",
    "resolvConf",    "volumePluginDir",
};

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

json::value* Member(json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains({name.data(), name.size()}) : nullptr;
}

// ---- What JSON has and the schema's codec does not: lists as values of a map, durations as
// numbers.

absl::Status WrapHeaders(json::value& root) {
  json::value* headers = Member(root, kHeaders);
  if (headers == nullptr || !headers->is_object()) return absl::OkStatus();
  for (auto& [name, values] : headers->get_object()) {
    if (values.is_null()) continue;
    if (!values.is_array())
      return Invalid(StrCat(kHeaders, "[", std::string(name), "]: want a list, got ",
                            api::Serialize(values).substr(0, kMaxValueShown)));
    json::object wrapped;
    wrapped.emplace("items", std::move(values));
    values = std::move(wrapped);
  }
  return absl::OkStatus();
}

void UnwrapHeaders(json::value& root) {
  json::value* headers = Member(root, kHeaders);
  if (headers == nullptr) return;
  for (auto& member : headers->get_object()) {
    json::value items = std::move(member.value().get_object()["items"]);
    member.value() = std::move(items);
  }
}

void SpellOutFlushFrequency(json::value& root) {
  json::value* logging = Member(root, "logging");
  json::value* frequency = logging == nullptr ? nullptr : Member(*logging, "flushFrequency");
  if (frequency != nullptr && frequency->is_int64())
    *frequency = json::string(FormatGoDuration(absl::Nanoseconds(frequency->get_int64())));
}

// ---- Errors that show the value

// The name or index at the front of `path`, which is cut off.
std::string_view NextStep(std::string_view& path) {
  if (path[0] == '[') {
    const size_t end = path.find(']');
    const std::string_view step = path.substr(1, end == path.npos ? end : end - 1);
    path.remove_prefix(end == path.npos ? path.size() : end + 1);
    return step;
  }
  if (path[0] == '.') path.remove_prefix(1);
  const std::string_view step = path.substr(0, path.find_first_of(".["));
  path.remove_prefix(step.size());
  return step;
}

// The value at a path of the codec's errors ("a.b[0].c"), null if there is none.
const json::value* ValueAt(const json::value& root, std::string_view path) {
  const json::value* value = &root;
  while (value != nullptr && !path.empty()) {
    const std::string_view step = NextStep(path);
    size_t index = 0;
    if (value->is_object()) {
      value = value->get_object().if_contains({step.data(), step.size()});
    } else if (value->is_array() && absl::SimpleAtoi(ToAbsl(step), &index)) {
      value = index < value->get_array().size() ? &value->get_array()[index] : nullptr;
    } else {
      return nullptr;
    }
  }
  return value;
}

// "port: want a whole number, got a string" with ` ("abc")` behind it.
absl::Status ShowValue(const absl::Status& status, const json::value& root) {
  const std::string message(Message(status));
  const size_t end = message.find(": want ");
  if (status.ok() || end == message.npos || message.find(", got a", end) == message.npos)
    return status;
  const json::value* value = ValueAt(root, std::string_view(message).substr(0, end));
  std::string shown = value == nullptr ? "" : api::Serialize(*value);
  if (shown.size() > kMaxValueShown) shown = StrCat(shown.substr(0, kMaxValueShown), "...");
  const std::string plain = absl::StrReplaceAll(message, {{"].items[", "]["}});
  return Invalid(shown.empty() ? plain : StrCat(plain, " (", shown, ")"));
}

// ---- Reading

bool IsGivenEmpty(const json::value& root, const char* name) {
  const json::value* member = root.get_object().if_contains(name);
  if (member == nullptr) return false;
  return (member->is_array() && member->get_array().empty()) ||
         (member->is_object() && member->get_object().empty());
}

absl::Status CheckKind(const json::value& value) {
  ASSIGN_OR_RETURN(const api::TypeMeta meta, api::PeekTypeMeta(value));
  if (meta.api_version.empty() || meta.kind.empty()) return Invalid("no apiVersion/kind");
  if (meta.api_version != kApiVersion || meta.kind != kKind)
    return Invalid(StrCat("unknown apiVersion/kind: ", meta.api_version, ", Kind=", meta.kind));
  return absl::OkStatus();
}

absl::StatusOr<json::value> ReadObject(const std::string& path) {
  absl::StatusOr<std::string> text = os::ReadFile(path, kLimits.max_bytes);
  if (!text.ok())
    return Annotate(text.status(),
                    StrCat("failed to read kubelet config file ", GoQuote(path), ", error"));
  if (text->empty()) return Invalid(StrCat("kubelet config file ", GoQuote(path), " was empty"));
  absl::StatusOr<json::value> value = api::ParseJsonOrYaml(*text, kLimits);
  if (!value.ok()) return Annotate(value.status(), "failed to decode");
  RETURN_IF_ERROR(CheckKind(*value));
  return value;
}

void ResolveRelativePaths(KubeletConfiguration& config, const std::filesystem::path& directory) {
  for (const char* field : kPathFields) {
    const std::string path = ToText(config, field, ValueKind::kString);
    if (path.empty() || path[0] == '/') continue;
    Clear(config, field);
    const std::string absolute = (directory / path).lexically_normal().string();
    (void)SetFromText(config, field, ValueKind::kString, absolute);
  }
}

// The *.conf files below `directory`, in the order they are merged in.
absl::Status FindDropIns(const std::string& directory, size_t depth,
                         std::vector<std::string>& files) {
  if (depth > kMaxFolderDepth)
    return Invalid(StrCat(directory, ": folders are nested deeper than ", kMaxFolderDepth));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, os::ListDirectory(directory));
  for (const std::string& name : names) {
    const std::string path = os::JoinPath(directory, name);
    ASSIGN_OR_RETURN(const struct stat info, os::Lstat(path));
    if (S_ISDIR(info.st_mode)) {
      RETURN_IF_ERROR(FindDropIns(path, depth + 1, files));
    } else if (name.ends_with(".conf")) {
      files.push_back(path);
    }
    if (files.size() > kMaxDropIns)
      return Invalid(StrCat(directory, ": there are more than ", kMaxDropIns, " files"));
  }
  return absl::OkStatus();
}

absl::StatusOr<json::value> ReadDropIn(const std::string& path) {
  ASSIGN_OR_RETURN(json::value value, ReadObject(path));
  RETURN_IF_ERROR(DecodeConfiguration(value, nullptr).status());
  return value;
}

}  // namespace

absl::StatusOr<LoadedFile> DecodeConfiguration(const json::value& value,
                                               std::vector<std::string>* unknown) {
  json::value copy = value;
  RETURN_IF_ERROR(WrapHeaders(copy));
  SpellOutFlushFrequency(copy);
  LoadedFile file;
  const absl::Status status =
      api::FromJson(copy, file.kubelet, {.strict = unknown == nullptr, .unknown = unknown});
  if (!status.ok()) return ShowValue(status, copy);
  file.given_empty = {
      .enforce_node_allocatable = IsGivenEmpty(value, "enforceNodeAllocatable"),
      .eviction_hard = IsGivenEmpty(value, "evictionHard"),
  };
  return file;
}

json::value EncodeConfiguration(const KubeletConfiguration& config) {
  json::value value = api::ToObjectJson(config, kApiVersion, kKind);
  UnwrapHeaders(value);
  return value;
}

void MergePatch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& [name, value] : patch.get_object()) {
    if (value.is_null()) {
      target.get_object().erase(name);
    } else {
      MergePatch(target.get_object()[name], value);
    }
  }
}

absl::StatusOr<LoadedFile> LoadConfigFile(const std::string& path) {
  const std::string context =
      StrCat("failed to load kubelet config file, path: ", path,
             ", error: failed to load Kubelet config file ", path, ", error");
  const absl::StatusOr<json::value> value = ReadObject(path);
  if (!value.ok()) return Annotate(value.status(), context);
  std::vector<std::string> unknown;
  absl::StatusOr<LoadedFile> file = DecodeConfiguration(*value, &unknown);
  if (!file.ok()) return Annotate(file.status(), StrCat(context, ": failed to decode"));
  for (const std::string& field : unknown)
    file->warnings.push_back(StrCat("kubelet config file ", GoQuote(path), ": unknown field ",
                                    GoQuote(field), " is passed over"));
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return Annotate(absl::InternalError(error.message()), context);
  ResolveRelativePaths(file->kubelet, absolute.parent_path());
  return file;
}

absl::Status MergeDropIns(const std::string& directory, LoadedFile& base) {
  static constexpr char kContext[] = "failed to merge kubelet configs";
  std::vector<std::string> files;
  RETURN_IF_ERROR(Annotate(FindDropIns(directory, 0, files), kContext));
  if (files.empty()) return absl::OkStatus();
  json::value merged = EncodeConfiguration(base.kubelet);
  if (base.given_empty.enforce_node_allocatable)
    merged.get_object()["enforceNodeAllocatable"] = json::array();
  if (base.given_empty.eviction_hard) merged.get_object()["evictionHard"] = json::object();
  for (const std::string& path : files) {
    const absl::StatusOr<json::value> value = ReadDropIn(path);
    if (!value.ok())
      return Annotate(
          value.status(),
          StrCat(kContext, ": failed to load kubelet dropin file, path: ", path, ", error"));
    MergePatch(merged, *value);
  }
  absl::StatusOr<LoadedFile> result = DecodeConfiguration(merged, nullptr);
  if (!result.ok()) return Annotate(result.status(), kContext);
  base.kubelet = std::move(result->kubelet);
  base.given_empty = result->given_empty;
  return absl::OkStatus();
}

}  // namespace cubelet::config
