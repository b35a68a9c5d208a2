// /debug/tasks: everything the agent is doing or waiting for, oldest first.
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/strings.h"
#include "server/endpoint.h"

namespace cubelet::server {

async::Task<Response> ServeTasks(const Services* services, Request) {
  std::string text;
  for (const async::Loop::TaskInfo& task : services->loop.Tasks()) {
    const std::string age = FormatGoDuration(absl::Trunc(task.age, absl::Milliseconds(1)));
    absl::StrAppendFormat(&text, "%-14s %s/%s\n", age, task.scope, task.name);
  }
  co_return Text(200, std::move(text));
}

}  // namespace cubelet::server
