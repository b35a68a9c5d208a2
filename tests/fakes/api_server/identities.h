// Who is who: bearer tokens, and the tokens of service accounts that the server issues itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "fakes/api_server/request.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"

namespace cubelet::fakes {

class Identities {
 public:
  explicit Identities(async::Loop& loop) : loop_(loop) {}

  void AddToken(std::string token, User user) { tokens_[std::move(token)].user = std::move(user); }
  void Revoke(const std::string& token) { tokens_.erase(token); }

  // Without a client certificate and a token it is system:anonymous. Error: UNAUTHENTICATED, a
  // certificate that is not good, or a token that is not known, has expired, or is for somebody
  // else.
  absl::StatusOr<User> Authenticate(const ApiRequest& request) const;

  // Fills in the status.
  void Review(k8s::io::api::authentication::v1::TokenReview& review) const;

  // A token of the account, bound to what the request names, as the status.
  void Issue(const std::string& name_space, const std::string& account,
             k8s::io::api::authentication::v1::TokenRequest& request);

 private:
  struct Token {
    User user;
    std::vector<std::string> audiences;  // none: for everybody
    absl::Time expires = absl::InfiniteFuture();
  };
  absl::StatusOr<Token> Find(const std::string& token) const;

  async::Loop& loop_;
  std::map<std::string, Token> tokens_;
  uint64_t issued_ = 0;
};

// The audience of tokens for the API server itself, and who issues them.
inline constexpr const char* kApiAudience = "https://kubernetes.default.svc.cluster.local";

}  // namespace cubelet::fakes
