#include "integration/recorded_life.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "api/pod.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "containers/golden.h"
#include "containers/labels.h"
#include "containers/service_variables.h"

namespace cubelet::integration {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kTokenDirectory[] = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr char kRpcPrefix[] = " desc = ";

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

template <typename Request>
std::shared_ptr<Message> Make(const json::value& record) {
  return std::make_shared<Request>(containers::FromRecord<Request>(record));
}

std::shared_ptr<Message> RequestOf(std::string_view method, const json::value& record) {
  using Maker = std::shared_ptr<Message> (*)(const json::value&);
  static const std::map<std::string_view, Maker> kMakers = {
      {"RunPodSandbox", Make<criv1::RunPodSandboxRequest>},
      {"StopPodSandbox", Make<criv1::StopPodSandboxRequest>},
      {"RemovePodSandbox", Make<criv1::RemovePodSandboxRequest>},
      {"CreateContainer", Make<criv1::CreateContainerRequest>},
      {"StartContainer", Make<criv1::StartContainerRequest>},
      {"StopContainer", Make<criv1::StopContainerRequest>},
      {"RemoveContainer", Make<criv1::RemoveContainerRequest>},
      {"ExecSync", Make<criv1::ExecSyncRequest>},
      {"ImageStatus", Make<criv1::ImageStatusRequest>},
      {"PullImage", Make<criv1::PullImageRequest>},
  };
  const auto maker = kMakers.find(method);
  EXPECT_NE(maker, kMakers.end()) << method;
  return maker == kMakers.end() ? nullptr : maker->second(record);
}

const criv1::PodSandboxConfig* SandboxConfigOf(const RecordedCall& call) {
  if (call.method == "RunPodSandbox")
    return &static_cast<const criv1::RunPodSandboxRequest&>(*call.request).config();
  return nullptr;
}

const criv1::CreateContainerRequest* CreationOf(const RecordedCall& call) {
  if (call.method != "CreateContainer") return nullptr;
  return &static_cast<const criv1::CreateContainerRequest&>(*call.request);
}

// The mount of the container's termination log, null if it has none.
criv1::Mount* TerminationLogOf(criv1::ContainerConfig& config) {
  const auto path = config.annotations().find(containers::kMessagePathAnnotation);
  if (path == config.annotations().end()) return nullptr;
  for (criv1::Mount& mount : *config.mutable_mounts())
    if (mount.container_path() == path->second) return &mount;
  return nullptr;
}

// ---- Substitution

std::string Replaced(const Substitution& substitution, const std::string& text) {
  const auto id = substitution.ids.find(text);
  if (id != substitution.ids.end()) return id->second;
  for (const auto& [recorded, ours] : substitution.directories)
    if (text.starts_with(recorded + "/")) return ours + text.substr(recorded.size());
  return text;
}

// All strings of the message.
void ReplaceStrings(const Substitution& substitution, Message& message) {
  const google::protobuf::Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 0;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field->is_repeated())
        ReplaceStrings(substitution, *reflection->MutableMessage(&message, field));
      for (int i = 0; i < count; ++i)
        ReplaceStrings(substitution, *reflection->MutableRepeatedMessage(&message, field, i));
    } else if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (!field->is_repeated())
        reflection->SetString(&message, field,
                              Replaced(substitution, reflection->GetString(message, field)));
      for (int i = 0; i < count; ++i)
        reflection->SetRepeatedString(
            &message, field, i,
            Replaced(substitution, reflection->GetRepeatedString(message, field, i)));
    }
  }
}

template <typename Annotations>
void ReplaceAnnotations(const Substitution& substitution, Annotations& annotations) {
  if (!annotations.contains(api::kConfigSourceAnnotation)) return;
  annotations[api::kConfigSourceAnnotation] = api::kFileSource;
  annotations[api::kConfigHashAnnotation] = substitution.uid;
  annotations[api::kConfigSeenAnnotation] = substitution.seen;
}

template <typename Labels>
void ReplaceName(const Substitution& substitution, Labels& labels) {
  labels[containers::kPodNameLabel] = substitution.static_name;
}

void ReplaceSandbox(const Substitution& substitution, criv1::PodSandboxConfig& config) {
  config.mutable_metadata()->set_name(substitution.static_name);
  if (config.hostname() == substitution.name) config.set_hostname(substitution.static_name);
  const std::string suffix = StrCat("_", substitution.name, "_", substitution.uid);
  std::string& directory = *config.mutable_log_directory();
  ASSERT_TRUE(directory.ends_with(suffix)) << directory;
  directory = StrCat(directory.substr(0, directory.size() - suffix.size()), "_",
                     substitution.static_name, "_", substitution.uid);
  ReplaceName(substitution, *config.mutable_labels());
  ReplaceAnnotations(substitution, *config.mutable_annotations());
}

void DropApiServersShare(criv1::ContainerConfig& config) {
  containers::Variables variables;
  containers::AppendServiceVariables(*containers::ApiService(), &variables);
  std::set<std::string> names;
  for (const auto& [name, value] : variables) names.insert(name);
  auto& envs = *config.mutable_envs();
  envs.erase(std::remove_if(envs.begin(), envs.end(),
                            [&](const criv1::KeyValue& env) { return names.contains(env.key()); }),
             envs.end());
  auto& mounts = *config.mutable_mounts();
  mounts.erase(std::remove_if(mounts.begin(), mounts.end(),
                              [](const criv1::Mount& mount) {
                                return mount.container_path() == kTokenDirectory;
                              }),
               mounts.end());
}

void ReplaceContainer(const Substitution& substitution, const std::string& id,
                      criv1::ContainerConfig& config) {
  ReplaceName(substitution, *config.mutable_labels());
  DropApiServersShare(config);
  criv1::Mount* log = TerminationLogOf(config);
  const auto ours = substitution.termination_logs.find(id);
  if (log == nullptr || ours == substitution.termination_logs.end()) return;
  // The directory has to be the same; the name is random, and as long.
  const size_t slash = log->host_path().rfind('/');
  if (ours->second.size() == log->host_path().size())
    log->set_host_path(
        StrCat(log->host_path().substr(0, slash), ours->second.substr(ours->second.rfind('/'))));
}

}  // namespace

RecordedLife::RecordedLife(const std::string& folder) : folder_(containers::kGolden + folder) {
  const json::value calls = containers::ReadJson(folder_ + "/cri.json");
  for (const json::value& record : calls.as_array()) {
    RecordedCall call;
    call.method = Text(record.as_object(), "method");
    call.request = RequestOf(call.method, record.at("request"));
    if (const json::value* answer = record.as_object().if_contains("response");
        answer != nullptr && answer->is_object()) {
      call.id = Text(answer->as_object(), "pod_sandbox_id");
      if (call.id.empty()) call.id = Text(answer->as_object(), "container_id");
    }
    const std::string error = Text(record.as_object(), "error");
    if (pull_error_.empty() && error.find(kRpcPrefix) != std::string::npos)
      pull_error_ = error.substr(error.find(kRpcPrefix) + sizeof kRpcPrefix - 1);
    if (const criv1::PodSandboxConfig* config = SandboxConfigOf(call)) {
      pod_name_ = config->metadata().name();
      uid_ = config->metadata().uid();
      annotations_ = {config->annotations().begin(), config->annotations().end()};
      annotations_.erase(api::kConfigSeenAnnotation);
      annotations_.erase(api::kConfigSourceAnnotation);
    }
    calls_.push_back(std::move(call));
  }
  const json::value events = containers::ReadJson(folder_ + "/events.json");
  for (const json::value& record : events.as_array()) {
    const json::object& event = record.as_object();
    if (Text(event, "from") != "kubelet") continue;
    events_.push_back({Text(event, "path"), Text(event, "type"), Text(event, "reason"),
                       Text(event, "message"), event.at("count").to_number<int>()});
  }
}

std::string RecordedLife::Manifest() const {
  const std::string text = containers::ReadFile(folder_ + "/pod.yaml");
  auto pod = api::ParseYaml(text);
  EXPECT_TRUE(pod.ok()) << pod.status();
  if (!pod.ok()) return "";
  json::object& metadata = pod->as_object()["metadata"].as_object();
  metadata["namespace"] = "golden";
  metadata["uid"] = uid_;
  json::object annotations;
  for (const auto& [name, value] : annotations_) annotations[name] = value;
  metadata["annotations"] = std::move(annotations);
  return json::serialize(*pod);
}

size_t RecordedLife::CallsBeforeEnd() const {
  size_t end = 0;
  while (end < calls_.size() && calls_[end].method != "StopContainer" &&
         calls_[end].method != "StopPodSandbox")
    ++end;
  return end;
}

std::string RecordedLife::PullError() const { return pull_error_; }

Substitution MakeSubstitution(const RecordedLife& life, const std::vector<RecordedCall>& ours,
                              std::string static_name) {
  Substitution substitution;
  substitution.name = life.pod_name();
  substitution.static_name = std::move(static_name);
  substitution.uid = life.uid();
  std::vector<const RecordedCall*> sandboxes;
  std::map<std::pair<std::string, uint32_t>, const RecordedCall*> creations;
  for (const RecordedCall& call : ours) {
    if (const criv1::PodSandboxConfig* config = SandboxConfigOf(call)) {
      sandboxes.push_back(&call);
      const auto seen = config->annotations().find(api::kConfigSeenAnnotation);
      if (seen != config->annotations().end()) substitution.seen = seen->second;
    }
    if (const criv1::CreateContainerRequest* request = CreationOf(call))
      creations[{request->config().metadata().name(), request->config().metadata().attempt()}] =
          &call;
  }
  size_t sandbox = 0;
  for (const RecordedCall& call : life.calls()) {
    if (call.method == "RunPodSandbox" && sandbox < sandboxes.size())
      substitution.ids[call.id] = sandboxes[sandbox++]->id;
    const criv1::CreateContainerRequest* request = CreationOf(call);
    if (request == nullptr) continue;
    const auto found = creations.find(
        {request->config().metadata().name(), request->config().metadata().attempt()});
    if (found == creations.end()) continue;
    substitution.ids[call.id] = found->second->id;
    criv1::ContainerConfig config = CreationOf(*found->second)->config();
    // Ids of images are the registry's.
    substitution.ids[request->config().image().image()] = config.image().image();
    if (const criv1::Mount* log = TerminationLogOf(config))
      substitution.termination_logs[call.id] = log->host_path();
  }
  return substitution;
}

void Substitute(const Substitution& substitution, const std::string& id, Message& request) {
  ReplaceStrings(substitution, request);
  if (auto* run = dynamic_cast<criv1::RunPodSandboxRequest*>(&request))
    ReplaceSandbox(substitution, *run->mutable_config());
  if (auto* pull = dynamic_cast<criv1::PullImageRequest*>(&request)) {
    ReplaceSandbox(substitution, *pull->mutable_sandbox_config());
    ReplaceAnnotations(substitution, *pull->mutable_image()->mutable_annotations());
  }
  if (auto* image = dynamic_cast<criv1::ImageStatusRequest*>(&request))
    ReplaceAnnotations(substitution, *image->mutable_image()->mutable_annotations());
  if (auto* create = dynamic_cast<criv1::CreateContainerRequest*>(&request)) {
    ReplaceSandbox(substitution, *create->mutable_sandbox_config());
    ReplaceContainer(substitution, id, *create->mutable_config());
  }
}

std::string Describe(const RecordedCall& call, const std::map<std::string, std::string>& names) {
  const auto name = [&](const std::string& id) {
    const auto found = names.find(id);
    return found == names.end() ? id : found->second;
  };
  std::string object;
  const Message& request = *call.request;
  if (const criv1::CreateContainerRequest* create = CreationOf(call))
    object = StrCat(create->config().metadata().name(), " ", create->config().metadata().attempt());
  if (const auto* exec = dynamic_cast<const criv1::ExecSyncRequest*>(&request))
    object = StrCat(name(exec->container_id()), ": ", absl::StrJoin(exec->cmd(), " "));
  if (const auto* start = dynamic_cast<const criv1::StartContainerRequest*>(&request))
    object = name(start->container_id());
  if (const auto* stop = dynamic_cast<const criv1::StopContainerRequest*>(&request))
    object = name(stop->container_id());
  if (const auto* remove = dynamic_cast<const criv1::RemoveContainerRequest*>(&request))
    object = name(remove->container_id());
  if (const auto* image = dynamic_cast<const criv1::ImageStatusRequest*>(&request))
    object = StrCat(image->image().image(),
                    image->image().annotations().empty() ? "" : " with annotations");
  if (const auto* pull = dynamic_cast<const criv1::PullImageRequest*>(&request))
    object = pull->image().image();
  return object.empty() ? call.method : StrCat(call.method, " ", object);
}

}  // namespace cubelet::integration
