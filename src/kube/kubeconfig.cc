#include "kube/kubeconfig.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "absl/strings/escaping.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"
#include "kube/server_address.h"
#include "os/files.h"

namespace cubelet::kube {
namespace {

namespace json = boost::json;

constexpr size_t kMaxKubeconfigBytes = 4 << 20;
constexpr std::string_view kExecGroup = "client.authentication.k8s.io/";
constexpr std::string_view kExecExtension = "client.authentication.k8s.io/exec";

// One object of the file, with its place in it for messages.
class Section {
 public:
  Section(const json::object* object, std::string place)
      : object_(object), place_(std::move(place)) {}

  std::string At(std::string_view field) const { return StrCat(place_, ".", field); }

  const json::value* Find(std::string_view field) const {
    const json::value* value = object_->if_contains(field);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  absl::Status Read(std::string_view field, std::string& out) const {
    const json::value* value = Find(field);
    if (value == nullptr) return absl::OkStatus();
    if (!value->is_string())
      return absl::InvalidArgumentError(StrCat(At(field), ": want a string"));
    out = std::string(value->get_string());
    return absl::OkStatus();
  }

  absl::Status Read(std::string_view field, bool& out) const {
    const json::value* value = Find(field);
    if (value == nullptr) return absl::OkStatus();
    if (!value->is_bool())
      return absl::InvalidArgumentError(StrCat(At(field), ": want true or false"));
    out = value->get_bool();
    return absl::OkStatus();
  }

  absl::Status Read(std::string_view field, std::vector<std::string>& out) const {
    const json::value* value = Find(field);
    if (value == nullptr) return absl::OkStatus();
    if (!value->is_array())
      return absl::InvalidArgumentError(StrCat(At(field), ": want a list of strings"));
    for (const json::value& item : value->get_array()) {
      if (!item.is_string())
        return absl::InvalidArgumentError(StrCat(At(field), ": want a list of strings"));
      out.emplace_back(item.get_string());
    }
    return absl::OkStatus();
  }

  // A member that is an object; nullopt when it is absent.
  absl::StatusOr<std::optional<Section>> Member(std::string_view field) const {
    const json::value* value = Find(field);
    if (value == nullptr) return std::nullopt;
    if (!value->is_object())
      return absl::InvalidArgumentError(StrCat(At(field), ": want an object"));
    return Section(&value->get_object(), At(field));
  }

  // The members of a list of objects.
  absl::StatusOr<std::vector<Section>> Members(std::string_view field) const {
    std::vector<Section> members;
    const json::value* value = Find(field);
    if (value == nullptr) return members;
    if (!value->is_array()) return absl::InvalidArgumentError(StrCat(At(field), ": want a list"));
    for (const json::value& item : value->get_array()) {
      const std::string place = StrCat(At(field), "[", members.size(), "]");
      if (!item.is_object()) return absl::InvalidArgumentError(StrCat(place, ": want an object"));
      members.emplace_back(&item.get_object(), place);
    }
    return members;
  }

 private:
  const json::object* object_;
  std::string place_;
};

// `member` of the entry called `name` in a list of {name, member} (clusters, users, contexts).
absl::StatusOr<Section> Named(const Section& file, std::string_view list, std::string_view member,
                              const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<Section> entries, file.Members(list));
  for (const Section& entry : entries) {
    std::string entry_name;
    RETURN_IF_ERROR(entry.Read("name", entry_name));
    if (entry_name != name) continue;
    ASSIGN_OR_RETURN(const std::optional<Section> found, entry.Member(member));
    if (!found.has_value())
      return absl::InvalidArgumentError(StrCat(entry.At(member), ": it is missing"));
    return *found;
  }
  return absl::InvalidArgumentError(
      StrCat(file.At(list), ": there is no ", member, " ", GoQuote(name)));
}

std::string Resolve(const std::string& path, const std::string& config_path) {
  if (path.empty() || path.front() == '/') return path;
  return os::JoinPath(os::DirectoryOf(config_path), path);
}

absl::Status ReadPem(const Section& section, const std::string& field,
                     const std::string& config_path, PemSource& out) {
  std::string encoded;
  RETURN_IF_ERROR(section.Read(StrCat(field, "-data"), encoded));
  RETURN_IF_ERROR(section.Read(field, out.file));
  out.file = Resolve(out.file, config_path);
  if (encoded.empty()) return absl::OkStatus();
  if (!absl::Base64Unescape(encoded, &out.data))
    return absl::InvalidArgumentError(StrCat(section.At(field), "-data: it is not base64"));
  out.file.clear();
  return absl::OkStatus();
}

absl::Status ReadCluster(const Section& cluster, const std::string& path, ClusterAccess& access) {
  RETURN_IF_ERROR(cluster.Read("server", access.server));
  if (absl::Status valid = ParseServerAddress(access.server).status(); !valid.ok())
    return Annotate(valid, cluster.At("server"));
  RETURN_IF_ERROR(ReadPem(cluster, "certificate-authority", path, access.authority));
  RETURN_IF_ERROR(cluster.Read("insecure-skip-tls-verify", access.insecure));
  RETURN_IF_ERROR(cluster.Read("tls-server-name", access.tls_server_name));
  RETURN_IF_ERROR(cluster.Read("proxy-url", access.proxy_url));
  RETURN_IF_ERROR(cluster.Read("disable-compression", access.disable_compression));
  if (access.insecure && !access.authority.empty())
    return absl::InvalidArgumentError(StrCat(cluster.At("insecure-skip-tls-verify"),
                                             ": it may not be true with a certificate-authority"));
  if (!access.proxy_url.empty()) {
    if (absl::Status valid = ParseProxyAddress(access.proxy_url).status(); !valid.ok())
      return Annotate(valid, cluster.At("proxy-url"));
  }
  return absl::OkStatus();
}

absl::Status ReadExec(const Section& exec, ExecConfig& out) {
  RETURN_IF_ERROR(exec.Read("apiVersion", out.api_version));
  RETURN_IF_ERROR(exec.Read("command", out.command));
  RETURN_IF_ERROR(exec.Read("args", out.arguments));
  RETURN_IF_ERROR(exec.Read("installHint", out.install_hint));
  RETURN_IF_ERROR(exec.Read("provideClusterInfo", out.provide_cluster_info));
  std::string interactive;
  RETURN_IF_ERROR(exec.Read("interactiveMode", interactive));
  ASSIGN_OR_RETURN(const std::vector<Section> variables, exec.Members("env"));
  for (const Section& variable : variables) {
    std::string name, value;
    RETURN_IF_ERROR(variable.Read("name", name));
    RETURN_IF_ERROR(variable.Read("value", value));
    if (name.empty() || name.find('=') != std::string::npos)
      return absl::InvalidArgumentError(StrCat(variable.At("name"), ": not a name of a variable"));
    out.environment.emplace_back(std::move(name), std::move(value));
  }
  if (out.command.empty())
    return absl::InvalidArgumentError(StrCat(exec.At("command"), ": it is missing"));
  const bool v1 = out.api_version == StrCat(kExecGroup, "v1");
  if (!v1 && out.api_version != StrCat(kExecGroup, "v1beta1"))
    return absl::InvalidArgumentError(StrCat(exec.At("apiVersion"), ": want ", kExecGroup,
                                             "v1 or v1beta1, got ", GoQuote(out.api_version)));
  if (interactive == "Always")
    return absl::InvalidArgumentError(
        StrCat(exec.At("interactiveMode"), ": Always cannot be, a kubelet has no terminal"));
  const bool known = interactive == "Never" || interactive == "IfAvailable";
  if (!known && (v1 || !interactive.empty()))
    return absl::InvalidArgumentError(StrCat(
        exec.At("interactiveMode"), ": want Never or IfAvailable, got ", GoQuote(interactive)));
  return absl::OkStatus();
}

absl::Status ReadImpersonation(const Section& user, Impersonation& out) {
  RETURN_IF_ERROR(user.Read("as", out.user));
  RETURN_IF_ERROR(user.Read("as-uid", out.uid));
  RETURN_IF_ERROR(user.Read("as-groups", out.groups));
  const json::value* extra = user.Find("as-user-extra");
  if (extra == nullptr) return absl::OkStatus();
  if (!extra->is_object())
    return absl::InvalidArgumentError(StrCat(user.At("as-user-extra"), ": want an object"));
  const Section section(&extra->get_object(), user.At("as-user-extra"));
  for (const auto& member : extra->get_object()) {
    const std::string key(member.key());
    std::vector<std::string> values;
    RETURN_IF_ERROR(section.Read(key, values));
    for (std::string& value : values) out.extra.emplace_back(key, std::move(value));
  }
  return absl::OkStatus();
}

absl::Status CheckMethods(const Section& user, const ClusterAccess& access) {
  if (user.Find("auth-provider") != nullptr)
    return absl::InvalidArgumentError(
        StrCat(user.At("auth-provider"), ": Kubernetes has removed it; use exec"));
  const bool has_token = !access.token.empty() || !access.token_file.empty();
  if (has_token && !access.username.empty())
    return absl::InvalidArgumentError(
        StrCat(user.At("username"), ": it may not be there together with a token"));
  if (access.client_certificate.empty() != access.client_key.empty())
    return absl::InvalidArgumentError(
        StrCat(user.At("client-certificate"), " and client-key: one is there without the other"));
  return absl::OkStatus();
}

absl::Status ReadUser(const Section& user, const std::string& path, ClusterAccess& access) {
  RETURN_IF_ERROR(ReadPem(user, "client-certificate", path, access.client_certificate));
  RETURN_IF_ERROR(ReadPem(user, "client-key", path, access.client_key));
  RETURN_IF_ERROR(user.Read("token", access.token));
  RETURN_IF_ERROR(user.Read("tokenFile", access.token_file));
  access.token_file = Resolve(access.token_file, path);
  RETURN_IF_ERROR(user.Read("username", access.username));
  RETURN_IF_ERROR(user.Read("password", access.password));
  RETURN_IF_ERROR(ReadImpersonation(user, access.impersonate));
  ASSIGN_OR_RETURN(const std::optional<Section> exec, user.Member("exec"));
  if (exec.has_value()) {
    RETURN_IF_ERROR(ReadExec(*exec, access.exec.emplace()));
    // A command with a slash is a path beside the file; without one it is looked up in PATH.
    if (access.exec->command.find('/') != std::string::npos)
      access.exec->command = Resolve(access.exec->command, path);
  }
  return CheckMethods(user, access);
}

// The part of a cluster's extensions that is meant for exec plugins.
absl::Status ReadExecExtension(const Section& cluster, ExecConfig& exec) {
  ASSIGN_OR_RETURN(const std::vector<Section> extensions, cluster.Members("extensions"));
  for (const Section& extension : extensions) {
    std::string name;
    RETURN_IF_ERROR(extension.Read("name", name));
    const json::value* value = extension.Find("extension");
    if (name == kExecExtension && value != nullptr) exec.cluster_config = *value;
  }
  return absl::OkStatus();
}

absl::StatusOr<ClusterAccess> ReadConfig(const json::value& value, const std::string& path) {
  if (!value.is_object()) return absl::InvalidArgumentError("it is not an object");
  const Section file(&value.get_object(), "");
  std::string current, cluster_name, user_name;
  RETURN_IF_ERROR(file.Read("current-context", current));
  if (current.empty()) return absl::InvalidArgumentError(".current-context: it is missing");
  ASSIGN_OR_RETURN(const Section context, Named(file, "contexts", "context", current));
  RETURN_IF_ERROR(context.Read("cluster", cluster_name));
  RETURN_IF_ERROR(context.Read("user", user_name));
  ASSIGN_OR_RETURN(const Section cluster, Named(file, "clusters", "cluster", cluster_name));
  ClusterAccess access;
  RETURN_IF_ERROR(ReadCluster(cluster, path, access));
  if (!user_name.empty()) {
    ASSIGN_OR_RETURN(const Section user, Named(file, "users", "user", user_name));
    RETURN_IF_ERROR(ReadUser(user, path, access));
  }
  if (access.exec.has_value()) RETURN_IF_ERROR(ReadExecExtension(cluster, *access.exec));
  return access;
}

}  // namespace

absl::StatusOr<ClusterAccess> ParseKubeconfig(std::string_view text, const std::string& path) {
  const std::string what = StrCat("kubeconfig ", path);
  const absl::StatusOr<json::value> value = api::ParseJsonOrYaml(text);
  if (!value.ok()) return Annotate(value.status(), what);
  absl::StatusOr<ClusterAccess> access = ReadConfig(*value, path);
  if (!access.ok()) return Annotate(access.status(), what);
  return access;
}

absl::StatusOr<ClusterAccess> LoadKubeconfig(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, os::ReadFile(path, kMaxKubeconfigBytes));
  return ParseKubeconfig(text, path);
}

}  // namespace cubelet::kube
