// A pod of tests/golden as the runtime and the reader of events saw it on the Go kubelet, and how
// the same life looks for a static pod of ours.
#pragma once

#include "integration/recording_runtime.h"
//
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "containers/node_context.h"

namespace cubelet::integration {

struct RecordedEvent {
  std::string field_path;
  std::string type;
  std::string reason;
  std::string message;
  int count = 1;
};

class RecordedLife {
 public:
  // `folder` is a name in tests/golden.
  explicit RecordedLife(const std::string& folder);

  const std::vector<RecordedCall>& calls() const { return calls_; }
  const std::vector<RecordedEvent>& events() const { return events_; }  // those of the kubelet
  const std::string& pod_name() const { return pod_name_; }
  const std::string& uid() const { return uid_; }

  // The pod as a manifest, with the recorded UID, namespace and annotations.
  std::string Manifest() const;

  // How many calls were made before the pod began to end.
  size_t CallsBeforeEnd() const;

  // The error of the first failed pull, without the prefix of gRPC; "" when none failed.
  std::string PullError() const;

 private:
  std::string folder_;
  std::string pod_name_;
  std::string uid_;
  std::map<std::string, std::string> annotations_;
  std::vector<RecordedCall> calls_;
  std::vector<RecordedEvent> events_;
  std::string pull_error_;
};

// Where a static pod of ours differs from the recorded pod: in its name and in the kubelet's own
// annotations; in ids and in the random names of termination logs; in the node's directories; in
// what the API server has added (the token's volume, the variables of its Service).
struct Substitution {
  std::string name;         // the pod's recorded name
  std::string static_name;  // and ours
  std::string uid;
  std::string seen;                                     // config.seen of ours
  std::map<std::string, std::string> ids;               // recorded to ours
  std::map<std::string, std::string> directories;       // recorded to ours
  std::map<std::string, std::string> termination_logs;  // container id to host path, of ours
};

// Ids of `recorded` mapped to those of `ours`: sandboxes in their order, containers by name and
// attempt; with seen and termination_logs of `ours`.
Substitution MakeSubstitution(const RecordedLife& life, const std::vector<RecordedCall>& ours,
                              std::string static_name);

// The recorded request as ours should be. `id` is that of the answer, as recorded.
void Substitute(const Substitution& substitution, const std::string& id,
                google::protobuf::Message& request);

// "CreateContainer main 1", "ExecSync sh -c ..."; ids are named by `names`.
std::string Describe(const RecordedCall& call, const std::map<std::string, std::string>& names);

}  // namespace cubelet::integration
