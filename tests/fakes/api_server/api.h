// The fake API server without its sockets: requests in, answers out, on any loop. The HTTP/2 front
// (http_server.h) and simulations stand on it.
//
//   FakeApi api(loop);
//   api.Create("golden", pod);                                  // as a client would
//   api.faults().Add({.what = ApiFault::Answer(500), .times = 1});
//   ApiAnswer answer = co_await api.Serve(std::move(request));
//   api.requests()                                              // the whole conversation
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "fakes/api_server/authority.h"
#include "fakes/api_server/csr_signer.h"
#include "fakes/api_server/faults.h"
#include "fakes/api_server/identities.h"
#include "fakes/api_server/object_api.h"
#include "fakes/api_server/store.h"
#include "k8s.io/api/authorization/v1/generated.pb.h"

namespace cubelet::fakes {

class FakeApi {
 public:
  // Has the namespaces of a new cluster. Every namespace gets what controllers put there: the
  // service account "default" and the ConfigMap kube-root-ca.crt.
  explicit FakeApi(async::Loop& loop);

  // Takes a request as it comes: recorded, with the faults that are set.
  async::Task<ApiAnswer> Serve(ApiRequest request);

  // Objects as a client would have them made. The namespace is that of the object.
  template <typename T>
  absl::StatusOr<T> Create(T object) {
    return As<T>(objects_.Create(KindOf<T>(), object.metadata().namespace_(),
                                 std::make_unique<T>(std::move(object))));
  }
  template <typename T>
  absl::StatusOr<T> Get(const std::string& name_space, const std::string& name) {
    return As<T>(store_.Get(KindOf<T>(), name_space, name));
  }
  template <typename T>
  std::vector<T> List(const std::string& name_space = "") {
    std::vector<T> list;
    for (const ObjectPtr& object : store_.List(KindOf<T>(), name_space))
      list.push_back(dynamic_cast<const T&>(*object));
    return list;
  }
  // `subresource` "status" for the status. No resourceVersion updates whatever is there.
  template <typename T>
  absl::StatusOr<T> Update(T object, const std::string& subresource = "") {
    const Route route{&KindOf<T>(), object.metadata().namespace_(), object.metadata().name(),
                      subresource};
    return As<T>(objects_.Update(route, std::make_unique<T>(std::move(object))));
  }
  // What DELETE does: a pod on a node goes gracefully.
  template <typename T>
  absl::StatusOr<T> Delete(const std::string& name_space, const std::string& name,
                           const DeleteRequest& request = {}) {
    return As<T>(objects_.Delete({&KindOf<T>(), name_space, name, ""}, request));
  }

  ObjectStore& store() { return store_; }
  ObjectApi& objects() { return objects_; }
  ApiFaults& faults() { return faults_; }
  Identities& identities() { return identities_; }
  CsrSigner& signer() { return signer_; }
  const Authority& authority() const { return authority_; }

  // Without a certificate and a token nobody is let in when off.
  void SetAnonymous(bool on) { anonymous_ = on; }

  // Decides SubjectAccessReviews; without one all is allowed.
  using Access =
      std::function<bool(const k8s::io::api::authorization::v1::SubjectAccessReviewSpec&)>;
  void SetAccess(Access access) { access_ = std::move(access); }

  const std::vector<RecordedRequest>& requests() const { return requests_; }
  void ForgetRequests() { requests_.clear(); }

 private:
  template <typename T>
  static const Kind& KindOf() {
    const Kind* kind = FindKind(T::descriptor());
    CHECK(kind != nullptr);
    return *kind;
  }
  template <typename T>
  static absl::StatusOr<T> As(const absl::StatusOr<ObjectPtr>& object) {
    if (!object.ok()) return object.status();
    return dynamic_cast<const T&>(**object);
  }

  ApiAnswer Answer(const ApiRequest& request, const ApiFault& fault);
  absl::StatusOr<ApiAnswer> Dispatch(const ApiRequest& request, const User& user, bool stale);
  absl::StatusOr<ApiAnswer> Review(const Kind& kind, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> IssueToken(const Route& route, const ApiRequest& request);
  absl::StatusOr<ApiAnswer> CreateCsr(const Route& route, const ApiRequest& request,
                                      const User& user);
  void FillNamespace(const std::string& name_space);
  void Record(const ApiRequest& request, const std::string& user, int code);

  async::Loop& loop_;
  Authority authority_;
  ObjectStore store_;
  ObjectApi objects_;
  Identities identities_;
  CsrSigner signer_;
  ApiFaults faults_;
  Access access_;
  bool anonymous_ = true;
  ObjectStore::Subscription new_namespaces_;
  std::vector<RecordedRequest> requests_;
};

}  // namespace cubelet::fakes
