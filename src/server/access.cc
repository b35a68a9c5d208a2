#include "server/access.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/log.h"
#include "base/strings.h"

namespace cubelet::server {
namespace {

bool IsAtOrBelow(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

User Authenticated(User user) {
  constexpr char kGroup[] = "system:authenticated";
  if (std::find(user.groups.begin(), user.groups.end(), kGroup) == user.groups.end())
    user.groups.emplace_back(kGroup);
  return user;
}

// "Bearer <token>", the scheme in any case; "" when it is something else.
std::string BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(ToAbsl(authorization), ToAbsl(kScheme))) return "";
  authorization.remove_prefix(kScheme.size());
  return std::string(absl::StripAsciiWhitespace(ToAbsl(authorization)));
}

}  // namespace

async::Task<absl::StatusOr<User>> Authenticator::Authenticate(std::vector<X509*> chain,
                                                              std::string authorization,
                                                              absl::Time now) {
  if (ca_ != nullptr && !chain.empty()) {
    absl::StatusOr<std::optional<certs::Identity>> identity = ca_->Verify(chain, now);
    if (!identity.ok()) co_return identity.status();
    if (std::optional<certs::Identity>& named = *identity; named)
      co_return Authenticated({std::move(named->user), std::move(named->groups)});
  }
  if (std::string token = BearerToken(authorization); tokens_ && !token.empty()) {
    absl::StatusOr<std::optional<User>> user = co_await tokens_(std::move(token));
    if (!user.ok()) co_return user.status();
    if (!user->has_value()) co_return absl::UnauthenticatedError("the bearer token is nobody's");
    co_return Authenticated(**std::move(user));
  }
  if (anonymous_) co_return User{"system:anonymous", {"system:unauthenticated"}};
  co_return absl::UnauthenticatedError(
      chain.empty() ? "no client certificate, and anonymous requests are off"
                    : "the client certificate names nobody, and anonymous requests are off");
}

std::string_view VerbOf(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

std::vector<std::string> SubresourcesOf(std::string_view path) {
  struct Rule {
    std::string_view path;
    std::string_view first;
    bool or_proxy;
  };
  static constexpr Rule kRules[] = {
      {"/stats", "stats", false},        {"/metrics", "metrics", false},
      {"/logs", "log", false},           {"/checkpoint", "checkpoint", false},
      {"/statusz", "statusz", false},    {"/flagz", "configz", false},
      {"/pods", "pods", true},           {"/runningpods", "pods", true},
      {"/cubelet/status", "pods", true}, {"/healthz", "healthz", true},
      {"/configz", "configz", true},
  };
  for (const Rule& rule : kRules) {
    if (!IsAtOrBelow(path, rule.path)) continue;
    std::vector<std::string> subresources = {std::string(rule.first)};
    if (rule.or_proxy) subresources.emplace_back("proxy");
    return subresources;
  }
  return {"proxy"};
}

async::Task<std::optional<Response>> Authorize(Authorizer authorizer, User user, std::string method,
                                               std::string path) {
  if (!authorizer) co_return std::nullopt;
  const std::string verb(VerbOf(method));
  const std::vector<std::string> subresources = SubresourcesOf(path);
  for (const std::string& subresource : subresources) {
    absl::StatusOr<bool> allowed = co_await authorizer(user, verb, subresource);
    if (!allowed.ok()) {
      LOG_ERROR(allowed.status(), "Authorization error",
                {{"user", user.name}, {"verb", verb}, {"subresource", subresource}});
      co_return Response{500, "text/plain; charset=utf-8",
                         StrCat("Authorization error (user=", user.name, ", verb=", verb,
                                ", resource=nodes, subresource=", subresource, ")")};
    }
    if (*allowed) co_return std::nullopt;
  }
  co_return Response{403, "text/plain; charset=utf-8",
                     StrCat("Forbidden (user=", user.name, ", verb=", verb,
                            ", resource=nodes, subresource(s)=", GoList(subresources), ")\n")};
}

}  // namespace cubelet::server
