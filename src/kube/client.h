// The API server as the rest of the agent sees it: requests and answers, and streams of watch
// events. ApiClient (api_client.h) makes it real; simulations have their own. Nobody but the typed
// functions of typed.h and the reflector needs to look below those.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"

namespace cubelet::kube {

inline constexpr char kProtobufType[] = "application/vnd.kubernetes.protobuf";
inline constexpr char kJsonType[] = "application/json";

struct Request {
  std::string method = "GET";
  std::string path;                                        // "/api/v1/nodes/lab/status"
  std::vector<std::pair<std::string, std::string>> query;  // not escaped
  std::string content_type;                                // of the body, if there is one
  std::string body;
  std::string accept = "application/vnd.kubernetes.protobuf,application/json";

  // For everything: waiting for the rate limit, connecting, retries, reading the answer. Of a watch
  // until its head has come.
  absl::Duration timeout = absl::Seconds(60);
  size_t max_answer_bytes = 64 << 20;
};

struct Answer {
  int code = 0;
  std::string content_type;
  std::string body;
  absl::Duration retry_after;  // as the server asks for; 0 when it does not
};

// An object in the form it came in.
struct Encoded {
  std::string content_type;  // kProtobufType or kJsonType
  std::string bytes;
};

struct WatchEvent {
  std::string type;  // "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR" (object: metav1.Status)
  Encoded object;
};

class WatchStream {
 public:
  virtual ~WatchStream() = default;  // ends the watch

  // The next event. Errors: OUT_OF_RANGE when the server has ended the watch in good order, ABORTED
  // when CloseConnections has, any other when it broke off or made no sense; after an error nothing
  // more comes.
  virtual async::Task<absl::StatusOr<WatchEvent>> Next() = 0;
};

class Client {
 public:
  virtual ~Client() = default;

  // Sends a request and reads the whole answer, whatever its code: an answer that refuses is an
  // answer. Errors: there was none. With `watch` among the query's fields use Watch.
  virtual async::Task<absl::StatusOr<Answer>> Do(Request request) = 0;

  // Starts a watch. Errors: there was no answer, or it refuses (errors.h tells which).
  virtual async::Task<absl::StatusOr<std::unique_ptr<WatchStream>>> Watch(Request request) = 0;

  // Closes the connections, at once: what is under way fails and what comes next uses a new one. To
  // be called when the client certificate has changed.
  virtual void CloseConnections() = 0;

  // The same, but what is under way may end. To be called when heartbeats fail.
  virtual void RetireConnections() = 0;
};

}  // namespace cubelet::kube
