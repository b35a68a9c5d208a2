#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "server/status_report.h"

namespace cubelet::server {
namespace {

namespace json = boost::json;

// A status of more than this is none.
constexpr api::DecodeLimits kLimits{.max_bytes = 64 << 20};

void PutTime(json::object& object, const char* key, absl::Time time) {
  if (time != absl::InfinitePast()) object[key] = FormatTimeNano(time);
}

json::object ToJson(const PodRow& row) {
  json::object pod;
  pod["namespace"] = row.name_space;
  pod["name"] = row.name;
  pod["uid"] = row.uid;
  if (!row.ip.empty()) pod["ip"] = row.ip;
  pod["phase"] = row.phase;
  pod["status"] = row.status;
  pod["ready"] = row.ready;
  pod["readyContainers"] = row.ready_containers;
  pod["containers"] = row.containers;
  pod["restarts"] = row.restarts;
  PutTime(pod, "lastRestartAt", row.last_restart);
  PutTime(pod, "createdAt", row.created);
  if (!row.reason.empty()) pod["reason"] = row.reason;
  return pod;
}

std::string Text(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string().data(), value->get_string().size());
}

int Number(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? static_cast<int>(value->get_int64()) : 0;
}

bool Flag(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

absl::Time Moment(const json::object& object, const char* key) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, Text(object, key), &time, &error))
    return absl::InfinitePast();
  return time;
}

PodRow FromJson(const json::object& pod) {
  PodRow row;
  row.name_space = Text(pod, "namespace");
  row.name = Text(pod, "name");
  row.uid = Text(pod, "uid");
  row.ip = Text(pod, "ip");
  row.phase = Text(pod, "phase");
  row.status = Text(pod, "status");
  row.ready = Flag(pod, "ready");
  row.ready_containers = Number(pod, "readyContainers");
  row.containers = Number(pod, "containers");
  row.restarts = Number(pod, "restarts");
  row.last_restart = Moment(pod, "lastRestartAt");
  row.created = Moment(pod, "createdAt");
  row.reason = Text(pod, "reason");
  return row;
}

}  // namespace

std::string StatusJson(const StatusReport& report) {
  json::array pods, problems;
  for (const PodRow& row : report.pods) pods.push_back(ToJson(row));
  for (const std::string& problem : report.problems) problems.push_back(json::string(problem));
  json::object object;
  object["node"] = report.node;
  object["version"] = report.version;
  object["runtime"] = report.runtime;
  PutTime(object, "startedAt", report.started);
  object["pods"] = std::move(pods);
  object["problems"] = std::move(problems);
  return api::Serialize(std::move(object)) + "\n";
}

absl::StatusOr<StatusReport> ParseStatusJson(std::string_view text) {
  absl::StatusOr<json::value> value = api::ParseJson(text, kLimits);
  if (!value.ok()) return Annotate(value.status(), "read the kubelet's status");
  const json::object* const object = value->if_object();
  const json::value* const pods = object != nullptr ? object->if_contains("pods") : nullptr;
  if (pods == nullptr || !pods->is_array())
    return absl::InvalidArgumentError("read the kubelet's status: it has no list of pods");
  StatusReport report;
  report.node = Text(*object, "node");
  report.version = Text(*object, "version");
  report.runtime = Text(*object, "runtime");
  report.started = Moment(*object, "startedAt");
  for (const json::value& pod : pods->get_array()) {
    if (pod.is_object()) report.pods.push_back(FromJson(pod.get_object()));
  }
  if (const json::value* problems = object->if_contains("problems");
      problems != nullptr && problems->is_array()) {
    for (const json::value& problem : problems->get_array()) {
      if (problem.is_string())
        report.problems.emplace_back(problem.get_string().data(), problem.get_string().size());
    }
  }
  return report;
}

}  // namespace cubelet::server
