// Executes one probe, whatever its kind (probes.md 5).
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "api/events.h"
#include "api/types.h"
#include "async/loop.h"
#include "async/task.h"
#include "cri/runtime.h"
#include "probes/manager.h"

namespace cubelet::probes {

inline constexpr char kProbeUserAgent[] = "kube-probe/1.36";

// What to probe: the instance of a container as it was when the probe was started.
struct ProbeTarget {
  PodPtr pod;
  const v1::Container* container = nullptr;  // in `pod`
  const v1::Probe* probe = nullptr;          // in `container`
  Kind kind = Kind::kReadiness;
  std::string container_id;
  std::string pod_ip;
};

enum class Verdict { kSuccess, kWarning, kFailure, kUnknown };

struct ProbeResult {
  Verdict verdict = Verdict::kUnknown;
  std::string output;
  std::string error;  // not "": the probe could not be carried out, and tells nothing
};

// One probe, with up to three attempts one after another as long as they end in an error.
async::Task<ProbeResult> RunProbe(async::Loop* loop, cri::Runtime* runtime, ProbeTarget target);

// timeoutSeconds, 1 when absent.
absl::Duration TimeoutOf(const v1::Probe& probe);

// Whether the probe cannot be made before the pod's address is known.
bool NeedsPodIp(const v1::Probe& probe);

// What a result amounts to: the outcome to be counted (none after an error) and the event it makes
// (reason "" for none), a Warning about the container.
struct Report {
  std::optional<Outcome> outcome;
  std::string reason;
  std::string message;
};
Report MakeReport(Kind kind, const ProbeResult& result);

}  // namespace cubelet::probes
