#include "containers/security_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/profiles.h"
#include "containers/testing.h"

namespace cubelet::containers {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Container ContainerOf(std::string_view security_context) {
  return FromYaml<v1::Container>(StrCat("{name: c, securityContext: ", security_context, "}"));
}

criv1::LinuxContainerSecurityContext Make(std::string_view spec, std::string_view container,
                                          const NodeContext& node = Node(),
                                          const SecurityInput& input = {}) {
  const auto context =
      MakeContainerSecurityContext(PodOf(spec), ContainerOf(container), node, input);
  EXPECT_TRUE(context.ok()) << context.status();
  return context.ok() ? *context : criv1::LinuxContainerSecurityContext();
}

TEST(SecurityContext, ContainerGoesBeforePod) {
  const auto context =
      Make("securityContext: {runAsUser: 1, runAsGroup: 2, seLinuxOptions: {user: u, level: l}}",
           "{runAsUser: 3, seLinuxOptions: {type: t}}");
  EXPECT_EQ(context.run_as_user().value(), 3);
  EXPECT_EQ(context.run_as_group().value(), 2);
  // The whole structure, not its fields one by one.
  EXPECT_EQ(context.selinux_options().type(), "t");
  EXPECT_EQ(context.selinux_options().user(), "");
  EXPECT_EQ(Make("securityContext: {seLinuxOptions: {user: u, role: r, type: t, level: l}}", "{}")
                .selinux_options()
                .role(),
            "r");
}

TEST(SecurityContext, WithoutUserTheImageNamesIt) {
  criv1::Image image;
  EXPECT_EQ(ImageUserOf(image).uid, 0);
  image.set_username("web");
  EXPECT_EQ(ImageUserOf(image).username, "web");
  EXPECT_EQ(ImageUserOf(image).uid, std::nullopt);
  const auto by_name = Make("{}", "{}", Node(), {.image_user = ImageUserOf(image)});
  EXPECT_FALSE(by_name.has_run_as_user());
  EXPECT_EQ(by_name.run_as_username(), "web");
  image.mutable_uid()->set_value(7);
  const auto by_number = Make("{}", "{}", Node(), {.image_user = ImageUserOf(image)});
  EXPECT_EQ(by_number.run_as_user().value(), 7);
  EXPECT_EQ(by_number.run_as_username(), "");
  EXPECT_EQ(
      Make("{}", "{runAsUser: 5}", Node(), {.image_user = {.username = "web"}}).run_as_username(),
      "");
}

TEST(SecurityContext, RunAsNonRootIsChecked) {
  const std::string where = " (pod: \"p_ns(u1)\", container: c)";
  const struct {
    const char* spec;
    const char* container;
    ImageUser user;
    std::string error;
  } cases[] = {
      {"{}", "{}", {.uid = 0}, ""},
      {"securityContext: {runAsNonRoot: true}", "{runAsNonRoot: false}", {.uid = 0}, ""},
      {"{}", "{runAsNonRoot: true, runAsUser: 5}", {.uid = 0}, ""},
      {"{}", "{runAsNonRoot: true}", {.uid = 5}, ""},
      {"{}",
       "{runAsNonRoot: true, runAsUser: 0}",
       {.uid = 5},
       "container's runAsUser breaks non-root policy" + where},
      {"securityContext: {runAsNonRoot: true}",
       "{}",
       {.username = "web"},
       "container has runAsNonRoot and image has non-numeric user (web), cannot verify user is "
       "non-root" +
           where},
      {"{}",
       "{runAsNonRoot: true}",
       {.uid = 0},
       "container has runAsNonRoot and image will run as root" + where},
      {"{}",
       "{runAsNonRoot: true}",
       {.uid = -1},
       "container has runAsNonRoot and image has an invalid user id (-1). (Must be "
       "1-(2147483647)): must be between 0 and 2147483647, inclusive" +
           where},
      {"{}",
       "{runAsNonRoot: true}",
       {.uid = 2147483648},
       "container has runAsNonRoot and image has an invalid user id (2147483648). (Must be "
       "1-(2147483647)): must be between 0 and 2147483647, inclusive" +
           where},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ErrorOf(CheckRunAsNonRoot(PodOf(c.spec), ContainerOf(c.container), c.user)), c.error);
}

TEST(SecurityContext, GroupsHaveAnOrder) {
  const char spec[] = "securityContext: {fsGroup: 1, supplementalGroups: [2, 3]}";
  EXPECT_THAT(Make(spec, "{}", Node(), {.volume_groups = {4}}).supplemental_groups(),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(MakeSandboxSecurityContext(PodOf(spec), std::nullopt, {4})->supplemental_groups(),
              ElementsAre(1, 4, 2, 3));
}

TEST(SecurityContext, GroupsPolicy) {
  EXPECT_EQ(*GroupsPolicyOf(PodOf("{}")), criv1::Merge);
  EXPECT_EQ(*GroupsPolicyOf(PodOf("securityContext: {supplementalGroupsPolicy: Merge}")),
            criv1::Merge);
  const v1::Pod odd = PodOf("securityContext: {supplementalGroupsPolicy: Odd}");
  EXPECT_EQ(ErrorOf(GroupsPolicyOf(odd)), "unsupported supplementalGroupsPolicy: Odd");
  EXPECT_EQ(ErrorOf(MakeSandboxSecurityContext(odd, std::nullopt, {})),
            "unsupported supplementalGroupsPolicy: Odd");
  EXPECT_EQ(ErrorOf(MakeContainerSecurityContext(odd, ContainerOf("{}"), Node(), {})),
            "unsupported supplementalGroupsPolicy: Odd");
}

TEST(SecurityContext, AnyPrivilegedContainerMakesThePodSo) {
  const struct {
    const char* spec;
    bool privileged;
  } cases[] = {
      {"containers: [{name: a}]", false},
      {"containers: [{name: a, securityContext: {privileged: false}}]", false},
      {"containers: [{name: a}, {name: b, securityContext: {privileged: true}}]", true},
      {"initContainers: [{name: a, securityContext: {privileged: true}}]", true},
      {"ephemeralContainers: [{name: a, securityContext: {privileged: true}}]", true},
  };
  for (const auto& c : cases)
    EXPECT_EQ(MakeSandboxSecurityContext(PodOf(c.spec), std::nullopt, {})->privileged(),
              c.privileged)
        << c.spec;
}

TEST(SecurityContext, SandboxKeepsThePodsIdentity) {
  const auto context = MakeSandboxSecurityContext(
      PodOf("securityContext: {runAsUser: 1, runAsGroup: 2, seLinuxOptions: {level: l}, "
            "seccompProfile: {type: Unconfined}}"),
      std::nullopt, {});
  EXPECT_EQ(context->run_as_user().value(), 1);
  EXPECT_EQ(context->run_as_group().value(), 2);
  EXPECT_EQ(context->selinux_options().level(), "l");
  EXPECT_EQ(context->seccomp().profile_type(), criv1::SecurityProfile::RuntimeDefault);
}

TEST(Namespaces, FollowThePod) {
  const auto none = MakeNamespaceOptions(PodOf("{}"), std::nullopt, "");
  EXPECT_EQ(none.network(), criv1::POD);
  EXPECT_EQ(none.ipc(), criv1::POD);
  EXPECT_EQ(none.pid(), criv1::CONTAINER);
  EXPECT_EQ(none.userns_options().mode(), criv1::NODE);
  const auto host = MakeNamespaceOptions(PodOf("{hostNetwork: true, hostIPC: true, hostPID: true}"),
                                         std::nullopt, "");
  EXPECT_EQ(host.network(), criv1::NODE);
  EXPECT_EQ(host.ipc(), criv1::NODE);
  EXPECT_EQ(host.pid(), criv1::NODE);
}

TEST(Namespaces, ProcessNamespaceOfATarget) {
  const auto target = MakeNamespaceOptions(PodOf("{}"), std::nullopt, "id");
  EXPECT_EQ(target.pid(), criv1::TARGET);
  EXPECT_EQ(target.target_id(), "id");
  const auto shared =
      MakeNamespaceOptions(PodOf("shareProcessNamespace: true"), std::nullopt, "id");
  EXPECT_EQ(shared.pid(), criv1::POD);
  EXPECT_EQ(shared.target_id(), "");
  EXPECT_EQ(MakeNamespaceOptions(PodOf("hostPID: true"), std::nullopt, "id").pid(), criv1::NODE);
}

TEST(Namespaces, UsersAreMapped) {
  const auto options = MakeNamespaceOptions(PodOf("hostUsers: false"),
                                            UserNamespace{.host_id = 131072, .length = 65536}, "");
  EXPECT_EQ(options.userns_options().mode(), criv1::POD);
  for (const auto* ids : {&options.userns_options().uids(), &options.userns_options().gids()}) {
    ASSERT_EQ(ids->size(), 1);
    EXPECT_EQ(ids->at(0).host_id(), 131072u);
    EXPECT_EQ(ids->at(0).container_id(), 0u);
    EXPECT_EQ(ids->at(0).length(), 65536u);
  }
}

TEST(Seccomp, ComesFromContainerPodOrNode) {
  NodeContext with_default = Node();
  with_default.seccomp_default = true;
  using Profile = criv1::SecurityProfile;
  const struct {
    const char* spec;
    const char* container;
    const NodeContext& node;
    Profile::ProfileType type;
    const char* ref;
  } cases[] = {
      {"{}", "{}", with_default, Profile::RuntimeDefault, ""},
      {"{}", "{seccompProfile: {type: Unconfined}}", with_default, Profile::Unconfined, ""},
      {"securityContext: {seccompProfile: {type: RuntimeDefault}}",
       "{seccompProfile: {type: Localhost, localhostProfile: a/b.json}}", with_default,
       Profile::Localhost, "/var/lib/kubelet/seccomp/a/b.json"},
  };
  for (const auto& c : cases) {
    const auto profile = SeccompProfileOf(PodOf(c.spec), ContainerOf(c.container), c.node);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(profile->profile_type(), c.type);
    EXPECT_EQ(profile->localhost_ref(), c.ref);
  }
  EXPECT_EQ(ErrorOf(SeccompProfileOf(PodOf("{}"),
                                     ContainerOf("{seccompProfile: {type: Localhost}}"), Node())),
            "localhostProfile must be set if seccompProfile type is Localhost.");
}

TEST(AppArmor, ContainerThenAnnotationThenPod) {
  using Profile = criv1::SecurityProfile;
  const char annotation[] = "container.apparmor.security.beta.kubernetes.io/c";
  const struct {
    const char* spec;
    const char* container;
    const char* annotated;
    bool set;
    Profile::ProfileType type;
    const char* ref;
    const char* legacy;
  } cases[] = {
      {"{}", "{}", "", false, Profile::RuntimeDefault, "", ""},
      {"securityContext: {appArmorProfile: {type: RuntimeDefault}}", "{}", "", true,
       Profile::RuntimeDefault, "", "runtime/default"},
      {"securityContext: {appArmorProfile: {type: RuntimeDefault}}", "{}", "unconfined", true,
       Profile::Unconfined, "", "unconfined"},
      {"{}", "{}", "localhost/x", true, Profile::Localhost, "x", "localhost/x"},
      {"{}", "{appArmorProfile: {type: Localhost, localhostProfile: own}}", "unconfined", true,
       Profile::Localhost, "own", "localhost/own"},
  };
  for (const auto& c : cases) {
    v1::Pod pod = PodOf(c.spec);
    if (*c.annotated != '\0')
      (*pod.mutable_metadata()->mutable_annotations())[annotation] = c.annotated;
    criv1::LinuxContainerSecurityContext context;
    ASSERT_TRUE(SetAppArmorProfile(pod, ContainerOf(c.container), &context).ok());
    EXPECT_EQ(context.has_apparmor(), c.set);
    EXPECT_EQ(context.apparmor().profile_type(), c.type);
    EXPECT_EQ(context.apparmor().localhost_ref(), c.ref);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    EXPECT_EQ(context.apparmor_profile(), c.legacy);
#pragma clang diagnostic pop
  }
  criv1::LinuxContainerSecurityContext context;
  EXPECT_FALSE(
      SetAppArmorProfile(PodOf("{}"), ContainerOf("{appArmorProfile: {type: Localhost}}"), &context)
          .ok());
}

TEST(SecurityContext, ProcPathsAreMasked) {
  NodeContext node = Node();
  node.thermal_throttle_paths = {"/sys/devices/system/cpu/cpu0/thermal_throttle"};
  const auto masked = Make("{}", "{procMount: Default}", node);
  EXPECT_THAT(masked.masked_paths(), Contains("/sys/devices/system/cpu/cpu0/thermal_throttle"));
  EXPECT_EQ(masked.masked_paths_size(), 13);
  EXPECT_EQ(masked.readonly_paths_size(), 5);
  const auto open = Make("{}", "{procMount: Unmasked}", node);
  EXPECT_THAT(open.masked_paths(), IsEmpty());
  EXPECT_THAT(open.readonly_paths(), IsEmpty());
}

TEST(SecurityContext, NoNewPrivilegesOnlyWhenForbidden) {
  EXPECT_FALSE(Make("{}", "{}").no_new_privs());
  EXPECT_FALSE(Make("{}", "{allowPrivilegeEscalation: true}").no_new_privs());
  EXPECT_TRUE(Make("{}", "{allowPrivilegeEscalation: false}").no_new_privs());
}

}  // namespace
}  // namespace cubelet::containers
