#include "kube/token_cache.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/typed.h"

namespace cubelet::kube {
namespace {

constexpr absl::Duration kMaxAge = absl::Hours(24);
constexpr absl::Duration kJitter = absl::Seconds(10);
constexpr absl::Duration kRetry = absl::Minutes(1);
// However soon a token is said to expire, no sooner is the next one asked for.
constexpr absl::Duration kShortestLife = absl::Seconds(10);

authenticationv1::TokenRequest RequestFor(const TokenWanted& wanted) {
  authenticationv1::TokenRequest request;
  authenticationv1::TokenRequestSpec& spec = *request.mutable_spec();
  if (!wanted.audience.empty()) spec.add_audiences(wanted.audience);
  spec.set_expirationseconds(wanted.expiration_seconds);
  authenticationv1::BoundObjectReference& pod = *spec.mutable_boundobjectref();
  pod.set_apiversion("v1");
  pod.set_kind("Pod");
  pod.set_name(wanted.pod_name);
  pod.set_uid(wanted.pod_uid);
  return request;
}

}  // namespace

TokenCache::TokenCache(async::Loop& loop, Client* client, OnDue on_due)
    : loop_(loop), client_(client), on_due_(std::move(on_due)) {}

TokenCache::~TokenCache() {
  for (const auto& [key, token] : tokens_) loop_.CancelTimer(token.timer);
}

void TokenCache::Forget(const std::string& pod_uid) {
  auto it = tokens_.lower_bound({pod_uid, "", "", "", INT64_MIN});
  while (it != tokens_.end() && std::get<0>(it->first) == pod_uid) {
    loop_.CancelTimer(it->second.timer);
    it = tokens_.erase(it);
  }
}

void TokenCache::AskAgain(const Key& key, absl::Duration delay) {
  Token& token = tokens_[key];
  loop_.CancelTimer(token.timer);
  token.timer = loop_.AddTimer(delay, [this, key] {
    tokens_[key].timer = 0;
    on_due_(std::get<0>(key));
  });
}

async::Task<absl::StatusOr<TokenCache::Token>> TokenCache::Fetch(TokenWanted wanted) {
  const absl::Time now = loop_.Now();
  auto answer =
      co_await CreateToken(client_, wanted.name_space, wanted.service_account, RequestFor(wanted));
  CO_RETURN_IF_ERROR(answer.status());
  const authenticationv1::TokenRequestStatus& status = (*answer)->status();
  if (status.token().empty() || !status.has_expirationtimestamp())
    co_return absl::InvalidArgumentError("the answer holds no token");
  Token token;
  token.text = status.token();
  token.expires = absl::FromUnixSeconds(status.expirationtimestamp().seconds());
  const absl::Duration life = absl::Seconds((*answer)->spec().has_expirationseconds()
                                                ? (*answer)->spec().expirationseconds()
                                                : wanted.expiration_seconds);
  const absl::Duration jitter = kJitter * loop_.Random();
  token.refresh_at = std::min(now + kMaxAge, token.expires - life / 5) - jitter;
  co_return token;
}

async::Task<absl::StatusOr<std::string>> TokenCache::Get(TokenWanted wanted) {
  const Key key{wanted.pod_uid, wanted.name_space, wanted.service_account, wanted.audience,
                wanted.expiration_seconds};
  const auto cached = tokens_.find(key);
  if (cached != tokens_.end() && loop_.Now() < cached->second.refresh_at) {
    // The timer goes by another clock and may have been early.
    if (cached->second.timer == 0) AskAgain(key, cached->second.refresh_at - loop_.Now());
    co_return cached->second.text;
  }
  absl::StatusOr<Token> fresh = co_await Fetch(wanted);
  // It may have been forgotten or replaced meanwhile.
  const auto old = tokens_.find(key);
  if (fresh.ok()) {
    if (old != tokens_.end()) fresh->timer = old->second.timer;
    tokens_[key] = *fresh;
    AskAgain(key, std::max(fresh->refresh_at - loop_.Now(), kShortestLife));
    co_return fresh->text;
  }
  if (old == tokens_.end()) co_return Annotate(fresh.status(), "failed to fetch token");
  if (loop_.Now() < old->second.expires) {
    LOG_WARNING("Token was not renewed, it will be tried again",
                {{"namespace", wanted.name_space},
                 {"serviceAccount", wanted.service_account},
                 {"podUID", wanted.pod_uid},
                 {"err", Message(fresh.status())}});
    AskAgain(key, kRetry * (1 + loop_.Random() / 2));
    co_return old->second.text;
  }
  co_return Annotate(fresh.status(), StrCat("token ", wanted.name_space, "/",
                                            wanted.service_account, " expired and refresh failed"));
}

}  // namespace cubelet::kube
