#include "kube/event_object.h"

#include "absl/strings/str_cat.h"
#include "api/names.h"
#include "base/clock.h"
#include "base/strings.h"

namespace cubelet::kube {
namespace {

constexpr char kComponent[] = "kubelet";
constexpr char kDefaultNamespace[] = "default";  // of events on what has no namespace

// An object's name may be too long to have anything added to it; then its hash stands for it.
std::string NameOf(std::string_view node_name, const api::ObjectReference& object,
                   absl::Time time) {
  const auto stamp = absl::Hex(absl::ToUnixNanos(time));
  std::string name = absl::StrCat(object.name, ".", stamp);
  if (api::Dns1123SubdomainFaults(name).empty()) return name;
  const uint64_t hash = Fnv1a64(StrCat(node_name, "/", object.name));
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16), ".", stamp);
}

}  // namespace

v1::Event MakeEvent(std::string_view node_name, const api::ObjectReference& object,
                    api::EventType type, std::string_view reason, std::string_view message,
                    absl::Time time) {
  const std::string host(node_name);
  v1::Event event;
  event.mutable_metadata()->set_name(NameOf(node_name, object, time));
  event.mutable_metadata()->set_namespace_(object.name_space.empty() ? kDefaultNamespace
                                                                     : object.name_space);
  v1::ObjectReference& involved = *event.mutable_involvedobject();
  involved.set_kind(object.kind);
  involved.set_apiversion("v1");
  involved.set_name(object.name);
  if (!object.name_space.empty()) involved.set_namespace_(object.name_space);
  if (!object.uid.empty()) involved.set_uid(object.uid);
  if (!object.field_path.empty()) involved.set_fieldpath(object.field_path);
  event.set_reason(std::string(reason));
  event.set_message(CleanUtf8(message.substr(0, kMaxEventMessageBytes)));
  event.mutable_source()->set_component(kComponent);
  event.mutable_source()->set_host(host);
  event.mutable_firsttimestamp()->set_seconds(absl::ToUnixSeconds(time));
  event.mutable_lasttimestamp()->set_seconds(absl::ToUnixSeconds(time));
  event.set_count(1);
  event.set_type(type == api::EventType::kNormal ? "Normal" : "Warning");
  event.set_reportingcomponent(kComponent);
  event.set_reportinginstance(host);
  return event;
}

std::string EventPatch(const v1::Event& event) {
  const absl::Time last = absl::FromUnixSeconds(event.lasttimestamp().seconds());
  return StrCat("{\"count\":", event.count(), ",\"lastTimestamp\":\"", cubelet::FormatTime(last),
                "\",\"message\":", JsonQuote(event.message()), "}");
}

}  // namespace cubelet::kube
