#include "fakes/api_server/kinds.h"

#include <algorithm>

#include "api/types.h"
#include "base/strings.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"
#include "k8s.io/api/authorization/v1/generated.pb.h"
#include "k8s.io/api/certificates/v1/generated.pb.h"
#include "k8s.io/api/coordination/v1/generated.pb.h"
#include "k8s.io/api/core/v1/cluster.pb.h"
#include "k8s.io/api/node/v1/generated.pb.h"
#include "k8s.io/api/storage/v1/cluster.pb.h"
#include "k8s.io/api/storage/v1/generated.pb.h"

namespace cubelet::fakes {
namespace {

namespace authentication = ::k8s::io::api::authentication::v1;
namespace authorization = ::k8s::io::api::authorization::v1;
namespace certificates = ::k8s::io::api::certificates::v1;
namespace coordination = ::k8s::io::api::coordination::v1;
namespace node = ::k8s::io::api::node::v1;
namespace storage = ::k8s::io::api::storage::v1;

std::vector<Kind> MakeKinds() {
  const bool namespaced = true;
  const bool review = true;
  return {
      {"",
       "v1",
       "ConfigMap",
       "configmaps",
       "configmap",
       {"cm"},
       namespaced,
       v1::ConfigMap::descriptor(),
       {}},
      {"", "v1", "Event", "events", "event", {"ev"}, namespaced, v1::Event::descriptor(), {}},
      {"",
       "v1",
       "Namespace",
       "namespaces",
       "namespace",
       {"ns"},
       false,
       v1::Namespace::descriptor(),
       {"status"}},
      {"", "v1", "Node", "nodes", "node", {"no"}, false, v1::Node::descriptor(), {"status"}},
      {"",
       "v1",
       "PersistentVolumeClaim",
       "persistentvolumeclaims",
       "persistentvolumeclaim",
       {"pvc"},
       namespaced,
       v1::PersistentVolumeClaim::descriptor(),
       {"status"}},
      {"",
       "v1",
       "PersistentVolume",
       "persistentvolumes",
       "persistentvolume",
       {"pv"},
       false,
       v1::PersistentVolume::descriptor(),
       {"status"}},
      {"",
       "v1",
       "Pod",
       "pods",
       "pod",
       {"po"},
       namespaced,
       v1::Pod::descriptor(),
       {"attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward",
        "resize", "status"}},
      {"", "v1", "Secret", "secrets", "secret", {}, namespaced, v1::Secret::descriptor(), {}},
      {"",
       "v1",
       "ServiceAccount",
       "serviceaccounts",
       "serviceaccount",
       {"sa"},
       namespaced,
       v1::ServiceAccount::descriptor(),
       {"token"}},
      {"",
       "v1",
       "Service",
       "services",
       "service",
       {"svc"},
       namespaced,
       v1::Service::descriptor(),
       {"status"}},
      {"authentication.k8s.io",
       "v1",
       "TokenReview",
       "tokenreviews",
       "tokenreview",
       {},
       false,
       authentication::TokenReview::descriptor(),
       {},
       review},
      {"authorization.k8s.io",
       "v1",
       "SubjectAccessReview",
       "subjectaccessreviews",
       "subjectaccessreview",
       {},
       false,
       authorization::SubjectAccessReview::descriptor(),
       {},
       review},
      {"certificates.k8s.io",
       "v1",
       "CertificateSigningRequest",
       "certificatesigningrequests",
       "certificatesigningrequest",
       {"csr"},
       false,
       certificates::CertificateSigningRequest::descriptor(),
       {"approval", "status"}},
      {"coordination.k8s.io",
       "v1",
       "Lease",
       "leases",
       "lease",
       {},
       namespaced,
       coordination::Lease::descriptor(),
       {}},
      {"node.k8s.io",
       "v1",
       "RuntimeClass",
       "runtimeclasses",
       "runtimeclass",
       {},
       false,
       node::RuntimeClass::descriptor(),
       {}},
      {"storage.k8s.io",
       "v1",
       "CSIDriver",
       "csidrivers",
       "csidriver",
       {},
       false,
       storage::CSIDriver::descriptor(),
       {}},
      {"storage.k8s.io",
       "v1",
       "CSINode",
       "csinodes",
       "csinode",
       {},
       false,
       storage::CSINode::descriptor(),
       {}},
      {"storage.k8s.io",
       "v1",
       "VolumeAttachment",
       "volumeattachments",
       "volumeattachment",
       {},
       false,
       storage::VolumeAttachment::descriptor(),
       {"status"}},
  };
}

}  // namespace

std::string Kind::ApiVersion() const {
  return group.empty() ? std::string(version) : StrCat(group, "/", version);
}

std::string Kind::QualifiedResource() const {
  return group.empty() ? std::string(resource) : StrCat(resource, ".", group);
}

bool Kind::Has(std::string_view subresource) const {
  return std::find(subresources.begin(), subresources.end(), subresource) != subresources.end();
}

const std::vector<Kind>& AllKinds() {
  static const std::vector<Kind>* const kinds = new std::vector<Kind>(MakeKinds());
  return *kinds;
}

const Kind* FindKind(std::string_view group, std::string_view version, std::string_view resource) {
  for (const Kind& kind : AllKinds()) {
    if (kind.group == group && kind.version == version && kind.resource == resource) return &kind;
  }
  return nullptr;
}

const Kind* FindKind(const google::protobuf::Descriptor* descriptor) {
  for (const Kind& kind : AllKinds()) {
    if (kind.descriptor == descriptor) return &kind;
  }
  return nullptr;
}

}  // namespace cubelet::fakes
