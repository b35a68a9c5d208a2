#include "sources/http_source.h"

#include <utility>

#include "api/pod.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "sources/static_pod.h"
#include "sources/url.h"

namespace cubelet::sources {

HttpSource::HttpSource(async::Loop& loop, Options options, Deliver deliver, ReportProblems report)
    : loop_(loop),
      options_(std::move(options)),
      shown_url_(RedactUrl(options_.url)),
      deliver_(std::move(deliver)),
      report_(std::move(report)) {}

void HttpSource::Start(async::TaskScope& scope) { scope.Spawn("http source", Run()); }

async::Task<void> HttpSource::Run() {
  while (true) {
    co_await Check();
    co_await loop_.Sleep(options_.check_frequency);
  }
}

async::Task<void> HttpSource::Check() {
  FetchRequest request;
  request.url = options_.url;
  request.headers = options_.headers;
  request.timeout = options_.timeout;
  request.max_body_bytes = kMaxManifestBytes;
  request.ca_file = options_.ca_file;
  absl::StatusOr<FetchResponse> response = co_await Fetch(&loop_, std::move(request));
  if (!response.ok()) {
    SetProblems({{shown_url_, std::string(Message(response.status()))}});
  } else if (response->status != 200) {
    SetProblems({{shown_url_, StrCat(shown_url_, ": ", response->status, " ", response->reason)}});
  } else {
    co_await TakeBody(std::move(response->body));
  }
}

async::Task<void> HttpSource::TakeBody(std::string body) {
  if (body.empty()) {
    SetProblems({{shown_url_, StrCat("zero-length data received from ", shown_url_)}});
    last_body_.reset();
    deliver_(api::kHttpSource, {}, /*complete=*/true);
    co_return;
  }
  if (last_body_ == body) {
    SetProblems(body_problems_);
    co_return;
  }
  auto parse = [body, origin = Origin{api::kHttpSource, options_.url, options_.node_name}] {
    return ParseStaticPods(body, origin);
  };
  absl::StatusOr<ParsedPods> parsed = co_await loop_.Blocking(std::move(parse));
  last_body_ = std::move(body);
  body_problems_.clear();
  if (!parsed.ok()) {
    // What was there before stays: the answer says nothing that could be trusted.
    body_problems_[shown_url_] = std::string(Message(parsed.status()));
    SetProblems(body_problems_);
    co_return;
  }
  for (const auto& [item, reason] : parsed->problems)
    body_problems_[StrCat(shown_url_, " ", item)] = reason;
  SetProblems(body_problems_);
  deliver_(api::kHttpSource, std::move(parsed->pods), /*complete=*/true);
}

void HttpSource::SetProblems(Problems problems) {
  if (problems == problems_) return;
  for (const auto& [place, reason] : problems) {
    const auto known = problems_.find(place);
    if (known == problems_.end() || known->second != reason)
      LOG_ERROR(absl::UnavailableError(ToAbsl(reason)), "Could not read static pods",
                {{"url", place}});
  }
  problems_ = std::move(problems);
  if (report_) report_(problems_);
}

}  // namespace cubelet::sources
