// Keeps up with one resource: lists it, watches it, and says what changes.
//
//   Reflector<v1::Pod> pods(loop, client, {.field_selector = "spec.nodeName=lab"},
//                           {.on_replace = ..., .on_change = ...});
//   scope.Spawn("watch pods", pods.Run());
//
// The first thing handed out is the whole state (on_replace); changes follow one by one, in the
// server's order. When the thread is lost (the server has forgotten the version, answers made no
// sense) the whole state comes again; what has disappeared meanwhile is simply not in it. A watch
// that ends or breaks is taken up where it was.
//
// The list is streamed over the watch itself where the server offers it ("sendInitialEvents"), as
// the Go kubelet does; otherwise it is asked for. After a failure the reflector waits 0.8 s,
// doubled up to 30 s, each time by a random factor from 1 to 2; two minutes without one begin anew.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/backoff.h"
#include "async/loop.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/object_codec.h"
#include "kube/resources.h"
#include "kube/typed.h"

namespace cubelet::kube {

struct ReflectorOptions {
  std::string name_space;
  std::string field_selector;
  // The server ends the watch after a random time from this to its double.
  absl::Duration min_watch_timeout = absl::Minutes(5);
  // The time is also sent as "timeout", as Go's typed clients do (all but the watch of pods).
  bool tell_timeout = true;
  bool streaming_list = true;
};

enum class Change { kAdded, kModified, kDeleted };

// The part that does not depend on the type. Use Reflector below.
class ReflectorBase {
 public:
  virtual ~ReflectorBase() = default;
  ReflectorBase(const ReflectorBase&) = delete;
  ReflectorBase& operator=(const ReflectorBase&) = delete;

  // Until it is cancelled.
  async::Task<void> Run();

  // Whether the whole state has been handed out at least once.
  bool synced() const { return synced_; }

  // What has failed last; OK once a watch has brought something again (a bookmark comes every
  // minute).
  const absl::Status& last_error() const { return last_error_; }

 protected:
  struct ItemFacts {
    std::string resource_version;
    bool initial_events_end = false;
  };

  ReflectorBase(async::Loop& loop, Client* client, Resource resource, ReflectorOptions options);

  // Reads the object of an event and keeps it for the next call of the others.
  virtual absl::StatusOr<ItemFacts> Decode(const Encoded& object) = 0;
  // Hands the object out.
  virtual void Emit(Change change) = 0;
  // Puts the object to the state that is being streamed; forgets that state; hands it out.
  virtual void Collect() = 0;
  virtual void DropCollected() = 0;
  virtual void EmitCollected() = 0;
  // Hands out a list as the server gave it. Gives its resource version.
  virtual absl::StatusOr<std::string> EmitList(const Encoded& list) = 0;

 private:
  async::Task<absl::Status> RunOnce();
  async::Task<absl::Status> ListAll();
  async::Task<absl::Status> WatchOnce();
  absl::Status Handle(const WatchEvent& event, bool* initial);
  Request WatchRequest(bool initial, absl::Duration timeout) const;
  bool Continues(const absl::Status& ended);
  absl::Duration Delay(const absl::Status& error);
  void Recovered();

  async::Loop& loop_;
  Client* const client_;
  const Resource resource_;
  const ReflectorOptions options_;
  bool streaming_;
  bool synced_ = false;
  std::string resource_version_;  // up to which all is handed out; "" when a list is needed
  bool newest_ = false;           // the next list must not come from the server's cache
  absl::Status last_error_;
  async::Backoff backoff_;
  absl::Duration last_failure_;
  int failures_ = 0;
};

template <typename T>
struct ReflectorHandler {
  std::function<void(std::vector<std::shared_ptr<const T>>)> on_replace;
  std::function<void(Change, std::shared_ptr<const T>)> on_change;
};

template <typename T>
class Reflector final : public ReflectorBase {
 public:
  // `loop` and `client` outlive the reflector; the handler is called on the loop.
  Reflector(async::Loop& loop, Client* client, ReflectorOptions options,
            ReflectorHandler<T> handler)
      : ReflectorBase(loop, client, ResourceOf<T>::kValue, std::move(options)),
        handler_(std::move(handler)) {}

 private:
  absl::StatusOr<ItemFacts> Decode(const Encoded& object) override {
    auto item = std::make_shared<T>();
    const Resource& resource = ResourceOf<T>::kValue;
    const absl::Status decoded = DecodeObject(object, *item, resource.api_version, resource.kind);
    if (!decoded.ok()) return decoded;
    const auto& annotations = item->metadata().annotations();
    const auto end = annotations.find("k8s.io/initial-events-end");
    ItemFacts facts{item->metadata().resourceversion(),
                    end != annotations.end() && end->second == "true"};
    item_ = std::move(item);
    return facts;
  }
  void Emit(Change change) override { handler_.on_change(change, std::move(item_)); }
  void Collect() override { collected_.push_back(std::move(item_)); }
  void DropCollected() override { collected_ = {}; }
  void EmitCollected() override { handler_.on_replace(std::exchange(collected_, {})); }
  absl::StatusOr<std::string> EmitList(const Encoded& encoded) override {
    typename ResourceOf<T>::List list;
    const Resource& resource = ResourceOf<T>::kValue;
    const absl::Status decoded =
        DecodeObject(encoded, list, resource.api_version, std::string(resource.kind) + "List");
    if (!decoded.ok()) return decoded;
    ObjectList<T> items = TakeItems<T>(list);
    handler_.on_replace(std::move(items.items));
    return items.resource_version;
  }

  ReflectorHandler<T> handler_;
  std::shared_ptr<const T> item_;
  std::vector<std::shared_ptr<const T>> collected_;
};

}  // namespace cubelet::kube
