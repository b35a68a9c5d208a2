// What the runtime holds, pod by pod, kept fresh by its event stream where it offers one and by
// listing everything as the safety net: every second without a stream, every five minutes with one.
//
// The cache never guesses: a call that failed leaves the old state, and a record that vanished from
// a list, or of which the runtime has spoken elsewhere, is only left out once the runtime has said
// NOT_FOUND to its id, or that the id is another pod's now.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "cri/runtime.h"
#include "pleg/runtime_pod.h"

namespace cubelet::pleg {

class RuntimeCache {
 public:
  struct Options {
    absl::Duration relist_period = absl::Seconds(1);
    absl::Duration relist_period_with_events = absl::Minutes(5);
    bool use_events = true;
  };

  RuntimeCache(async::Loop& loop, cri::Runtime& runtime, Options options);

  // Called with the uid of each pod whose state may have changed. The pod is stale until it is
  // refreshed.
  void SetOnChange(std::function<void(const std::string& uid)> on_change);

  // Called when listing works again after it did not.
  void SetOnRecovered(std::function<void()> on_recovered) {
    on_recovered_ = std::move(on_recovered);
  }

  // Told how long each full listing, and each look at a single pod, took.
  void SetObserver(std::function<void(bool whole, absl::Duration duration)> observer) {
    observer_ = std::move(observer);
  }

  // The runtime has said that it has these of the pod: lists without them are not believed.
  void ExpectSandbox(const std::string& uid, std::string sandbox_id);
  void ExpectContainer(const std::string& uid, std::string container_id, std::string sandbox_id);

  // Ids of containers that an earlier life of the agent has left behind, before the first listing:
  // it fails when it leaves out one that the runtime still has.
  void Remember(std::vector<std::string> container_ids) { remembered_ = std::move(container_ids); }

  // Starts listing and watching in `scope`; both end when the scope is closed.
  void Start(async::TaskScope& scope);

  // Asks the runtime for this pod now. On error the state is as before, and still stale. Unknown to
  // the runtime: the pod is dropped from the cache and the result is OK.
  async::Task<absl::Status> Refresh(std::string uid);

  // Lists everything once and marks what changed. Also the first listing, before which nothing is
  // known.
  async::Task<absl::Status> Relist();

  // The state as last seen, null if the runtime holds nothing of that pod.
  std::shared_ptr<const RuntimePod> Get(const std::string& uid) const;
  std::vector<std::shared_ptr<const RuntimePod>> All() const;

  // Stale until a Refresh that is begun from now on has ended well.
  void MarkStale(const std::string& uid) { MarkStaleSince(uid, loop_.Monotonic()); }
  bool IsStale(const std::string& uid) const { return stale_.contains(uid); }

  // Waits at most `limit` until the pod is stale; whether it is.
  async::Task<bool> WaitForChange(std::string uid, absl::Duration limit);

  // Monotonic time of the last listing that succeeded; InfiniteDuration negated before the first.
  absl::Duration last_relist() const { return last_relist_; }

  // Whether the event stream is relied on: a listing found it open for some seconds. Runtimes that
  // do not serve it end it at once, and those that do send nothing while nothing happens.
  bool has_events() const { return has_events_; }

 private:
  async::Task<void> RelistForever();
  async::Task<void> WatchForever();
  async::Task<absl::Status> WatchOnce();
  // The status behind an id, NOT_FOUND also when the id is another pod's by now.
  async::Task<absl::StatusOr<criv1::PodSandboxStatus>> SandboxOfPod(std::string uid,
                                                                    std::string id);
  async::Task<absl::StatusOr<criv1::ContainerStatus>> ContainerOfPod(std::string uid,
                                                                     std::string id);
  async::Task<absl::StatusOr<SandboxRecord>> ReadSandbox(std::string uid, criv1::PodSandbox listed,
                                                         std::shared_ptr<const RuntimePod> old);
  async::Task<absl::StatusOr<ContainerRecord>> ReadContainer(std::string uid,
                                                             criv1::Container listed,
                                                             std::shared_ptr<const RuntimePod> old);
  async::Task<absl::Status> ConfirmVanished(std::shared_ptr<const RuntimePod> old,
                                            std::shared_ptr<RuntimePod> seen);
  async::Task<absl::Status> ConfirmUnlisted(std::vector<std::string> sandbox_ids,
                                            std::vector<std::string> container_ids);
  std::shared_ptr<const RuntimePod> WithExpected(const std::string& uid,
                                                 std::shared_ptr<const RuntimePod> old) const;
  void Store(std::shared_ptr<const RuntimePod> pod);
  void MarkStaleSince(const std::string& uid, absl::Duration changed_at);
  void HandleEvent(const criv1::ContainerEventResponse& event);
  std::string UidOfEvent(const criv1::ContainerEventResponse& event) const;
  void JudgeStream(absl::Duration asked, bool missed);

  async::Loop& loop_;
  cri::Runtime& runtime_;
  const Options options_;
  std::function<void(const std::string&)> on_change_;
  std::function<void()> on_recovered_;
  std::function<void(bool, absl::Duration)> observer_;
  // By uid; in order, so that equal histories are equal step by step.
  absl::btree_map<std::string, std::shared_ptr<const RuntimePod>> pods_;
  // By uid, since when: an answer that was asked for before does not show what has changed then.
  absl::flat_hash_map<std::string, absl::Duration> stale_;
  struct Expected {
    std::string sandbox_id;
    std::string container_id;  // "" when it is the sandbox itself
  };
  absl::flat_hash_map<std::string, std::vector<Expected>> expected_;  // by uid
  std::vector<std::string> remembered_;
  absl::Duration last_relist_ = -absl::InfiniteDuration();
  std::optional<absl::Duration> stream_since_;  // monotonic time at which it was opened
  bool stream_misses_ = false;                  // listings have shown what it has not told
  bool has_events_ = false;
  async::Wakeup relist_now_;
  async::Signal stale_changed_;
};

}  // namespace cubelet::pleg
