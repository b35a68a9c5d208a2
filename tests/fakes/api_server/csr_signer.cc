#include "fakes/api_server/csr_signer.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "k8s.io/api/certificates/v1/generated.pb.h"

namespace cubelet::fakes {
namespace {

namespace certificates = ::k8s::io::api::certificates::v1;
using Request = certificates::CertificateSigningRequest;

constexpr std::string_view kServingSigner = "kubernetes.io/kubelet-serving";

bool HasCondition(const Request& request, std::string_view type) {
  const auto& conditions = request.status().conditions();
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const auto& condition) { return condition.type() == type; });
}

void AddCondition(Request& request, const char* type, const char* reason,
                  const std::string& message, absl::Time now) {
  certificates::CertificateSigningRequestCondition& condition =
      *request.mutable_status()->add_conditions();
  condition.set_type(type);
  condition.set_status("True");
  condition.set_reason(reason);
  condition.set_message(message);
  condition.mutable_lastupdatetime()->set_seconds(absl::ToUnixSeconds(now));
  condition.mutable_lasttransitiontime()->set_seconds(absl::ToUnixSeconds(now));
}

}  // namespace

void CsrSigner::SetRequester(const User& user, Message& request) {
  auto* spec = dynamic_cast<Request&>(request).mutable_spec();
  spec->set_username(user.name);
  spec->clear_groups();
  for (const std::string& group : user.groups) spec->add_groups(group);
}

absl::Status CsrSigner::Process(const std::string& name) {
  static const Kind* const kind = FindKind(Request::descriptor());
  const Route route{kind, "", name, "status"};
  ASSIGN_OR_RETURN(const ObjectPtr stored, objects_.store().Get(*kind, "", name));
  auto request = std::make_unique<Request>(dynamic_cast<const Request&>(*stored));
  if (auto_approve_ && !HasCondition(*request, "Approved"))
    AddCondition(*request, "Approved", "AutoApproved",
                 "Auto approving kubelet certificate after SubjectAccessReview.", loop_.Now());
  if (!HasCondition(*request, "Approved") || !request->status().certificate().empty())
    return absl::OkStatus();
  absl::Duration lifetime = lifetime_;
  if (request->spec().has_expirationseconds())
    lifetime = std::min(lifetime, absl::Seconds(request->spec().expirationseconds()));
  const bool serving = request->spec().signername() == kServingSigner;
  const auto signed_certificate = authority_.Sign(
      request->spec().request(), serving ? "serverAuth" : "clientAuth", loop_.Now(), lifetime);
  if (signed_certificate.ok()) {
    request->mutable_status()->set_certificate(*signed_certificate);
  } else {
    AddCondition(*request, "Failed", "SignerValidationFailure",
                 std::string(cubelet::Message(signed_certificate.status())), loop_.Now());
  }
  return objects_.Update(route, std::move(request)).status();
}

}  // namespace cubelet::fakes
