#include "fakes/api_server/pod_admission.h"

#include <algorithm>

#include "api/pod.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

constexpr const char* kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr int64_t kTokenSeconds = 3607;
constexpr int64_t kAwaySeconds = 300;

bool MountsToken(const v1::Container& container) {
  const auto& mounts = container.volumemounts();
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const auto& mount) { return mount.mountpath() == kTokenPath; });
}

v1::Volume TokenVolume(const std::string& name) {
  v1::Volume volume;
  volume.set_name(name);
  auto& projected = *volume.mutable_volumesource()->mutable_projected();
  auto& token = *projected.add_sources()->mutable_serviceaccounttoken();
  token.set_expirationseconds(kTokenSeconds);
  token.set_path("token");
  auto& root = *projected.add_sources()->mutable_configmap();
  root.mutable_localobjectreference()->set_name("kube-root-ca.crt");
  root.add_items()->set_key("ca.crt");
  root.mutable_items(0)->set_path("ca.crt");
  auto& name_space = *projected.add_sources()->mutable_downwardapi()->add_items();
  name_space.set_path("namespace");
  name_space.mutable_fieldref()->set_apiversion("v1");
  name_space.mutable_fieldref()->set_fieldpath("metadata.namespace");
  return volume;
}

void AddToken(const std::string& suffix, v1::PodSpec& spec) {
  const std::string name = StrCat("kube-api-access-", suffix);
  bool mounted = false;
  const auto mount = [&](v1::Container& container) {
    if (MountsToken(container)) return;
    v1::VolumeMount& added = *container.add_volumemounts();
    added.set_name(name);
    added.set_mountpath(kTokenPath);
    added.set_readonly(true);
    mounted = true;
  };
  for (v1::Container& container : *spec.mutable_initcontainers()) mount(container);
  for (v1::Container& container : *spec.mutable_containers()) mount(container);
  if (mounted) *spec.add_volumes() = TokenVolume(name);
}

void Tolerate(const char* key, v1::PodSpec& spec) {
  const auto covers = [&](const v1::Toleration& toleration) {
    const bool effect = toleration.effect().empty() || toleration.effect() == "NoExecute";
    return effect && (toleration.key().empty() || toleration.key() == key);
  };
  const auto& tolerations = spec.tolerations();
  if (std::any_of(tolerations.begin(), tolerations.end(), covers)) return;
  v1::Toleration& added = *spec.add_tolerations();
  added.set_key(key);
  added.set_operator_("Exists");
  added.set_effect("NoExecute");
  added.set_tolerationseconds(kAwaySeconds);
}

}  // namespace

void AdmitPod(const std::string& suffix, v1::Pod& pod) {
  v1::PodSpec& spec = *pod.mutable_spec();
  if (!spec.has_priority()) spec.set_priority(0);
  if (!spec.has_preemptionpolicy()) spec.set_preemptionpolicy("PreemptLowerPriority");
  if (!api::IsMirror(pod)) {
    if (spec.serviceaccountname().empty()) spec.set_serviceaccountname("default");
    spec.set_serviceaccount(spec.serviceaccountname());
    const bool wanted =
        !spec.has_automountserviceaccounttoken() || spec.automountserviceaccounttoken();
    if (wanted) AddToken(suffix, spec);
  }
  Tolerate("node.kubernetes.io/not-ready", spec);
  Tolerate("node.kubernetes.io/unreachable", spec);
}

}  // namespace cubelet::fakes
