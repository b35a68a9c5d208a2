#include "api/downward.h"

#include <map>
#include <optional>

#include "absl/strings/str_join.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

absl::Status UnsupportedPath(std::string_view path) {
  return absl::InvalidArgumentError(StrCat("unsupported fieldPath: ", path));
}

absl::Status UnsupportedResource(std::string_view resource) {
  return absl::InvalidArgumentError(StrCat("unsupported container resource : ", resource));
}

template <typename Map>
std::string FormatMap(const Map& map) {
  std::string out;
  for (const auto& [key, value] : std::map<std::string, std::string>(map.begin(), map.end()))
    StrAppend(&out, out.empty() ? "" : "\n", key, "=", GoQuote(value));
  return out;
}

template <typename Map>
std::string ValueOrEmpty(const Map& map, std::string_view key) {
  const auto entry = map.find(std::string(key));
  return entry == map.end() ? "" : entry->second;
}

std::string First(const std::vector<std::string>& items) {
  return items.empty() ? "" : items.front();
}

// "metadata.labels['key']" is the path "metadata.labels" and the key.
std::optional<std::pair<std::string_view, std::string_view>> SplitSubscript(std::string_view path) {
  if (!path.ends_with("']")) return std::nullopt;
  const size_t open = path.find("['");
  if (open == std::string_view::npos || open == 0 || open + 4 > path.size()) return std::nullopt;
  return std::pair(path.substr(0, open), path.substr(open + 2, path.size() - open - 4));
}

bool IsKnownResource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         name.starts_with("hugepages-");
}

// What a container may use at most of a resource nothing limits: what its pod may, or the node.
Quantity DefaultLimit(const v1::Pod& pod, const std::string& name, const DownwardContext& context) {
  const auto pod_level = pod.spec().resources().limits().find(name);
  if (pod_level != pod.spec().resources().limits().end()) {
    const Quantity limit = Quantity::ParseOrZero(pod_level->second.string());
    if (!limit.IsZero()) return limit;
  }
  const auto node = context.node_allocatable.find(name);
  return node == context.node_allocatable.end() ? Quantity() : node->second;
}

int64_t DivideUp(int64_t amount, int64_t divisor) {
  return amount / divisor + (amount % divisor > 0 ? 1 : 0);
}

}  // namespace

absl::StatusOr<std::string> FieldValue(const v1::Pod& pod, std::string_view field_path,
                                       const DownwardContext& context) {
  const metav1::ObjectMeta& meta = pod.metadata();
  if (const auto subscript = SplitSubscript(field_path)) {
    const auto& [path, key] = *subscript;
    if (path == "metadata.labels") return ValueOrEmpty(meta.labels(), key);
    if (path == "metadata.annotations") return ValueOrEmpty(meta.annotations(), key);
    return UnsupportedPath(field_path);
  }
  if (field_path == "metadata.name") return meta.name();
  if (field_path == "metadata.namespace") return meta.namespace_();
  if (field_path == "metadata.uid") return meta.uid();
  if (field_path == "metadata.labels") return FormatMap(meta.labels());
  if (field_path == "metadata.annotations") return FormatMap(meta.annotations());
  if (field_path == "spec.nodeName" || field_path == "spec.host") return pod.spec().nodename();
  if (field_path == "spec.serviceAccountName") return pod.spec().serviceaccountname();
  if (field_path == "status.hostIP") return First(context.host_ips);
  if (field_path == "status.hostIPs") return absl::StrJoin(context.host_ips, ",");
  if (field_path == "status.podIP") return First(context.pod_ips);
  if (field_path == "status.podIPs") return absl::StrJoin(context.pod_ips, ",");
  return UnsupportedPath(field_path);
}

absl::StatusOr<std::string> ResourceValue(const v1::Pod& pod,
                                          const v1::ResourceFieldSelector& selector,
                                          std::string_view default_container,
                                          const DownwardContext& context) {
  const std::string name =
      selector.containername().empty() ? std::string(default_container) : selector.containername();
  const v1::Container* container = FindContainer(pod, name);
  if (container == nullptr) return absl::NotFoundError(StrCat("container ", name, " not found"));

  const std::string& text = selector.resource();
  const bool limits = text.starts_with("limits.");
  if (!limits && !text.starts_with("requests.")) return UnsupportedResource(text);
  const std::string resource = text.substr(text.find('.') + 1);
  if (!IsKnownResource(resource)) return UnsupportedResource(text);

  Quantity amount = (limits ? FindLimit(*container, resource) : FindRequest(*container, resource))
                        .value_or(Quantity());
  if (limits && amount.IsZero() && !resource.starts_with("hugepages-"))
    amount = DefaultLimit(pod, resource, context);
  Quantity divisor = Quantity::ParseOrZero(selector.divisor().string());
  if (divisor.Sign() <= 0) divisor = Quantity::FromInt(1);
  const int64_t value = resource == "cpu" ? DivideUp(amount.MilliValue(), divisor.MilliValue())
                                          : DivideUp(amount.Value(), divisor.Value());
  return StrCat(value);
}

}  // namespace cubelet::api
