#include "fakes/sim_state.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

template <typename Labels>
bool HasLabels(const Labels& labels, const Labels& wanted) {
  for (const auto& [key, value] : wanted) {
    auto it = labels.find(key);
    if (it == labels.end() || it->second != value) return false;
  }
  return true;
}

criv1::ContainerUser UserOf(const criv1::LinuxContainerSecurityContext& context) {
  criv1::ContainerUser user;
  criv1::LinuxContainerUser& linux = *user.mutable_linux();
  linux.set_uid(context.run_as_user().value());
  linux.set_gid(context.run_as_group().value());
  linux.add_supplemental_groups(linux.gid());
  for (const int64_t group : context.supplemental_groups()) {
    if (group != linux.gid()) linux.add_supplemental_groups(group);
  }
  return user;
}

}  // namespace

absl::StatusOr<PodNetwork> ParsePodNetwork(std::string_view range) {
  const size_t slash = range.find('/');
  const uint32_t address = ParseIpv4(range.substr(0, slash));
  uint32_t bits = 0;
  if (slash == std::string_view::npos || address == 0 ||
      !absl::SimpleAtoi(ToAbsl(range.substr(slash + 1)), &bits) || bits < 8 || bits > 30) {
    return absl::InvalidArgumentError(
        StrCat("pod network ", GoQuote(range), " is not an IPv4 range like 10.88.0.0/16"));
  }
  const uint32_t size = 1u << (32 - bits);
  return PodNetwork{address & ~(size - 1), size};
}

std::string FormatIpv4(uint32_t address) {
  return StrCat(address >> 24, ".", address >> 16 & 255, ".", address >> 8 & 255, ".",
                address & 255);
}

uint32_t ParseIpv4(std::string_view text) {
  uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t end = i < 3 ? text.find('.') : text.size();
    uint32_t part = 0;
    if (end == std::string_view::npos || !absl::SimpleAtoi(ToAbsl(text.substr(0, end)), &part) ||
        part > 255)
      return 0;
    address = address << 8 | part;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return address;
}

std::string ReservedName(const criv1::PodSandboxMetadata& sandbox) {
  return StrCat(sandbox.name(), "_", sandbox.namespace_(), "_", sandbox.uid(), "_",
                sandbox.attempt());
}

std::string ReservedName(const criv1::ContainerMetadata& container,
                         const criv1::PodSandboxMetadata& sandbox) {
  return StrCat(container.name(), "_", sandbox.name(), "_", sandbox.namespace_(), "_",
                sandbox.uid(), "_", container.attempt());
}

criv1::PodSandbox Listed(const SimSandbox& sandbox) {
  criv1::PodSandbox listed;
  listed.set_id(sandbox.id);
  *listed.mutable_metadata() = sandbox.config.metadata();
  listed.set_state(sandbox.ready ? criv1::SANDBOX_READY : criv1::SANDBOX_NOTREADY);
  listed.set_created_at(sandbox.created_at);
  *listed.mutable_labels() = sandbox.config.labels();
  *listed.mutable_annotations() = sandbox.config.annotations();
  listed.set_runtime_handler(sandbox.handler);
  return listed;
}

criv1::PodSandboxStatus StatusOf(const SimSandbox& sandbox) {
  criv1::PodSandboxStatus status;
  status.set_id(sandbox.id);
  *status.mutable_metadata() = sandbox.config.metadata();
  status.set_state(sandbox.ready ? criv1::SANDBOX_READY : criv1::SANDBOX_NOTREADY);
  status.set_created_at(sandbox.created_at);
  status.mutable_network()->set_ip(sandbox.ip);
  *status.mutable_linux()->mutable_namespaces()->mutable_options() =
      sandbox.config.linux().security_context().namespace_options();
  *status.mutable_labels() = sandbox.config.labels();
  *status.mutable_annotations() = sandbox.config.annotations();
  status.set_runtime_handler(sandbox.handler);
  return status;
}

criv1::Container Listed(const SimContainer& container) {
  criv1::Container listed;
  listed.set_id(container.id);
  listed.set_pod_sandbox_id(container.sandbox_id);
  *listed.mutable_metadata() = container.config.metadata();
  *listed.mutable_image() = container.config.image();
  listed.set_image_ref(container.image_id);
  listed.set_image_id(container.image_id);
  listed.set_state(container.state);
  listed.set_created_at(container.created_at);
  *listed.mutable_labels() = container.config.labels();
  *listed.mutable_annotations() = container.config.annotations();
  return listed;
}

criv1::ContainerStatus StatusOf(const SimContainer& container) {
  criv1::ContainerStatus status;
  status.set_id(container.id);
  *status.mutable_metadata() = container.config.metadata();
  status.set_state(container.state);
  status.set_created_at(container.created_at);
  status.set_started_at(container.started_at);
  status.set_finished_at(container.finished_at);
  status.set_exit_code(container.exit_code);
  status.mutable_image()->set_image(container.image_name);
  status.set_image_ref(container.image_ref);
  status.set_image_id(container.image_id);
  status.set_reason(container.reason);
  status.set_message(container.message);
  *status.mutable_labels() = container.config.labels();
  *status.mutable_annotations() = container.config.annotations();
  *status.mutable_mounts() = container.config.mounts();
  status.set_log_path(container.log_path);
  *status.mutable_resources()->mutable_linux() = container.resources;
  *status.mutable_user() = UserOf(container.config.linux().security_context());
  status.set_stop_signal(container.config.stop_signal());
  return status;
}

bool Matches(const criv1::PodSandbox& sandbox, const criv1::PodSandboxFilter& filter) {
  return (filter.id().empty() || filter.id() == sandbox.id()) &&
         (!filter.has_state() || filter.state().state() == sandbox.state()) &&
         HasLabels(sandbox.labels(), filter.label_selector());
}

bool Matches(const criv1::Container& container, const criv1::ContainerFilter& filter) {
  return (filter.id().empty() || filter.id() == container.id()) &&
         (filter.pod_sandbox_id().empty() ||
          filter.pod_sandbox_id() == container.pod_sandbox_id()) &&
         (!filter.has_state() || filter.state().state() == container.state()) &&
         HasLabels(container.labels(), filter.label_selector());
}

NameHold::~NameHold() {
  if (names_ != nullptr) names_->erase(name_);
}

absl::Status NameHold::Take(Names& names, const std::string& kind, const std::string& name,
                            const std::string& id) {
  const auto [it, taken] = names.emplace(name, id);
  if (!taken) {
    return absl::UnknownError(StrCat("failed to reserve ", kind, " name ", GoQuote(name), ": name ",
                                     GoQuote(name), " is reserved for ", GoQuote(it->second)));
  }
  names_ = &names;
  name_ = name;
  return absl::OkStatus();
}

}  // namespace cubelet::fakes
