// The status of every recorded pod, computed from what the recording says of the runtime, equals
// what the Go kubelet reported.
// Before anything that brings <signal.h>, whose macros are enumerators here.
#include "cri/types.h"
//
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/pod.h"
#include "api/restart.h"
#include "api/yaml.h"
#include "pleg/runtime_records.h"
#include "status/lookup.h"
#include "status/pod_status.h"
#include "status/report.h"

namespace cubelet::status {
namespace {

namespace json = boost::json;

std::string GoldenDirectory() { return std::string(CUBELET_SOURCE_DIR) + "/tests/golden"; }

json::value ReadJson(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  absl::StatusOr<json::value> value = api::ParseJson(text.str());
  EXPECT_TRUE(value.ok()) << path << ": " << value.status();
  return value.ok() ? *value : json::value();
}

template <typename T>
T FromCriJson(const json::value& value) {
  T message;
  const auto result = google::protobuf::util::JsonStringToMessage(json::serialize(value), &message);
  EXPECT_TRUE(result.ok()) << result.ToString();
  return message;
}

// The machine of the recordings: cgroup v1, where a cgroup without limit says this.
constexpr int64_t kUnlimitedBytes = 0x7FFFFFFFFFFFF000;

// The phase that the API knew when the recorded status was made; only timing decides whether a
// report had arrived before. Pods that are not named were looked at once before it was Running.
const std::map<std::string, std::string> kPhaseInApi = {
    {"12-crash", "Running"},  {"13-job-style", "Succeeded"}, {"14-never-fail", "Running"},
    {"15-probes", "Running"}, {"17-deadline", "Running"},
};

class Recording {
 public:
  explicit Recording(const std::string& name) : name_(name) {
    const std::string directory = GoldenDirectory() + "/" + name;
    const json::value pod_json = ReadJson(directory + "/pod.json");
    auto pod = std::make_shared<v1::Pod>();
    const absl::Status decoded = api::FromJson(pod_json, *pod);
    EXPECT_TRUE(decoded.ok()) << decoded;
    recorded_ = pod->status();
    pod_ = pod;
    const json::value calls = ReadJson(directory + "/cri.json");
    for (const json::value& call : calls.as_array()) Replay(call);
    pleg::SortRecords(runtime_);
  }

  const v1::PodStatus& recorded() const { return recorded_; }

  // The pod as the kubelet had it, with the API's copy of the status.
  PodPtr PodWith(const v1::PodStatus& api_copy) const {
    auto pod = std::make_shared<v1::Pod>(*pod_);
    *pod->mutable_status() = api_copy;
    return pod;
  }

  // Before anything is known of the pod's containers.
  StatusInput FirstInput() const {
    v1::PodStatus api_copy;
    api_copy.set_phase("Pending");
    api_copy.set_qosclass(recorded_.qosclass());
    StatusInput input;
    input.runtime_name = "containerd";
    input.host_ips = {"10.99.0.1"};
    input.pod_cgroup = PodCgroupValues{2, std::nullopt, kUnlimitedBytes};
    input.now = FromApiTime(recorded_.starttime());
    input.pod = PodWith(api_copy);
    return input;
  }

  v1::PodStatus Compute() const {
    StatusInput input = FirstInput();
    v1::PodStatus api_copy = input.pod->status();
    const v1::PodStatus first = MakePodStatus(input);
    EXPECT_EQ(first.phase(), "Pending");

    // With what the runtime came to hold.
    input.old = std::make_shared<v1::PodStatus>(first);
    input.now += absl::Seconds(5);
    input.runtime = std::make_shared<pleg::RuntimePod>(runtime_);
    input.health = Health();
    input.start_failures = StartFailures();
    input.termination_messages = last_words_;
    v1::PodStatus status = MakePodStatus(input);
    EXPECT_TRUE(CheckTransition(*pod_, first, status).ok());

    // And once more where the recording comes from later.
    if (const auto phase = kPhaseInApi.find(name_); phase != kPhaseInApi.end()) {
      input.old = std::make_shared<v1::PodStatus>(status);
      api_copy = first;
      api_copy.set_phase(phase->second);
      input.pod = PodWith(api_copy);
      if (Ended()) input.runtime = TornDown();
      input.terminal = Ended();
      status = MakePodStatus(input);
      EXPECT_TRUE(CheckTransition(*pod_, *input.old, status).ok());
    }
    if (input.terminal) status = MakeTerminatedStatus(*input.pod, std::move(status));
    return MergeForApi(api_copy, std::move(status), !input.terminal);
  }

 private:
  void Replay(const json::value& call) {
    const std::string method(call.at("method").as_string());
    const json::object& object = call.as_object();
    if (!object.contains("response")) return;
    if (method == "RunPodSandbox") AddSandbox(call);
    if (method == "CreateContainer") AddContainer(call);
  }

  void AddSandbox(const json::value& call) {
    const auto config = FromCriJson<criv1::PodSandboxConfig>(call.at("request").at("config"));
    criv1::PodSandboxStatus status;
    status.set_id(std::string(call.at("response").at("pod_sandbox_id").as_string()));
    *status.mutable_metadata() = config.metadata();
    status.set_state(criv1::SANDBOX_READY);
    status.set_created_at(1);
    *status.mutable_linux()->mutable_namespaces()->mutable_options() =
        config.linux().security_context().namespace_options();
    const bool host_network =
        config.linux().security_context().namespace_options().network() == criv1::NODE;
    status.mutable_network();
    if (!host_network) status.mutable_network()->set_ip(recorded_.podip());
    runtime_.sandboxes.push_back(pleg::MakeSandboxRecord(status));
  }

  void AddContainer(const json::value& call) {
    const auto config = FromCriJson<criv1::ContainerConfig>(call.at("request").at("config"));
    const std::string id(call.at("response").at("container_id").as_string());
    const std::string api_id = "containerd://" + id;
    for (const auto* list : {&recorded_.initcontainerstatuses(), &recorded_.containerstatuses()}) {
      for (const v1::ContainerStatus& container : *list) {
        if (container.containerid() == api_id) {
          AddRecord(config, id, container, container.state());
        } else if (container.laststate().terminated().containerid() == api_id) {
          AddRecord(config, id, container, container.laststate());
        }
      }
    }
  }

  void AddRecord(const criv1::ContainerConfig& config, const std::string& id,
                 const v1::ContainerStatus& seen, const v1::ContainerState& state) {
    criv1::ContainerStatus status;
    status.set_id(id);
    *status.mutable_metadata() = config.metadata();
    *status.mutable_labels() = config.labels();
    *status.mutable_annotations() = config.annotations();
    status.mutable_image()->set_image(seen.image());
    status.set_image_ref(seen.imageid());
    status.set_created_at(static_cast<int64_t>(runtime_.containers.size()) + 1);
    *status.mutable_resources()->mutable_linux() = config.linux().resources();
    criv1::LinuxContainerUser* user = status.mutable_user()->mutable_linux();
    user->set_uid(seen.user().linux().uid());
    user->set_gid(seen.user().linux().gid());
    *user->mutable_supplemental_groups() = seen.user().linux().supplementalgroups();
    if (state.has_running()) {
      status.set_state(criv1::CONTAINER_RUNNING);
      status.set_started_at(Nanos(state.running().startedat()));
    } else {
      const v1::ContainerStateTerminated& ended = state.terminated();
      status.set_state(criv1::CONTAINER_EXITED);
      status.set_started_at(Nanos(ended.startedat()));
      status.set_finished_at(Nanos(ended.finishedat()));
      status.set_exit_code(ended.exitcode());
      status.set_reason(ended.reason());
      last_words_[id] = ended.message();
    }
    runtime_.containers.push_back(pleg::MakeContainerRecord(status, runtime_.sandboxes.front().id));
  }

  // The runtime knows times more exactly than the API.
  static int64_t Nanos(const metav1::Time& time) {
    return time.seconds() * 1'000'000'000 + 123'456'789;
  }

  // What the probes said of containers that have some.
  std::map<std::string, ContainerHealth> Health() const {
    std::map<std::string, ContainerHealth> health;
    api::ForEachContainer(*pod_, [&](const v1::Container& container, api::ContainerType type) {
      if (!container.has_readinessprobe() && !container.has_startupprobe()) return;
      const bool init = type == api::ContainerType::kInit;
      const v1::ContainerStatus* status =
          FindStatus(init ? recorded_.initcontainerstatuses() : recorded_.containerstatuses(),
                     container.name());
      health[container.name()] = {status->started(), status->ready()};
    });
    return health;
  }

  std::map<std::string, StartFailure> StartFailures() const {
    std::map<std::string, StartFailure> failures;
    for (const v1::ContainerStatus& status : recorded_.containerstatuses()) {
      if (status.state().has_waiting())
        failures[status.name()] = {status.state().waiting().reason(),
                                   status.state().waiting().message()};
    }
    return failures;
  }

  // A sandbox that was stopped has no address any more.
  std::shared_ptr<const pleg::RuntimePod> TornDown() const {
    auto runtime = std::make_shared<pleg::RuntimePod>(runtime_);
    for (pleg::SandboxRecord& sandbox : runtime->sandboxes) {
      sandbox.ready = false;
      sandbox.ips.clear();
    }
    return runtime;
  }

  // Every container has ended and none may be started again: the pod was torn down.
  bool Ended() const {
    for (const v1::Container& container : pod_->spec().containers()) {
      const v1::ContainerStatus* status =
          FindStatus(recorded_.containerstatuses(), container.name());
      if (!status->state().has_terminated() ||
          api::RestartsAfter(*pod_, container, status->state().terminated().exitcode()))
        return false;
    }
    return true;
  }

  const std::string name_;
  PodPtr pod_;
  v1::PodStatus recorded_;
  pleg::RuntimePod runtime_;
  std::map<std::string, std::string> last_words_;
};

json::value WithoutTimes(const v1::PodStatus& status) {
  json::value value = api::ToJson(status);
  for (json::value& condition : value.as_object()["conditions"].as_array())
    condition.as_object().erase("lastTransitionTime");
  return value;
}

// Keys of both, so that a failure shows which field differs.
void ExpectSame(const std::string& path, const json::value& want, const json::value& got) {
  if (want == got) return;
  if (want.is_object() && got.is_object()) {
    for (const auto& [key, value] : want.as_object()) {
      const json::value* other = got.as_object().if_contains(key);
      ExpectSame(path + "." + std::string(key), value,
                 other == nullptr ? json::value("(absent)") : *other);
    }
    for (const auto& [key, value] : got.as_object()) {
      EXPECT_TRUE(want.as_object().contains(key))
          << path << "." << key << " was not reported: " << json::serialize(value);
    }
    return;
  }
  if (want.is_array() && got.is_array() && want.as_array().size() == got.as_array().size()) {
    for (size_t i = 0; i < want.as_array().size(); ++i)
      ExpectSame(path + "[" + std::to_string(i) + "]", want.as_array()[i], got.as_array()[i]);
    return;
  }
  ADD_FAILURE() << path << "\n  reported: " << json::serialize(want)
                << "\n  computed: " << json::serialize(got);
}

// Only what a patch says is held against the computed status.
void ExpectPatchFits(const std::string& path, const json::object& patch, const json::value& got) {
  for (const auto& [key, value] : patch) {
    const std::string where = path + "." + std::string(key);
    if (key.starts_with("$") || key == "startTime" || key.ends_with("Time")) continue;
    ASSERT_TRUE(got.as_object().contains(key)) << where;
    const json::value& other = got.at(key);
    if (key != "conditions") {
      ExpectSame(where, value, other);
      continue;
    }
    for (const json::value& condition : value.as_array()) {
      for (const json::value& computed : other.as_array()) {
        if (computed.at("type") == condition.at("type"))
          ExpectPatchFits(where, condition.as_object(), computed);
      }
    }
  }
}

// Volumes of the default token have a random name in each run.
json::value WithoutMounts(json::value status) {
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    if (!status.as_object().contains(list)) continue;
    for (json::value& container : status.at(list).as_array())
      container.as_object().erase("volumeMounts");
  }
  return status;
}

// The first report of each pod in the recorded conversation, before anything was started.
TEST(GoldenStatus, FirstReportsInTheConversation) {
  const std::map<std::string, std::string> recordings = {{"minimal", "01-minimal"},
                                                         {"volumes", "05-volumes"},
                                                         {"init-sidecar", "06-init-and-sidecar"},
                                                         {"crash", "12-crash"},
                                                         {"onfailure", "13-job-style"}};
  std::ifstream conversation(GoldenDirectory() + "/api/conversation.jsonl");
  size_t compared = 0;
  for (std::string line; std::getline(conversation, line);) {
    const json::value call = json::parse(line);
    std::string uri(call.at("uri").as_string());
    const std::string prefix = "/api/v1/namespaces/golden/pods/";
    if (!uri.starts_with(prefix) || !uri.ends_with("/status")) continue;
    const std::string name = uri.substr(prefix.size(), uri.rfind('/') - prefix.size());
    const json::value& patch = call.at("body").at("status");
    if (!patch.as_object().contains("startTime") || !recordings.contains(name)) continue;
    const Recording recording(recordings.at(name));
    ExpectPatchFits(name, WithoutMounts(patch).as_object(),
                    WithoutMounts(api::ToJson(MakePodStatus(recording.FirstInput()))));
    ++compared;
  }
  EXPECT_EQ(compared, recordings.size());
}

std::vector<std::string> RecordedPods() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenDirectory())) {
    if (std::filesystem::exists(entry.path() / "pod.json"))
      names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(GoldenStatus, AllRecordingsAreThere) { EXPECT_EQ(RecordedPods().size(), 20U); }

class GoldenStatus : public testing::TestWithParam<std::string> {};

TEST_P(GoldenStatus, EqualsTheRecorded) {
  const Recording recording(GetParam());
  ExpectSame("status", WithoutTimes(recording.recorded()), WithoutTimes(recording.Compute()));
}

INSTANTIATE_TEST_SUITE_P(Pods, GoldenStatus, testing::ValuesIn(RecordedPods()),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) {
                             if (c == '-') c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace cubelet::status
