// What is asked of the fake API server and what it answers, without any transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fakes/api_server/body_stream.h"

namespace cubelet::fakes {

struct User {
  std::string name;
  std::vector<std::string> groups;
};

struct ApiRequest {
  std::string method;
  std::string path;   // without the query, not decoded
  std::string query;  // as it was sent, without the question mark
  std::string accept;
  std::string content_type;
  std::string user_agent;
  std::string authorization;
  std::optional<User> certificate;  // who the client's certificate says it is
  bool bad_certificate = false;     // one was shown that cannot be trusted, or is out of date
  std::string body;

  // The decoded parameters, in their order.
  std::vector<std::pair<std::string, std::string>> Parameters() const;
  // The value of one; "" when it is not there.
  std::string Parameter(std::string_view name) const;
  bool IsTrue(std::string_view name) const;
  bool IsWatch() const { return method == "GET" && IsTrue("watch"); }
};

// Where a kubelet listens and what is asked of it.
struct KubeletTarget {
  std::string host;
  uint16_t port = 0;
  std::string target;  // path and query
};

struct ApiAnswer {
  int code = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::shared_ptr<BodyStream> stream;  // follows the body, until it ends

  // Only the kubelet can answer (logs, exec, attach, port-forward): the front passes the request
  // on.
  std::optional<KubeletTarget> kubelet;

  // What goes wrong on the way: the stream breaks after so many bytes of the body, or the whole
  // connection.
  std::optional<size_t> cut_after;
  bool drop_connection = false;
};

// One line of the conversation, for tests to look at.
struct RecordedRequest {
  absl::Time time;
  std::string user;
  std::string method;
  std::string path;
  std::string query;
  std::string accept;
  std::string content_type;
  std::string user_agent;
  std::string body;
  int code = 0;
};

// "%2F" is "/", "+" in a query is " ".
std::string DecodeUrl(std::string_view text);
std::string EncodeUrl(std::string_view text);

}  // namespace cubelet::fakes
