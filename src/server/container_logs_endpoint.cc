// GET /containerLogs/{namespace}/{pod}/{container}: a container's log, also while it is written
// (node.md 17.10 to 17.12).
#include "base/strings.h"
#include "logs/log_reader.h"
#include "server/body.h"
#include "server/endpoint.h"
#include "server/log_container.h"
#include "server/log_query.h"
#include "server/pod_path.h"

namespace cubelet::server {
namespace {

class LogBody : public Body {
 public:
  explicit LogBody(std::unique_ptr<logs::LogReader> reader) : reader_(std::move(reader)) {}
  async::Task<absl::StatusOr<std::optional<std::string>>> Next() override {
    return reader_->Next();
  }

 private:
  const std::unique_ptr<logs::LogReader> reader_;
};

// "abc" of "containerd://abc".
std::string WithoutType(const std::string& id) {
  const size_t scheme = id.find("://");
  return scheme == std::string::npos ? id : id.substr(scheme + 3);
}

}  // namespace

async::Task<Response> ServeContainerLogs(const Services* services, Request request) {
  const std::optional<PodPath> path = ParseContainerPath(request.path, /*with_uid=*/false);
  if (!path) co_return NoSuchPath();
  Response refusal;
  LogQuery query = ParseLogQuery(request.query, services->loop.Now(),
                                 services->options.pod_logs_query_split_streams, &refusal);
  if (refusal.status != 0) co_return refusal;
  const Backend& backend = services->backend;
  const std::optional<PodView> pod = backend.find_pod(path->name_space, path->pod);
  if (!pod) co_return Text(404, StrCat("pod ", GoQuote(path->pod), " does not exist"));
  if (!HasContainer(*pod->pod, path->container)) {
    co_return Text(404, StrCat("container ", GoQuote(path->container), " not found in pod ",
                               GoQuote(path->pod)));
  }
  absl::StatusOr<std::string> chosen =
      ChooseLogContainer(*pod->status, path->pod, path->container, query.previous);
  if (!chosen.ok()) co_return Text(400, std::string(Message(chosen.status())));
  const std::string uid = pod->pod->metadata().uid(), id = WithoutType(*chosen);
  const std::optional<ContainerView> container = backend.find_container(uid, id);
  if (!container || container->log_path.empty())
    co_return Text(400, StrCat("unable to retrieve container logs for ", *chosen));
  query.options.path = container->log_path;
  auto still_written = [find = &backend.find_container, uid, id] {
    const std::optional<ContainerView> now = (*find)(uid, id);
    return now && now->running;
  };
  auto reader = co_await logs::LogReader::Open(&services->loop, std::move(query.options),
                                               std::move(still_written));
  if (!reader.ok()) co_return Text(400, std::string(Message(reader.status())));
  Response response = Text(200, "");
  response.stream = std::make_shared<LogBody>(*std::move(reader));
  co_return response;
}

}  // namespace cubelet::server
