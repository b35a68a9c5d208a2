// The endpoints: one row each in the table of router.cc, one file each.
#pragma once

#include <string>
#include <string_view>

#include "async/loop.h"
#include "async/task.h"
#include "base/metrics.h"
#include "server/backend.h"
#include "server/options.h"
#include "server/request.h"

namespace cubelet::server {

// What endpoints work with. All of it outlives every request.
struct Services {
  async::Loop& loop;
  Metrics& metrics;
  const Backend& backend;
  const Options& options;
};

using Endpoint = async::Task<Response> (*)(const Services* services, Request request);

async::Task<Response> ServeHealthz(const Services* services, Request request);
async::Task<Response> ServePods(const Services* services, Request request);
async::Task<Response> ServeRunningPods(const Services* services, Request request);
async::Task<Response> ServeConfigz(const Services* services, Request request);
async::Task<Response> ServeMetrics(const Services* services, Request request);
async::Task<Response> ServeTasks(const Services* services, Request request);
async::Task<Response> ServeDebugFlags(const Services* services, Request request);
async::Task<Response> ServeContainerLogs(const Services* services, Request request);
async::Task<Response> ServeExec(const Services* services, Request request);
async::Task<Response> ServeAttach(const Services* services, Request request);
async::Task<Response> ServePortForward(const Services* services, Request request);
async::Task<Response> ServeRun(const Services* services, Request request);
async::Task<Response> ServeSystemLogs(const Services* services, Request request);
async::Task<Response> ServeStatus(const Services* services, Request request);

// A plain text answer.
Response Text(int status, std::string body);

}  // namespace cubelet::server
