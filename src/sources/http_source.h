// Static pods from a URL (pod-lifecycle.md 1.4): a Pod or a PodList in JSON or YAML, asked for
// every `check_frequency`. https is verified against the system's certificate authorities.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "async/loop.h"
#include "async/scope.h"
#include "sources/fetch.h"
#include "sources/source.h"

namespace cubelet::sources {

class HttpSource {
 public:
  struct Options {
    std::string url;                                           // staticPodURL
    std::vector<std::pair<std::string, std::string>> headers;  // staticPodURLHeader, names repeat
    std::string node_name;
    absl::Duration check_frequency = absl::Seconds(20);
    absl::Duration timeout = absl::Seconds(10);
    std::string ca_file;  // "" uses the system's authorities
  };

  HttpSource(async::Loop& loop, Options options, Deliver deliver, ReportProblems report);

  // Starts asking in `scope`; ends when the scope is closed.
  void Start(async::TaskScope& scope);

 private:
  async::Task<void> Run();
  async::Task<void> Check();
  async::Task<void> TakeBody(std::string body);
  void SetProblems(Problems problems);

  async::Loop& loop_;
  const Options options_;
  const std::string shown_url_;  // without password
  const Deliver deliver_;
  const ReportProblems report_;
  std::optional<std::string> last_body_;
  Problems body_problems_;  // of last_body_
  Problems problems_;
};

}  // namespace cubelet::sources
