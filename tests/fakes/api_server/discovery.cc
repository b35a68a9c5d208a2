#include "fakes/api_server/discovery.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "api/codec.h"
#include "base/strings.h"
#include "fakes/api_server/kinds.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;

constexpr std::string_view kServerVersion = "v1.36.2";
constexpr const char* kVerbs[] = {"create", "delete", "deletecollection", "get",
                                  "list",   "patch",  "update",           "watch"};

using GroupVersion = std::pair<std::string, std::string>;

std::set<GroupVersion> GroupVersions() {
  std::set<GroupVersion> all;
  for (const Kind& kind : AllKinds()) all.emplace(kind.group, kind.version);
  return all;
}

std::string NameOf(const GroupVersion& gv) {
  return gv.first.empty() ? gv.second : StrCat(gv.first, "/", gv.second);
}

std::string PathOf(const GroupVersion& gv) {
  return gv.first.empty() ? StrCat("/api/", gv.second) : StrCat("/apis/", NameOf(gv));
}

json::array Verbs(const Kind& kind) {
  if (kind.review) return {"create"};
  return json::array(std::begin(kVerbs), std::end(kVerbs));
}

json::array SubresourceVerbs(std::string_view name) {
  const bool posted = name == "binding" || name == "eviction" || name == "token";
  if (name == "log") return {"get"};
  if (name == "attach" || name == "exec" || name == "portforward") return {"create", "get"};
  return posted ? json::array{"create"} : json::array{"get", "patch", "update"};
}

// Kinds that subresources speak in place of their parent's.
struct Spoken {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
};
Spoken SpokenBy(const Kind& kind, std::string_view subresource) {
  if (subresource == "eviction") return {"policy", "v1", "Eviction"};
  if (subresource == "token") return {"authentication.k8s.io", "v1", "TokenRequest"};
  if (subresource == "binding") return {"", "v1", "Binding"};
  return {kind.group, kind.version, kind.kind};
}

json::object ResourceOf(const Kind& kind) {
  json::object resource{{"name", kind.resource},
                        {"singularName", kind.singular},
                        {"namespaced", kind.namespaced},
                        {"kind", kind.kind},
                        {"verbs", Verbs(kind)}};
  if (!kind.short_names.empty())
    resource["shortNames"] = json::array(kind.short_names.begin(), kind.short_names.end());
  if (kind.resource == "pods") resource["categories"] = json::array{"all"};
  return resource;
}

json::object SubresourceOf(const Kind& kind, std::string_view name) {
  const Spoken spoken = SpokenBy(kind, name);
  json::object resource{{"name", StrCat(kind.resource, "/", name)},
                        {"singularName", ""},
                        {"namespaced", kind.namespaced},
                        {"kind", spoken.kind},
                        {"verbs", SubresourceVerbs(name)}};
  if (spoken.group != kind.group) {
    resource["group"] = spoken.group;
    resource["version"] = spoken.version;
  }
  return resource;
}

json::object ResourceList(const GroupVersion& gv) {
  json::array resources;
  for (const Kind& kind : AllKinds()) {
    if (kind.group != gv.first || kind.version != gv.second) continue;
    resources.push_back(ResourceOf(kind));
    for (const std::string_view name : kind.subresources)
      resources.push_back(SubresourceOf(kind, name));
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", NameOf(gv)},
          {"resources", std::move(resources)}};
}

json::object GroupList() {
  json::array groups;
  for (const GroupVersion& gv : GroupVersions()) {
    if (gv.first.empty()) continue;
    const json::object version{{"groupVersion", NameOf(gv)}, {"version", gv.second}};
    groups.push_back(json::object{
        {"name", gv.first}, {"versions", json::array{version}}, {"preferredVersion", version}});
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

json::object ResponseKind(const Spoken& spoken) {
  return {{"group", spoken.group}, {"version", spoken.version}, {"kind", spoken.kind}};
}

json::object AggregatedResource(const Kind& kind) {
  json::array subresources;
  for (const std::string_view name : kind.subresources)
    subresources.push_back(json::object{{"subresource", name},
                                        {"responseKind", ResponseKind(SpokenBy(kind, name))},
                                        {"verbs", SubresourceVerbs(name)}});
  json::object resource{{"resource", kind.resource},
                        {"responseKind", ResponseKind({kind.group, kind.version, kind.kind})},
                        {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                        {"singularResource", kind.singular},
                        {"verbs", Verbs(kind)},
                        {"subresources", std::move(subresources)}};
  if (!kind.short_names.empty())
    resource["shortNames"] = json::array(kind.short_names.begin(), kind.short_names.end());
  if (kind.resource == "pods") resource["categories"] = json::array{"all"};
  return resource;
}

// All groups of /api, or of /apis, with their resources.
json::object AggregatedList(bool core) {
  json::array items;
  for (const GroupVersion& gv : GroupVersions()) {
    if (gv.first.empty() != core) continue;
    json::array resources;
    for (const Kind& kind : AllKinds()) {
      if (kind.group == gv.first) resources.push_back(AggregatedResource(kind));
    }
    json::object version{
        {"version", gv.second}, {"resources", std::move(resources)}, {"freshness", "Current"}};
    items.push_back(json::object{{"metadata", json::object{{"name", gv.first}}},
                                 {"versions", json::array{std::move(version)}}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", json::object()},
          {"items", std::move(items)}};
}

// kubectl looks here for one thing: whether the server itself checks fields.
json::object OpenApiOf(const GroupVersion& gv) {
  const json::object parameter{
      {"name", "fieldValidation"}, {"in", "query"}, {"schema", json::object{{"type", "string"}}}};
  json::object paths;
  for (const Kind& kind : AllKinds()) {
    if (kind.group != gv.first || kind.version != gv.second) continue;
    const std::string path = StrCat(PathOf(gv), kind.namespaced ? "/namespaces/{namespace}/" : "/",
                                    kind.resource, "/{name}");
    paths[path] = json::object{
        {"patch", json::object{{"parameters", json::array{parameter}},
                               {"responses", json::object()},
                               {"x-kubernetes-group-version-kind",
                                ResponseKind({kind.group, kind.version, kind.kind})}}}};
  }
  return {{"openapi", "3.0.0"},
          {"info", json::object{{"title", "Kubernetes"}, {"version", kServerVersion}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", json::object()}}}};
}

json::object OpenApiPaths() {
  json::object paths;
  for (const GroupVersion& gv : GroupVersions()) {
    const std::string path = PathOf(gv).substr(1);
    paths[path] = json::object{{"serverRelativeURL", StrCat("/openapi/v3/", path, "?hash=1")}};
  }
  return {{"paths", std::move(paths)}};
}

json::object Version() {
  return {{"major", "1"},          {"minor", "36"},           {"gitVersion", kServerVersion},
          {"gitCommit", ""},       {"gitTreeState", "clean"}, {"buildDate", "2026-01-01T00:00:00Z"},
          {"goVersion", "go1.26"}, {"compiler", "gc"},        {"platform", "linux/amd64"}};
}

ApiAnswer Json(const json::object& document) {
  ApiAnswer answer;
  answer.content_type = "application/json";
  answer.body = api::Serialize(document) + "\n";
  return answer;
}

ApiAnswer GroupsOf(const ApiRequest& request, bool core) {
  if (request.accept.find("v=v2;as=APIGroupDiscoveryList") != std::string::npos) {
    ApiAnswer answer = Json(AggregatedList(core));
    answer.content_type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    return answer;
  }
  if (!core) return Json(GroupList());
  return Json({{"kind", "APIVersions"},
               {"versions", json::array{"v1"}},
               {"serverAddressByClientCIDRs", json::array()}});
}

}  // namespace

std::optional<ApiAnswer> Discover(const ApiRequest& request) {
  if (request.method != "GET") return std::nullopt;
  const std::string& path = request.path;
  if (path == "/healthz" || path == "/livez" || path == "/readyz") {
    ApiAnswer answer;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = "ok";
    return answer;
  }
  if (path == "/version") return Json(Version());
  if (path == "/api" || path == "/apis") return GroupsOf(request, path == "/api");
  if (path == "/openapi/v3") return Json(OpenApiPaths());
  for (const GroupVersion& gv : GroupVersions()) {
    if (path == PathOf(gv)) return Json(ResourceList(gv));
    if (path == "/openapi/v3" + PathOf(gv)) return Json(OpenApiOf(gv));
  }
  return std::nullopt;
}

}  // namespace cubelet::fakes
