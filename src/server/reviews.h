// What the API server is asked for the sake of the main port: who a bearer token is (TokenReview),
// and whether somebody may do something on this node (SubjectAccessReview); node.md 17.2, 17.3.
// Answers are kept for a while.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/client.h"
#include "server/access.h"

namespace cubelet::server {

struct ReviewTimes {
  absl::Duration token = absl::Minutes(2);          // authentication.webhook.cacheTTL
  absl::Duration authorized = absl::Minutes(5);     // authorization.webhook.cacheAuthorizedTTL
  absl::Duration unauthorized = absl::Seconds(30);  // ...cacheUnauthorizedTTL
};

class Reviews {
 public:
  // Of each kind so many answers are kept; whoever sends more wrong tokens than that only makes the
  // agent ask again.
  static constexpr size_t kMaxKept = 1024;

  // `client` outlives this, and this outlives what it gives.
  Reviews(async::Loop& loop, kube::Client* client, std::string node_name, ReviewTimes times);

  TokenReviewer tokens();
  Authorizer authorizer();

 private:
  template <typename T>
  struct Kept {
    T answer;
    absl::Duration until;  // monotonic
  };

  async::Task<absl::StatusOr<std::optional<User>>> WhoIs(std::string token);
  async::Task<absl::StatusOr<bool>> MayDo(User user, std::string verb, std::string subresource);
  template <typename T>
  void Keep(absl::flat_hash_map<std::string, Kept<T>>& kept, std::string key, T answer,
            absl::Duration time);

  async::Loop& loop_;
  kube::Client* const client_;
  const std::string node_name_;
  const ReviewTimes times_;
  absl::flat_hash_map<std::string, Kept<std::optional<User>>> users_;  // by the token's digest
  absl::flat_hash_map<std::string, Kept<bool>> verdicts_;
};

}  // namespace cubelet::server
