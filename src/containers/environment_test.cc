#include "containers/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/pod.h"
#include "containers/env_file.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;

v1::Pod WithContainer(std::string_view container, std::string_view spec = "{}") {
  v1::Pod pod = PodOf(spec);
  *pod.mutable_spec()->add_containers() = FromYaml<v1::Container>(container);
  return pod;
}

absl::StatusOr<Variables> Make(const v1::Pod& pod, EnvironmentInput input = {},
                               const NodeContext& node = Node()) {
  auto environment = MakeEnvironment(pod, pod.spec().containers(0), node, input);
  if (!environment.ok()) return environment.status();
  return environment->variables();
}

template <typename Object>
auto Holding(std::string_view kind, std::map<std::string, Object> objects) {
  return [kind, objects = std::move(objects)](
             std::string_view,
             std::string_view name) -> absl::StatusOr<std::shared_ptr<const Object>> {
    const auto found = objects.find(std::string(name));
    if (found == objects.end())
      return absl::NotFoundError(StrCat(kind, " ", GoQuote(name), " not found"));
    return std::make_shared<const Object>(found->second);
  };
}

EnvSources Sources() {
  EnvSources sources;
  sources.config_map = Holding<v1::ConfigMap>(
      "configmap", {{"cm", FromYaml<v1::ConfigMap>("data: {B: two, A: one}")}});
  v1::Secret secret;
  (*secret.mutable_data())["A"] = "hidden";
  sources.secret = Holding<v1::Secret>("secret", {{"sec", secret}});
  return sources;
}

TEST(Environment, LaterVariablesSeeEarlierOnes) {
  const auto variables = Make(WithContainer(R"y(
name: c
env:
- {name: A, value: x}
- {name: B, value: "$(A)-$(C)-$$(A)"}
- {name: C, value: c}
- {name: A, value: "$(A)z"}
- {name: EMPTY}
- {name: NOTHING, valueFrom: {}})y"));
  ASSERT_TRUE(variables.ok()) << variables.status();
  EXPECT_THAT(*variables, ElementsAre(Pair("A", "xz"), Pair("B", "x-$(C)-$(A)"), Pair("C", "c"),
                                      Pair("EMPTY", ""), Pair("NOTHING", "")));
}

TEST(Environment, FromObjectsInOrder) {
  const auto variables = Make(WithContainer(R"y(
name: c
envFrom:
- {configMapRef: {name: cm}}
- {secretRef: {name: sec}}
- {prefix: P_, configMapRef: {name: cm}}
- {configMapRef: {name: none, optional: true}}
- {secretRef: {name: none, optional: true}}
env:
- {name: X, value: "$(P_B)"})y"),
                              {.sources = Sources()});
  ASSERT_TRUE(variables.ok()) << variables.status();
  EXPECT_THAT(*variables, ElementsAre(Pair("A", "hidden"), Pair("B", "two"), Pair("P_A", "one"),
                                      Pair("P_B", "two"), Pair("X", "two")));
}

TEST(Environment, MissingObjectsAndKeysAreErrorsUnlessOptional) {
  const struct {
    const char* env;
    const char* error;
  } cases[] = {
      {"envFrom: [{configMapRef: {name: x}}]", "configmap \"x\" not found"},
      {"envFrom: [{secretRef: {name: x}}]", "secret \"x\" not found"},
      {"env: [{name: A, valueFrom: {configMapKeyRef: {name: x, key: k}}}]",
       "configmap \"x\" not found"},
      {"env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: k}}}]",
       "couldn't find key k in ConfigMap ns/cm"},
      {"env: [{name: A, valueFrom: {secretKeyRef: {name: sec, key: k}}}]",
       "couldn't find key k in Secret ns/sec"},
      {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.x}}}]",
       "unsupported fieldPath: spec.x"},
      {"env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]",
       "unsupported container resource : limits.gpu"},
      {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]",
       "cannot find the volume \"v\" referenced by FileKeyRef"},
  };
  for (const auto& c : cases) {
    const v1::Pod pod = WithContainer(StrCat("name: c\n", c.env));
    EXPECT_EQ(ErrorOf(Make(pod, {.sources = Sources()})), c.error) << c.env;
  }
  EXPECT_THAT(*Make(WithContainer(R"(
name: c
env:
- {name: A, valueFrom: {configMapKeyRef: {name: x, key: k, optional: true}}}
- {name: B, valueFrom: {configMapKeyRef: {name: cm, key: k, optional: true}}}
- {name: C, valueFrom: {secretKeyRef: {name: sec, key: k, optional: true}}})"),
                    {.sources = Sources()}),
              IsEmpty());
}

TEST(Environment, OtherErrorsOfSourcesAreNotOptional) {
  EnvSources sources;
  sources.secret = [](std::string_view,
                      std::string_view) -> absl::StatusOr<std::shared_ptr<const v1::Secret>> {
    return absl::PermissionDeniedError("no access");
  };
  EXPECT_EQ(
      ErrorOf(Make(WithContainer("{name: c, envFrom: [{secretRef: {name: x, optional: true}}]}"),
                   {.sources = sources})),
      "no access");
}

TEST(Environment, WithoutApiServerReferencesAreErrors) {
  EXPECT_EQ(ErrorOf(Make(
                WithContainer("{name: c, envFrom: [{configMapRef: {name: x, optional: true}}]}"))),
            "couldn't get configMap ns/x, no kubeClient defined");
  EXPECT_EQ(ErrorOf(Make(WithContainer(
                "{name: c, env: [{name: A, valueFrom: {secretKeyRef: {name: x, key: k}}}]}"))),
            "couldn't get secret ns/x, no kubeClient defined");
}

TEST(Environment, KnowsThePodAndItsAddresses) {
  const char container[] = R"(
name: c
resources: {requests: {cpu: 1500m}}
env:
- {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: IPS, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}
- {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
- {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}
- {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}})";
  NodeContext node = Node();
  node.allocatable["memory"] = api::Quantity::ParseOrZero("2Gi");
  EXPECT_THAT(*Make(WithContainer(container), {.pod_ips = {"10.1.0.5", "fd00::5"}}, node),
              ElementsAre(Pair("IP", "10.1.0.5"), Pair("IPS", "10.1.0.5,fd00::5"),
                          Pair("HOST", "10.99.0.1"), Pair("CPU", "2"), Pair("MEM", "2048")));
  EXPECT_THAT(*Make(WithContainer(container, "hostNetwork: true"), {}, node),
              IsSupersetOf({Pair("IP", "10.99.0.1"), Pair("IPS", "10.99.0.1")}));
}

TEST(Environment, EphemeralContainersCanAskForTheirOwnResources) {
  const v1::Pod pod = WithContainer("{name: c}");
  const auto debugger = FromYaml<v1::Container>(
      "{name: d, env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}]}");
  const auto environment = MakeEnvironment(pod, debugger, Node(), {});
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ(environment->Find("CPU"), "0");
}

TEST(Environment, DeviceVariablesComeFirstAndGiveWay) {
  const v1::Pod pod = WithContainer("{name: c, env: [{name: A, value: mine}]}");
  const auto environment =
      MakeEnvironment(pod, pod.spec().containers(0), Node(),
                      {.device_variables = {{"A", "device"}, {"D", "one"}, {"D", "two"}}});
  EXPECT_THAT(environment->variables(), ElementsAre(Pair("A", "device"), Pair("D", "one"),
                                                    Pair("D", "two"), Pair("A", "mine")));
  EXPECT_EQ(environment->Find("A"), "mine");
  EXPECT_EQ(environment->Find("D"), "two");
  EXPECT_EQ(environment->Find("E"), std::nullopt);
}

TEST(Environment, ReferencesCannotGrowWithoutBound) {
  std::string env = "{name: V0, value: xxxxxxxx}";
  for (int i = 1; i < 60; ++i)
    StrAppend(&env, ", {name: V", i, ", value: $(V", i - 1, ")$(V", i - 1, ")}");
  EXPECT_EQ(ErrorOf(Make(WithContainer(StrCat("{name: c, env: [", env, "]}")))),
            "environment variable \"V21\": references expand to more than 16777216 bytes");
}

// ---- Services

std::shared_ptr<const v1::Service> ServiceOf(std::string name, std::string_view spec) {
  auto service = std::make_shared<v1::Service>();
  service->mutable_metadata()->set_name(std::move(name));
  *service->mutable_spec() = FromYaml<v1::ServiceSpec>(spec);
  return service;
}

EnvSources WithServices(std::vector<std::shared_ptr<const v1::Service>> own,
                        std::vector<std::shared_ptr<const v1::Service>> of_default) {
  EnvSources sources;
  sources.services = [own, of_default](std::string_view name_space) {
    return name_space == "default" ? of_default : own;
  };
  return sources;
}

TEST(ServiceVariables, DescribeAllPorts) {
  Variables variables;
  AppendServiceVariables(*ServiceOf("my-svc", R"(
clusterIP: fd00::7
ports: [{port: 80}, {name: dns-udp, port: 53, protocol: UDP}])"),
                         &variables);
  EXPECT_THAT(
      variables,
      ElementsAre(
          Pair("MY_SVC_SERVICE_HOST", "fd00::7"), Pair("MY_SVC_SERVICE_PORT", "80"),
          Pair("MY_SVC_SERVICE_PORT_DNS_UDP", "53"), Pair("MY_SVC_PORT", "tcp://[fd00::7]:80"),
          Pair("MY_SVC_PORT_80_TCP", "tcp://[fd00::7]:80"), Pair("MY_SVC_PORT_80_TCP_PROTO", "tcp"),
          Pair("MY_SVC_PORT_80_TCP_PORT", "80"), Pair("MY_SVC_PORT_80_TCP_ADDR", "fd00::7"),
          Pair("MY_SVC_PORT_53_UDP", "udp://[fd00::7]:53"), Pair("MY_SVC_PORT_53_UDP_PROTO", "udp"),
          Pair("MY_SVC_PORT_53_UDP_PORT", "53"), Pair("MY_SVC_PORT_53_UDP_ADDR", "fd00::7")));
}

TEST(ServiceVariables, GoToPodsThatWantLinks) {
  const EnvSources sources = WithServices(
      {ServiceOf("a", "{clusterIP: 10.0.0.1}"), ServiceOf("headless", "{clusterIP: None}"),
       ServiceOf("external", "{type: ExternalName, externalName: x}")},
      {ServiceOf("kubernetes", "{clusterIP: 10.96.0.1}"), ServiceOf("b", "{clusterIP: 10.0.0.2}")});
  EXPECT_THAT(*Make(WithContainer("{name: c}"), {.sources = sources}),
              ElementsAre(Pair("A_SERVICE_HOST", "10.0.0.1"),
                          Pair("KUBERNETES_SERVICE_HOST", "10.96.0.1")));
  EXPECT_THAT(*Make(WithContainer("{name: c}", "enableServiceLinks: false"), {.sources = sources}),
              ElementsAre(Pair("KUBERNETES_SERVICE_HOST", "10.96.0.1")));
}

TEST(ServiceVariables, OwnServiceTakesThePlaceOfTheMaster) {
  const EnvSources sources = WithServices({ServiceOf("kubernetes", "{clusterIP: 10.0.0.9}")},
                                          {ServiceOf("kubernetes", "{clusterIP: 10.96.0.1}")});
  EXPECT_THAT(*Make(WithContainer("{name: c}"), {.sources = sources}),
              ElementsAre(Pair("KUBERNETES_SERVICE_HOST", "10.0.0.9")));
}

TEST(ServiceVariables, GiveWayAndCanBeReferredTo) {
  const EnvSources sources = WithServices({ServiceOf("a", "{clusterIP: 10.0.0.1}")}, {});
  EXPECT_THAT(
      *Make(WithContainer(
                "{name: c, env: [{name: X, value: $(A_SERVICE_HOST)}, "
                "{name: A_SERVICE_HOST, value: mine}, {name: Z, value: $(A_SERVICE_HOST)}]}"),
            {.sources = sources}),
      ElementsAre(Pair("X", "10.0.0.1"), Pair("A_SERVICE_HOST", "mine"), Pair("Z", "mine")));
}

TEST(ServiceVariables, MustBeDecidedOnAndKnown) {
  v1::Pod pod = WithContainer("{name: c}");
  EnvSources sources = WithServices({}, {});
  sources.services_synced = false;
  EXPECT_EQ(ErrorOf(Make(pod, {.sources = sources})),
            "services have not yet been read at least once, cannot construct envvars");
  (*pod.mutable_metadata()->mutable_annotations())[api::kConfigSourceAnnotation] = api::kFileSource;
  EXPECT_TRUE(Make(pod, {.sources = sources}).ok());
  pod.mutable_spec()->clear_enableservicelinks();
  EXPECT_EQ(ErrorOf(Make(pod, {.sources = sources})),
            "nil pod.spec.enableServiceLinks encountered, cannot construct envvars");
}

// ---- Files

TEST(EnvFile, FindsValues) {
  const char text[] =
      "# comment\n"
      "\n"
      "  A='one'\n"
      "B='two # not a comment' # comment\n"
      "C='over\n"
      "two lines'\n"
      "SKIPPED= 'x'\n"
      "NONE=\n"
      "D='with = and \"'\t\n"
      "E=''\n"
      "A='again'";
  const struct {
    const char* key;
    const char* value;
  } cases[] = {{"A", "one"},
               {"B", "two # not a comment"},
               {"C", "over\ntwo lines"},
               {"SKIPPED", ""},
               {"NONE", ""},
               {"D", "with = and \""},
               {"E", ""},
               {"absent", ""}};
  for (const auto& c : cases) {
    const auto value = FindInEnvFile(text, c.key);
    ASSERT_TRUE(value.ok()) << value.status();
    EXPECT_EQ(*value, c.value) << c.key;
  }
}

TEST(EnvFile, RefusesOtherForms) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"A='x'\nplain", "invalid environment variable format at line 2: no equals sign"},
      {"plain\nB='x'", "invalid environment variable format at line 1: no equals sign"},
      {"='x'", "invalid environment variable format at line 1: no name"},
      {"A ='x'", "invalid environment variable format at line 1: blank before the equals sign"},
      {"A=x", "invalid environment variable format at line 1: value must start with a quote"},
      {"A=\"x\"", "invalid environment variable format at line 1: value must start with a quote"},
      {"\nA='x", "invalid environment variable format at line 2: quote without an end"},
      {"B='1\n2'\nA='x'y",
       "invalid environment variable format at line 3: text after the closing quote"},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(FindInEnvFile(c.text, "Z")), c.error) << c.text;
  EXPECT_FALSE(FindInEnvFile(std::string(kMaxEnvFileBytes + 1, '\n'), "Z").ok());
}

TEST(Environment, ReadsFilesOfVolumes) {
  EnvSources sources;
  sources.read_file = [](const std::string& host_path,
                         std::string_view path) -> absl::StatusOr<std::string> {
    if (path == "broken") return "A";
    if (path == "large") return "A='" + std::string(32769, 'x') + "'";
    if (path != "good") return absl::NotFoundError("no such file");
    return StrCat("A='", host_path, "'");
  };
  const EnvironmentInput input{.sources = sources, .volumes = {{"v", {.host_path = "/vol"}}}};
  const auto value_of = [&](std::string_view path, std::string_view key, bool optional) {
    const v1::Pod pod = WithContainer(
        StrCat("{name: c, env: [{name: X, valueFrom: {fileKeyRef: {volumeName: v, path: ", path,
               ", key: ", key, ", optional: ", optional ? "true" : "false", "}}}]}"));
    const auto environment = MakeEnvironment(pod, pod.spec().containers(0), Node(), input);
    if (!environment.ok()) return StrCat("error: ", Message(environment.status()));
    return environment->Find("X").value_or("absent");
  };
  EXPECT_EQ(value_of("good", "A", false), "/vol");
  EXPECT_EQ(value_of("good", "B", true), "absent");
  EXPECT_EQ(value_of("good", "B", false),
            "error: environment variable key \"B\" not found in file \"good\"");
  EXPECT_EQ(value_of("broken", "A", false), "error: couldn't parse env file");
  EXPECT_EQ(value_of("missing", "A", true), "error: couldn't parse env file");
  EXPECT_EQ(value_of("large", "A", false),
            "error: environment variable value for key \"A\" exceeds maximum size of 32KB");
}

}  // namespace
}  // namespace cubelet::containers
