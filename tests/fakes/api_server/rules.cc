#include "fakes/api_server/rules.h"

#include <algorithm>

#include "api/pod.h"
#include "api/pod_defaults.h"
#include "base/strings.h"
#include "k8s.io/api/core/v1/cluster.pb.h"

namespace cubelet::fakes {
namespace {

constexpr int64_t kDefaultGracePeriodSeconds = 30;

v1::Pod* AsPod(Message& object) { return dynamic_cast<v1::Pod*>(&object); }

void DefaultPod(v1::Pod& pod) {
  api::SetDefaults(pod);
  pod.mutable_metadata()->set_generation(1);
  v1::PodStatus& status = *pod.mutable_status();
  status.Clear();
  status.set_phase("Pending");
  status.set_qosclass(api::QosClassName(api::GetQosClass(pod)));
}

void DefaultSecret(v1::Secret& secret) {
  if (secret.type().empty()) secret.set_type("Opaque");
  for (const auto& [key, value] : secret.stringdata()) (*secret.mutable_data())[key] = value;
  secret.clear_stringdata();
}

// Labels, annotations, owners and finalizers are the client's; the rest of metadata is the
// server's.
void KeepServerMetadata(const metav1::ObjectMeta& stored, metav1::ObjectMeta& meta) {
  meta.set_uid(stored.uid());
  meta.set_generatename(stored.generatename());
  if (stored.generatename().empty()) meta.clear_generatename();
  meta.set_generation(stored.generation());
  if (!stored.has_generation()) meta.clear_generation();
  *meta.mutable_creationtimestamp() = stored.creationtimestamp();
  meta.clear_deletiontimestamp();
  meta.clear_deletiongraceperiodseconds();
  if (stored.has_deletiontimestamp())
    *meta.mutable_deletiontimestamp() = stored.deletiontimestamp();
  if (stored.has_deletiongraceperiodseconds())
    meta.set_deletiongraceperiodseconds(stored.deletiongraceperiodseconds());
}

// An update of a subresource changes that part alone.
void KeepAllBut(std::string_view subresource, const Message& stored, Message& object) {
  const NewObject sent = CopyOf(object);
  const std::string version = MetaOf(object).resourceversion();
  object.CopyFrom(stored);
  MetaOf(object).set_resourceversion(version);
  const auto* sent_pod = dynamic_cast<const v1::Pod*>(sent.get());
  if (subresource == "ephemeralcontainers" && sent_pod != nullptr) {
    *AsPod(object)->mutable_spec()->mutable_ephemeralcontainers() =
        sent_pod->spec().ephemeralcontainers();
  } else if (subresource == "resize") {
    CopyMember(*sent, object, "spec");
  } else {
    CopyMember(*sent, object, "status");
  }
}

int64_t GracePeriod(const DeleteRequest& request, const v1::Pod& pod) {
  if (pod.spec().nodename().empty() || api::IsTerminal(pod)) return 0;
  int64_t seconds = pod.spec().has_terminationgraceperiodseconds()
                        ? pod.spec().terminationgraceperiodseconds()
                        : kDefaultGracePeriodSeconds;
  if (request.grace_period_seconds.has_value()) seconds = *request.grace_period_seconds;
  return seconds < 0 ? 1 : seconds;
}

// A pod that is already going can only be told to go sooner.
void GoGracefully(int64_t seconds, absl::Time now, metav1::ObjectMeta& meta) {
  if (meta.has_deletiontimestamp() && meta.deletiongraceperiodseconds() <= seconds) return;
  if (!meta.has_deletiontimestamp()) meta.set_generation(meta.generation() + 1);
  meta.mutable_deletiontimestamp()->set_seconds(absl::ToUnixSeconds(now) + seconds);
  meta.set_deletiongraceperiodseconds(seconds);
}

}  // namespace

absl::Status PrepareCreation(const Kind& kind, const std::string& name_space, Message& object) {
  metav1::ObjectMeta& meta = MetaOf(object);
  if (kind.namespaced && !meta.namespace_().empty() && meta.namespace_() != name_space)
    return absl::InvalidArgumentError(
        "the namespace of the provided object does not match the namespace sent on the request");
  if (!meta.resourceversion().empty())
    return absl::InvalidArgumentError("resourceVersion should not be set on objects to be created");
  if (kind.namespaced) {
    meta.set_namespace_(name_space);
  } else {
    meta.clear_namespace_();
  }
  meta.clear_deletiontimestamp();
  meta.clear_deletiongraceperiodseconds();
  if (auto* pod = AsPod(object)) DefaultPod(*pod);
  if (auto* secret = dynamic_cast<v1::Secret*>(&object)) DefaultSecret(*secret);
  if (auto* name_space_object = dynamic_cast<v1::Namespace*>(&object))
    name_space_object->mutable_status()->set_phase("Active");
  return absl::OkStatus();
}

absl::Status PrepareUpdate(const Kind& kind, std::string_view subresource, const Message& stored,
                           Message& object) {
  metav1::ObjectMeta& meta = MetaOf(object);
  const metav1::ObjectMeta& before = MetaOf(stored);
  if (!meta.uid().empty() && meta.uid() != before.uid())
    return absl::AbortedError(StrCat("Operation cannot be fulfilled on ", kind.QualifiedResource(),
                                     " ", GoQuote(before.name()),
                                     ": Precondition failed: UID in precondition: ", meta.uid(),
                                     ", UID in object meta: ", before.uid()));
  meta.set_namespace_(before.namespace_());
  if (!kind.namespaced) meta.clear_namespace_();
  if (!subresource.empty()) {
    KeepAllBut(subresource, stored, object);
  } else {
    KeepServerMetadata(before, meta);
    if (kind.Has("status")) CopyMember(stored, object, "status");
  }
  if (auto* pod = AsPod(object)) {
    if (subresource.empty()) api::SetDefaults(*pod);
    if (!SameMember(stored, object, "spec")) MetaOf(object).set_generation(before.generation() + 1);
  }
  if (auto* secret = dynamic_cast<v1::Secret*>(&object)) DefaultSecret(*secret);
  return absl::OkStatus();
}

absl::Status CheckPreconditions(const DeleteRequest& request, const Kind& kind,
                                const Message& object) {
  const metav1::ObjectMeta& meta = MetaOf(object);
  const auto failed = [&](const char* what, const std::string& want, const std::string& got) {
    return absl::AbortedError(StrCat("Operation cannot be fulfilled on ", kind.QualifiedResource(),
                                     " ", GoQuote(meta.name()), ": Precondition failed: ", what,
                                     " in precondition: ", want, ", ", what,
                                     " in object meta: ", got));
  };
  if (!request.uid.empty() && request.uid != meta.uid())
    return failed("UID", request.uid, meta.uid());
  if (!request.resource_version.empty() && request.resource_version != meta.resourceversion())
    return failed("ResourceVersion", request.resource_version, meta.resourceversion());
  return absl::OkStatus();
}

bool GoesAtOnce(const DeleteRequest& request, absl::Time now, Message& object) {
  metav1::ObjectMeta& meta = MetaOf(object);
  if (const auto* pod = AsPod(object)) {
    const int64_t seconds = GracePeriod(request, *pod);
    if (seconds > 0) {
      GoGracefully(seconds, now, meta);
      return false;
    }
  }
  if (meta.finalizers().empty()) return true;
  meta.mutable_deletiontimestamp()->set_seconds(absl::ToUnixSeconds(now));
  meta.set_deletiongraceperiodseconds(0);
  return false;
}

bool GoesNow(const Message& object) {
  const metav1::ObjectMeta& meta = MetaOf(object);
  return meta.has_deletiontimestamp() && meta.finalizers().empty() &&
         meta.deletiongraceperiodseconds() == 0;
}

}  // namespace cubelet::fakes
