// A request and its answer as values, after the bytes were parsed and before they are written.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cubelet::server {

// Which socket a request came through: that decides what is served and who is asked for what.
enum class Port {
  kMain,      // TLS, authentication and authorization
  kReadOnly,  // plain, nothing asked, few endpoints
  kHealthz,   // plain, /healthz only
  kStatus,    // unix socket of mode 0600, for `kubelet status`
};

class Body;     // body.h
class Upgrade;  // upgrade.h

using Query = std::vector<std::pair<std::string, std::string>>;

// Names as they came, in order.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  Port port = Port::kMain;
  std::string method;  // "GET"
  std::string path;    // decoded
  Query query;         // decoded, in order
  std::string body = {};
  Headers headers = {};
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  Headers headers = {};                        // further ones
  std::shared_ptr<Body> stream = nullptr;      // instead of `body`: made while it is sent
  std::shared_ptr<Upgrade> upgrade = nullptr;  // instead of an answer: takes the connection over
  std::shared_ptr<void> in_flight = nullptr;   // dies when the answer has been sent
};

// Path and query of a request target: "/a%20b?c=d", or the absolute form a proxy gets
// ("https://host/a"). False when it is neither, or its percent signs are not followed by hex
// digits.
bool ParseTarget(std::string_view target, std::string* path, Query* query);

// Whether the query has `key`, and its first value ("" without one).
bool Has(const Query& query, std::string_view key);
std::string First(const Query& query, std::string_view key);

// The header's first value, "" without one; names are the same in any case.
std::string Header(const Request& request, std::string_view name);

// Whether the client asks to go on in another protocol (Connection: Upgrade).
bool WantsUpgrade(const Request& request);

}  // namespace cubelet::server
