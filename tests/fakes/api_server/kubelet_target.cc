#include "fakes/api_server/kubelet_target.h"

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

constexpr uint16_t kKubeletPort = 10250;

void AppendParameter(std::string& query, std::string_view name, std::string_view value) {
  StrAppend(&query, query.empty() ? "?" : "&", name, "=", EncodeUrl(value));
}

bool IsOn(const std::string& value) { return value == "true" || value == "1"; }

// The API's names of the streams, and the kubelet's.
std::string StreamQuery(const ApiRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.Parameters()) {
    if (name == "command") AppendParameter(query, "command", value);
    if (name == "stdin" && IsOn(value)) AppendParameter(query, "input", "1");
    if (name == "stdout" && IsOn(value)) AppendParameter(query, "output", "1");
    if (name == "stderr" && IsOn(value)) AppendParameter(query, "error", "1");
    if (name == "tty" && IsOn(value)) AppendParameter(query, "tty", "1");
  }
  return query;
}

std::string LogQuery(const ApiRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.Parameters()) {
    if (name != "container") AppendParameter(query, name, value);
  }
  return query;
}

std::string PortQuery(const ApiRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.Parameters()) {
    if (name == "ports") AppendParameter(query, "port", value);
  }
  return query;
}

std::string TargetIn(const v1::Pod& pod, const Route& route, const ApiRequest& request) {
  const std::string of_pod = StrCat(route.name_space, "/", route.name);
  if (route.subresource == "portforward")
    return StrCat("/portForward/", of_pod, PortQuery(request));
  std::string container = request.Parameter("container");
  if (container.empty() && pod.spec().containers_size() > 0)
    container = pod.spec().containers(0).name();
  if (route.subresource == "log")
    return StrCat("/containerLogs/", of_pod, "/", container, LogQuery(request));
  return StrCat("/", route.subresource, "/", of_pod, "/", container, StreamQuery(request));
}

absl::StatusOr<std::string> AddressOf(const v1::Node& node) {
  for (const v1::NodeAddress& address : node.status().addresses()) {
    if (address.type() == "InternalIP") return address.address();
  }
  return absl::InternalError(StrCat("no preferred addresses found; known addresses: none of node ",
                                    GoQuote(node.metadata().name())));
}

}  // namespace

bool IsForKubelet(const Route& route) {
  return route.subresource == "log" || route.subresource == "exec" ||
         route.subresource == "attach" || route.subresource == "portforward";
}

absl::StatusOr<KubeletTarget> KubeletTargetOf(const ObjectStore& store, const Route& route,
                                              const ApiRequest& request) {
  static const Kind* const nodes = FindKind("", "v1", "nodes");
  ASSIGN_OR_RETURN(const ObjectPtr object, store.Get(*route.kind, route.name_space, route.name));
  const auto& pod = dynamic_cast<const v1::Pod&>(*object);
  if (pod.spec().nodename().empty())
    return absl::InvalidArgumentError(StrCat("pod ", route.name, " does not have a host assigned"));
  ASSIGN_OR_RETURN(const ObjectPtr found, store.Get(*nodes, "", pod.spec().nodename()));
  const auto& node = dynamic_cast<const v1::Node&>(*found);
  KubeletTarget target;
  ASSIGN_OR_RETURN(target.host, AddressOf(node));
  const int32_t port = node.status().daemonendpoints().kubeletendpoint().port();
  target.port = port > 0 ? static_cast<uint16_t>(port) : kKubeletPort;
  target.target = TargetIn(pod, route, request);
  return target;
}

}  // namespace cubelet::fakes
