// The table of endpoints (http.tsv): which path is served on which port by whom, and what is
// answered where it is not. Pure.
#pragma once

#include <string_view>

#include "server/endpoint.h"
#include "server/options.h"
#include "server/request.h"

namespace cubelet::server {

struct Route {
  enum class Kind {
    kAlways,     // needs no debugging handlers
    kDebugging,  // without debugging handlers and on the read-only port: 405 with a sentence
    kDebuggingOrAbsent,  // without debugging handlers and on the read-only port: 404
  };

  std::string_view path;     // ends in "/": everything below it, too
  std::string_view methods;  // "GET,POST"; "" for any
  Kind kind;
  std::string_view label;   // the metrics' path label, "other" for paths that have none
  Endpoint serve;           // null: not there yet
  std::string_view absent;  // what is not there yet, for the 501's sentence

  // Not served if this field of the configuration is false: 405 with `disabled`.
  bool Options::* enabled;
  std::string_view disabled;
};

// The route that a path belongs to; null when it belongs to none (404 before anybody is asked who
// they are).
const Route* FindRoute(Port port, std::string_view path);

// The answer where `route` does not serve this request; status 0 where it does.
Response Refusal(const Route& route, const Options& options, Port port, std::string_view method);

// "exec", "attach" and "debug" are labelled as long-running, whatever they do.
bool IsLongRunning(const Route* route);

}  // namespace cubelet::server
