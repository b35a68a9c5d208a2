// Tokens of service accounts for pods (volumes.md 3.6.3): asked for when first needed, kept, and
// asked for anew when a fifth of their life is left or they are a day old.
//
//   TokenCache tokens(loop, client, [](const std::string& pod_uid) { ... });
//   auto token = co_await tokens.Get({.name_space = "shop", .service_account = "web", ...});
//
// Nobody needs to look at the clock: the callback says which pod is to ask again, and when.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/client.h"

namespace cubelet::kube {

struct TokenWanted {
  std::string name_space;
  std::string service_account;
  std::string audience;  // "": the API server itself
  int64_t expiration_seconds = 3600;
  std::string pod_name;  // the token is good as long as this pod exists
  std::string pod_uid;
};

class TokenCache {
 public:
  using OnDue = std::function<void(const std::string& pod_uid)>;

  // `loop` and `client` outlive the cache.
  TokenCache(async::Loop& loop, Client* client, OnDue on_due);
  ~TokenCache();
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;

  // A token that is good for some time. Errors: `failed to fetch token: ...`; `token ... expired
  // and refresh failed: ...`. A refresh that fails while the old token is good gives the old one.
  async::Task<absl::StatusOr<std::string>> Get(TokenWanted wanted);

  // The pod needs none any more.
  void Forget(const std::string& pod_uid);

  size_t size() const { return tokens_.size(); }

 private:
  // The pod's uid comes first: the tokens of a pod stand together.
  using Key = std::tuple<std::string, std::string, std::string, std::string, int64_t>;
  struct Token {
    std::string text;
    absl::Time expires;
    absl::Time refresh_at;
    async::Loop::TimerId timer = 0;
  };

  async::Task<absl::StatusOr<Token>> Fetch(TokenWanted wanted);
  void AskAgain(const Key& key, absl::Duration delay);

  async::Loop& loop_;
  Client* const client_;
  const OnDue on_due_;
  std::map<Key, Token> tokens_;
};

}  // namespace cubelet::kube
