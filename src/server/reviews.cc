#include "server/reviews.h"

#include <openssl/sha.h>

#include <utility>

#include "async/backoff.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/errors.h"
#include "kube/typed.h"

namespace cubelet::server {
namespace {

using async::Task;

constexpr int kTries = 5;
constexpr absl::Duration kFirstRetry = absl::Milliseconds(500);
constexpr absl::Duration kLongestRetry = absl::Seconds(5);

// A token is a secret: it is not kept.
std::string Digest(const std::string& token) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Whether asking again soon may help: the server could not be asked, or is overloaded.
bool MayPass(const absl::Status& status) {
  const int code = kube::CodeOf(status);
  return code == 0 || code == 429 || code >= 500;
}

}  // namespace

Reviews::Reviews(async::Loop& loop, kube::Client* client, std::string node_name, ReviewTimes times)
    : loop_(loop), client_(client), node_name_(std::move(node_name)), times_(times) {}

TokenReviewer Reviews::tokens() {
  return [this](std::string token) { return WhoIs(std::move(token)); };
}

Authorizer Reviews::authorizer() {
  return [this](User user, std::string verb, std::string subresource) {
    return MayDo(std::move(user), std::move(verb), std::move(subresource));
  };
}

template <typename T>
void Reviews::Keep(absl::flat_hash_map<std::string, Kept<T>>& kept, std::string key, T answer,
                   absl::Duration time) {
  const absl::Duration now = loop_.Monotonic();
  if (kept.size() >= kMaxKept)
    absl::erase_if(kept, [&](const auto& entry) { return entry.second.until <= now; });
  if (kept.size() >= kMaxKept) kept.clear();
  kept[std::move(key)] = {std::move(answer), now + time};
}

Task<absl::StatusOr<std::optional<User>>> Reviews::WhoIs(std::string token) {
  const std::string key = Digest(token);
  const auto known = users_.find(key);
  if (known != users_.end() && known->second.until > loop_.Monotonic())
    co_return known->second.answer;
  authenticationv1::TokenReview review;
  review.mutable_spec()->set_token(std::move(token));
  async::Backoff backoff(kFirstRetry, kLongestRetry, 1.5);
  for (int tries = 1;; ++tries) {
    auto answer = co_await kube::Create(client_, {}, review);
    if (!answer.ok() && MayPass(answer.status()) && tries < kTries) {
      co_await loop_.Sleep(backoff.Next() * (1 + loop_.Random() / 5));
      continue;
    }
    CO_RETURN_IF_ERROR(Annotate(answer.status(), "review a bearer token"));
    std::optional<User> user;
    const authenticationv1::TokenReviewStatus& status = (*answer)->status();
    if (status.authenticated()) {
      user = User{status.user().username(),
                  {status.user().groups().begin(), status.user().groups().end()}};
    }
    Keep(users_, key, user, times_.token);
    co_return user;
  }
}

Task<absl::StatusOr<bool>> Reviews::MayDo(User user, std::string verb, std::string subresource) {
  authorizationv1::SubjectAccessReview review;
  authorizationv1::SubjectAccessReviewSpec& spec = *review.mutable_spec();
  spec.set_user(user.name);
  for (const std::string& group : user.groups) spec.add_groups(group);
  authorizationv1::ResourceAttributes& attributes = *spec.mutable_resourceattributes();
  attributes.set_verb(verb);
  attributes.set_version("v1");
  attributes.set_resource("nodes");
  attributes.set_subresource(subresource);
  attributes.set_name(node_name_);
  const std::string key = spec.SerializeAsString();
  const auto known = verdicts_.find(key);
  if (known != verdicts_.end() && known->second.until > loop_.Monotonic())
    co_return known->second.answer;
  async::Backoff backoff(kFirstRetry, kLongestRetry, 1.5);
  for (int tries = 1;; ++tries) {
    auto answer = co_await kube::Create(client_, {}, review);
    if (!answer.ok() && MayPass(answer.status()) && tries < kTries) {
      co_await loop_.Sleep(backoff.Next() * (1 + loop_.Random() / 5));
      continue;
    }
    CO_RETURN_IF_ERROR(Annotate(answer.status(), "ask whether access is allowed"));
    const bool allowed = (*answer)->status().allowed();
    Keep(verdicts_, key, allowed, allowed ? times_.authorized : times_.unauthorized);
    co_return allowed;
  }
}

}  // namespace cubelet::server
