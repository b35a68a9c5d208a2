#include "fakes/api_server/identities.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/codec.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

namespace authentication = ::k8s::io::api::authentication::v1;
namespace json = boost::json;

constexpr std::string_view kBearer = "Bearer ";
constexpr int64_t kDefaultTokenSeconds = 3600;

std::string Base64Url(const std::string& text) {
  std::string encoded;
  absl::WebSafeBase64Escape(text, &encoded);
  while (!encoded.empty() && encoded.back() == '=') encoded.pop_back();
  return encoded;
}

bool MeantForOneOf(const std::vector<std::string>& audiences,
                   const std::vector<std::string>& wanted) {
  return audiences.empty() || wanted.empty() ||
         std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
           return std::find(audiences.begin(), audiences.end(), one) != audiences.end();
         });
}

json::object BoundTo(const authentication::BoundObjectReference& object) {
  json::object bound;
  if (object.kind() == "Pod")
    bound["pod"] = json::object{{"name", object.name()}, {"uid", object.uid()}};
  return bound;
}

}  // namespace

absl::StatusOr<Identities::Token> Identities::Find(const std::string& token) const {
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return absl::UnauthenticatedError("invalid bearer token");
  if (found->second.expires <= loop_.Now())
    return absl::UnauthenticatedError("service account token has expired");
  return found->second;
}

absl::StatusOr<User> Identities::Authenticate(const ApiRequest& request) const {
  if (request.bad_certificate) return absl::UnauthenticatedError("Unauthorized");
  if (request.certificate.has_value()) {
    User user = *request.certificate;
    user.groups.push_back("system:authenticated");
    return user;
  }
  if (request.authorization.empty()) return User{"system:anonymous", {"system:unauthenticated"}};
  if (!request.authorization.starts_with(kBearer))
    return absl::UnauthenticatedError("Unauthorized");
  const auto token = Find(request.authorization.substr(kBearer.size()));
  if (!token.ok() || !MeantForOneOf(token->audiences, {kApiAudience}))
    return absl::UnauthenticatedError("Unauthorized");
  User user = token->user;
  user.groups.push_back("system:authenticated");
  return user;
}

void Identities::Review(authentication::TokenReview& review) const {
  authentication::TokenReviewStatus& status = *review.mutable_status();
  status.Clear();
  const std::vector<std::string> wanted(review.spec().audiences().begin(),
                                        review.spec().audiences().end());
  const auto token = Find(review.spec().token());
  if (!token.ok() || !MeantForOneOf(token->audiences, wanted)) {
    status.set_error(token.ok() ? "token audiences are invalid for the target audiences"
                                : std::string(cubelet::Message(token.status())));
    return;
  }
  status.set_authenticated(true);
  status.mutable_user()->set_username(token->user.name);
  for (const std::string& group : token->user.groups) status.mutable_user()->add_groups(group);
  status.mutable_user()->add_groups("system:authenticated");
  for (const std::string& audience : wanted) status.add_audiences(audience);
}

void Identities::Issue(const std::string& name_space, const std::string& account,
                       authentication::TokenRequest& request) {
  authentication::TokenRequestSpec& spec = *request.mutable_spec();
  if (spec.audiences().empty()) spec.add_audiences(kApiAudience);
  if (!spec.has_expirationseconds()) spec.set_expirationseconds(kDefaultTokenSeconds);
  const int64_t now = absl::ToUnixSeconds(loop_.Now());
  const std::string user = StrCat("system:serviceaccount:", name_space, ":", account);
  json::object bound = BoundTo(spec.boundobjectref());
  bound["namespace"] = name_space;
  bound["serviceaccount"] = json::object{{"name", account}};
  const std::string claims = api::Serialize(
      json::object{{"aud", json::array(spec.audiences().begin(), spec.audiences().end())},
                   {"exp", now + spec.expirationseconds()},
                   {"iat", now},
                   {"iss", kApiAudience},
                   {"jti", std::to_string(++issued_)},
                   {"kubernetes.io", std::move(bound)},
                   {"nbf", now},
                   {"sub", user}});
  // A token of the right shape; nobody but this server can say whether it is good.
  const std::string token = StrCat(Base64Url(R"({"alg":"none"})"), ".", Base64Url(claims), ".",
                                   Base64Url(StrCat("signature ", issued_)));
  tokens_[token] = {
      {user, {"system:serviceaccounts", StrCat("system:serviceaccounts:", name_space)}},
      {spec.audiences().begin(), spec.audiences().end()},
      absl::FromUnixSeconds(now + spec.expirationseconds())};
  request.mutable_status()->set_token(token);
  request.mutable_status()->mutable_expirationtimestamp()->set_seconds(now +
                                                                       spec.expirationseconds());
}

}  // namespace cubelet::fakes
