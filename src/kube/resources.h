// Which type is which resource: group, version, plural name and kind, and the type of its lists.
#pragma once

#include <string>
#include <string_view>

#include "api/types.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"
#include "k8s.io/api/authorization/v1/generated.pb.h"
#include "k8s.io/api/certificates/v1/generated.pb.h"
#include "k8s.io/api/coordination/v1/generated.pb.h"
#include "k8s.io/api/node/v1/generated.pb.h"
#include "k8s.io/api/storage/v1/generated.pb.h"

namespace cubelet {

namespace authenticationv1 = ::k8s::io::api::authentication::v1;
namespace authorizationv1 = ::k8s::io::api::authorization::v1;
namespace certificatesv1 = ::k8s::io::api::certificates::v1;
namespace coordinationv1 = ::k8s::io::api::coordination::v1;
namespace nodev1 = ::k8s::io::api::node::v1;
namespace storagev1 = ::k8s::io::api::storage::v1;

}  // namespace cubelet

namespace cubelet::kube {

struct Resource {
  std::string_view api_version;  // "v1", "coordination.k8s.io/v1"
  std::string_view name;         // "pods"
  std::string_view kind;         // "Pod"
  bool namespaced = false;
};

// "/api/v1/namespaces/default/pods/web/status". Empty parts are left out: without a name it is the
// collection, without a namespace that of all namespaces. Pure.
std::string PathOf(const Resource& resource, std::string_view name_space, std::string_view name,
                   std::string_view subresource = "");

// ResourceOf<v1::Pod>::kValue and ResourceOf<v1::Pod>::List. A type that has no lists (a review, a
// token request) has `void`.
template <typename T>
struct ResourceOf;

#define CUBELET_KUBE_RESOURCE(type, list, version, name, kind, namespaced) \
  template <>                                                              \
  struct ResourceOf<type> {                                                \
    using List = list;                                                     \
    static constexpr Resource kValue{version, name, kind, namespaced};     \
  }

CUBELET_KUBE_RESOURCE(v1::Pod, v1::PodList, "v1", "pods", "Pod", true);
CUBELET_KUBE_RESOURCE(v1::Node, v1::NodeList, "v1", "nodes", "Node", false);
CUBELET_KUBE_RESOURCE(v1::Secret, v1::SecretList, "v1", "secrets", "Secret", true);
CUBELET_KUBE_RESOURCE(v1::ConfigMap, v1::ConfigMapList, "v1", "configmaps", "ConfigMap", true);
CUBELET_KUBE_RESOURCE(v1::Service, v1::ServiceList, "v1", "services", "Service", true);
CUBELET_KUBE_RESOURCE(v1::Event, v1::EventList, "v1", "events", "Event", true);
CUBELET_KUBE_RESOURCE(coordinationv1::Lease, coordinationv1::LeaseList, "coordination.k8s.io/v1",
                      "leases", "Lease", true);
CUBELET_KUBE_RESOURCE(nodev1::RuntimeClass, nodev1::RuntimeClassList, "node.k8s.io/v1",
                      "runtimeclasses", "RuntimeClass", false);
CUBELET_KUBE_RESOURCE(storagev1::CSIDriver, storagev1::CSIDriverList, "storage.k8s.io/v1",
                      "csidrivers", "CSIDriver", false);
CUBELET_KUBE_RESOURCE(storagev1::CSINode, storagev1::CSINodeList, "storage.k8s.io/v1", "csinodes",
                      "CSINode", false);
CUBELET_KUBE_RESOURCE(certificatesv1::CertificateSigningRequest,
                      certificatesv1::CertificateSigningRequestList, "certificates.k8s.io/v1",
                      "certificatesigningrequests", "CertificateSigningRequest", false);
CUBELET_KUBE_RESOURCE(authenticationv1::TokenReview, void, "authentication.k8s.io/v1",
                      "tokenreviews", "TokenReview", false);
CUBELET_KUBE_RESOURCE(authorizationv1::SubjectAccessReview, void, "authorization.k8s.io/v1",
                      "subjectaccessreviews", "SubjectAccessReview", false);

#undef CUBELET_KUBE_RESOURCE

// Where service account tokens are asked for: the subresource "token" takes and gives
// authenticationv1::TokenRequest.
inline constexpr Resource kServiceAccounts{"v1", "serviceaccounts", "ServiceAccount", true};
inline constexpr Resource kTokenRequests{"authentication.k8s.io/v1", "", "TokenRequest", true};

}  // namespace cubelet::kube
