// Who asks (authentication) and whether that may be (authorization) on port 10250 (http.tsv,
// node.md 17.2 and 17.3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "certs/client_ca.h"
#include "server/request.h"

namespace cubelet::server {

struct User {
  std::string name;
  std::vector<std::string> groups;
};

// Who a bearer token is; nothing when it is nobody's. An error when it cannot be found out. An
// empty function: no tokens are taken.
using TokenReviewer =
    std::function<async::Task<absl::StatusOr<std::optional<User>>>(std::string token)>;

// Client certificates, then bearer tokens, then anonymous. A certificate or a token that is refused
// is the end: such a client does not become anonymous.
class Authenticator {
 public:
  // `ca` may be null: no client certificate is looked at.
  Authenticator(std::unique_ptr<certs::ClientCa> ca, TokenReviewer tokens, bool anonymous)
      : ca_(std::move(ca)), tokens_(std::move(tokens)), anonymous_(anonymous) {}

  // `chain` is what the client presented, empty if nothing; its certificates outlive the call.
  // `authorization` is the header of that name. The error is the reason, which is for the log: the
  // client hears "Unauthorized" only.
  async::Task<absl::StatusOr<User>> Authenticate(std::vector<X509*> chain,
                                                 std::string authorization, absl::Time now);

 private:
  std::unique_ptr<certs::ClientCa> ca_;
  TokenReviewer tokens_;
  const bool anonymous_;
};

// The verb that stands for a method: "get", "create", "update", "patch", "delete", else "".
std::string_view VerbOf(std::string_view method);

// The subresources of nodes/<name> of which one must be allowed, in the order they are tried.
std::vector<std::string> SubresourcesOf(std::string_view path);

// Whether `user` may do `verb` on `subresource` of this node; an error when it cannot be found out.
// An empty function is AlwaysAllow.
using Authorizer = std::function<async::Task<absl::StatusOr<bool>>(User user, std::string verb,
                                                                   std::string subresource)>;

// nullopt when the request may be served, otherwise the answer: 403, or 500 when the authorizer
// failed.
async::Task<std::optional<Response>> Authorize(Authorizer authorizer, User user, std::string method,
                                               std::string path);

}  // namespace cubelet::server
