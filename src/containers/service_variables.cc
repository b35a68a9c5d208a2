#include "containers/service_variables.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "base/strings.h"

namespace cubelet::containers {
namespace {

// A name as variables spell it: my-svc is MY_SVC.
std::string VariableName(std::string_view name) {
  std::string out = absl::AsciiStrToUpper(ToAbsl(name));
  for (char& c : out)
    if (c == '-') c = '_';
  return out;
}

std::string Address(const v1::Service& service, int32_t port) {
  const std::string& ip = service.spec().clusterip();
  return ip.find(':') == std::string::npos ? StrCat(ip, ":", port) : StrCat("[", ip, "]:", port);
}

}  // namespace

bool HasClusterIp(const v1::Service& service) {
  return !service.spec().clusterip().empty() && service.spec().clusterip() != "None";
}

void AppendServiceVariables(const v1::Service& service, Variables* out) {
  const v1::ServiceSpec& spec = service.spec();
  const std::string prefix = VariableName(service.metadata().name());
  const auto add = [&](std::string name, std::string value) {
    out->emplace_back(std::move(name), std::move(value));
  };
  add(StrCat(prefix, "_SERVICE_HOST"), spec.clusterip());
  if (!spec.ports().empty()) add(StrCat(prefix, "_SERVICE_PORT"), StrCat(spec.ports(0).port()));
  for (const v1::ServicePort& port : spec.ports())
    if (!port.name().empty())
      add(StrCat(prefix, "_SERVICE_PORT_", VariableName(port.name())), StrCat(port.port()));
  for (const v1::ServicePort& port : spec.ports()) {
    const std::string protocol =
        port.protocol().empty() ? "tcp" : absl::AsciiStrToLower(port.protocol());
    const std::string url = StrCat(protocol, "://", Address(service, port.port()));
    if (&port == &spec.ports(0)) add(StrCat(prefix, "_PORT"), url);
    const std::string name =
        StrCat(prefix, "_PORT_", port.port(), "_", absl::AsciiStrToUpper(protocol));
    add(name, url);
    add(StrCat(name, "_PROTO"), protocol);
    add(StrCat(name, "_PORT"), StrCat(port.port()));
    add(StrCat(name, "_ADDR"), spec.clusterip());
  }
}

}  // namespace cubelet::containers
