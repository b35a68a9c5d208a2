// Events to the API server (node.md 19): one task sends them in their order, each as the correlator
// wants it; nobody waits for it.
//
//   EventRecorder recorder(loop, &client, "lab", log, metrics);
//   recorder.Start(scope);
//   recorder.Record(ReferenceTo(pod), EventType::kNormal, "Pulled", "...");  // also before Start
//
// `client` is one of its own, limited by eventRecordQPS and eventBurst. What cannot be sent is
// dropped and counted (cubelet_events_dropped_total): when the queue is full, when the server
// refuses it, when the server has not answered in twelve tries.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/signal.h"
#include "async/task.h"
#include "base/metrics.h"
#include "kube/client.h"
#include "kube/event_correlator.h"

namespace cubelet::kube {

class EventRecorder final : public api::EventRecorder {
 public:
  static constexpr size_t kMaxQueued = 1000;
  static constexpr int kTries = 12;
  static constexpr absl::Duration kRetryDelay = absl::Seconds(10);

  // Everything recorded is also told to `log`. All that is given outlives the recorder; the scope
  // of Start is closed before it dies.
  EventRecorder(async::Loop& loop, Client* client, std::string node_name, api::EventRecorder& log,
                Metrics& metrics);

  void Start(async::TaskScope& scope);

  void Record(const api::ObjectReference& object, api::EventType type, std::string reason,
              std::string message) override;

 private:
  async::Task<void> Send();
  async::Task<void> Deliver(v1::Event event);
  async::Task<absl::Status> Write(v1::Event event);
  void Refused(const v1::Event& event, const absl::Status& error);
  void Dropped(const char* reason);
  absl::Time NewTime();

  async::Loop& loop_;
  Client* const client_;
  const std::string node_name_;
  api::EventRecorder& log_;
  Metrics& metrics_;
  async::Wakeup wakeup_;
  EventCorrelator correlator_;
  std::deque<v1::Event> queue_;
  absl::Time last_time_ = absl::InfinitePast();
  bool overflowing_ = false;  // and it was logged
};

}  // namespace cubelet::kube
