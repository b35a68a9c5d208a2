// What the fake API server does wrong on purpose, by rules on requests.
//
//   server.faults().Add({.what = ApiFault::Answer(429, absl::Seconds(1)), .times = 3,
//                        .matches = ApiFaults::Method("PATCH", "/status")});
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "fakes/api_server/request.h"

namespace cubelet::fakes {

struct ApiFault {
  absl::Duration delay;             // before anything happens
  std::optional<int> code;          // answered in place of doing it: 429, 500, 503, 410, ...
  absl::Duration retry_after;       // with the code; zero sends none
  bool stale = false;               // reads see what Freeze of the store kept
  bool lose_answer = false;         // everything happens, then the connection breaks
  bool cut = false;                 // the connection breaks before anything happens
  std::optional<size_t> cut_after;  // the answer breaks off after so many bytes of its body

  static ApiFault Answer(int code, absl::Duration retry_after = absl::ZeroDuration());
  static ApiFault Late(absl::Duration delay);
  static ApiFault Stale();
  static ApiFault LoseAnswer();
  static ApiFault Cut();
  static ApiFault CutAfter(size_t bytes);
};

class ApiFaults {
 public:
  using Predicate = std::function<bool(const ApiRequest&)>;
  struct Rule {
    ApiFault what;
    int times = -1;     // how many requests it meets; -1 for all
    Predicate matches;  // empty: every request
  };

  // `method` "" is any; `part` is looked for in the path and query.
  static Predicate Method(std::string method, std::string part);

  // Rules are tried in the order in which they were added; the first that matches counts.
  void Add(Rule rule) { rules_.push_back(std::move(rule)); }
  void Clear() { rules_.clear(); }

  ApiFault For(const ApiRequest& request);

 private:
  std::list<Rule> rules_;
};

}  // namespace cubelet::fakes
