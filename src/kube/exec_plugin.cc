#include "kube/exec_plugin.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"
#include "os/process.h"

namespace cubelet::kube {
namespace {

namespace json = boost::json;

constexpr absl::Duration kPluginTimeout = absl::Minutes(1);
constexpr size_t kMaxPluginOutput = 1 << 20;
constexpr size_t kMaxPemBytes = 4 << 20;
constexpr size_t kMaxQuotedError = 256;
// New credentials are asked for a little before the old ones end, so that none ends on its way.
constexpr absl::Duration kExpiryMargin = absl::Seconds(10);

absl::Status ReadString(const json::object& object, std::string_view field, std::string& out) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || value->is_null()) return absl::OkStatus();
  if (!value->is_string())
    return absl::InvalidArgumentError(StrCat("status.", field, ": want a string"));
  out = std::string(value->get_string());
  return absl::OkStatus();
}

absl::StatusOr<ExecCredential> ReadStatus(const json::object& status) {
  ExecCredential credential;
  std::string expires;
  RETURN_IF_ERROR(ReadString(status, "token", credential.token));
  RETURN_IF_ERROR(ReadString(status, "clientCertificateData", credential.certificate));
  RETURN_IF_ERROR(ReadString(status, "clientKeyData", credential.key));
  RETURN_IF_ERROR(ReadString(status, "expirationTimestamp", expires));
  if (!expires.empty() &&
      !absl::ParseTime(absl::RFC3339_full, expires, &credential.expires, nullptr))
    return absl::InvalidArgumentError("status.expirationTimestamp: not a time");
  if (credential.certificate.empty() != credential.key.empty())
    return absl::InvalidArgumentError(
        "status: one of clientCertificateData and clientKeyData is there without the other");
  if (credential.token.empty() && credential.certificate.empty())
    return absl::InvalidArgumentError("status: there is neither a token nor a certificate");
  return credential;
}

std::string FirstLine(std::string_view text) {
  text = text.substr(0, std::min(text.find('\n'), kMaxQuotedError));
  return CleanUtf8(text);
}

// Runs on the pool.
absl::StatusOr<ExecCredential> RunPlugin(const ClusterAccess& access) {
  const ExecConfig& exec = *access.exec;
  std::string authority = access.authority.data;
  if (exec.provide_cluster_info && !access.authority.file.empty()) {
    ASSIGN_OR_RETURN(authority, os::ReadFile(access.authority.file, kMaxPemBytes));
  }
  os::ProcessRequest request;
  request.arguments = {exec.command};
  request.arguments.insert(request.arguments.end(), exec.arguments.begin(), exec.arguments.end());
  for (const auto& [name, value] : exec.environment)
    request.environment.push_back(StrCat(name, "=", value));
  request.environment.push_back(StrCat("KUBERNETES_EXEC_INFO=", ExecInfo(access, authority)));
  request.max_output_bytes = kMaxPluginOutput;
  request.timeout = kPluginTimeout;
  const absl::StatusOr<os::ProcessResult> result = os::RunProcess(request);
  if (!result.ok())
    return exec.install_hint.empty()
               ? result.status()
               : absl::Status(result.status().code(),
                              StrCat(Message(result.status()), " (", exec.install_hint, ")"));
  if (!result->ok())
    return absl::UnavailableError(
        StrCat(result->Describe(), ": ", FirstLine(result->error_output)));
  return ParseExecCredential(result->output, exec.api_version);
}

}  // namespace

absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view output,
                                                   std::string_view api_version) {
  const absl::StatusOr<json::value> value = api::ParseJson(output, {.max_bytes = kMaxPluginOutput});
  // The text may hold a token, so that nothing of it may be repeated.
  if (!value.ok() || !value->is_object())
    return absl::InvalidArgumentError("its output is no JSON object");
  const json::object& object = value->get_object();
  const auto is = [&](std::string_view field, std::string_view want) {
    const json::value* found = object.if_contains(field);
    return found != nullptr && found->is_string() && std::string_view(found->get_string()) == want;
  };
  if (!is("kind", "ExecCredential") || !is("apiVersion", api_version))
    return absl::InvalidArgumentError(StrCat("its output is no ExecCredential of ", api_version));
  const json::value* status = object.if_contains("status");
  if (status == nullptr || !status->is_object())
    return absl::InvalidArgumentError("its output has no status");
  return ReadStatus(status->get_object());
}

std::string ExecInfo(const ClusterAccess& access, std::string_view authority) {
  json::object spec;
  if (access.exec->provide_cluster_info) {
    json::object cluster;
    cluster["server"] = access.server;
    if (!access.tls_server_name.empty()) cluster["tls-server-name"] = access.tls_server_name;
    if (access.insecure) cluster["insecure-skip-tls-verify"] = true;
    if (!authority.empty())
      cluster["certificate-authority-data"] = absl::Base64Escape(ToAbsl(authority));
    if (!access.proxy_url.empty()) cluster["proxy-url"] = access.proxy_url;
    cluster["config"] = access.exec->cluster_config;
    spec["cluster"] = std::move(cluster);
  }
  spec["interactive"] = false;
  json::object info;
  info["kind"] = "ExecCredential";
  info["apiVersion"] = access.exec->api_version;
  info["spec"] = std::move(spec);
  return json::serialize(info);
}

ExecPlugin::ExecPlugin(async::Loop& loop, ClusterAccess access,
                       std::function<void()> certificate_changed)
    : loop_(loop),
      access_(std::move(access)),
      certificate_changed_(std::move(certificate_changed)),
      running_(loop, 1) {}

bool ExecPlugin::Fresh() const { return loop_.Now() < credential_.expires - kExpiryMargin; }

async::Task<absl::StatusOr<ExecCredential>> ExecPlugin::Get() {
  if (Fresh()) co_return credential_;
  const async::Semaphore::Permit permit = co_await running_.Acquire();
  if (Fresh()) co_return credential_;
  co_return co_await Ask();
}

async::Task<absl::StatusOr<ExecCredential>> ExecPlugin::Ask() {
  auto run = [access = access_] { return RunPlugin(access); };
  absl::StatusOr<ExecCredential> given = co_await loop_.Blocking(std::move(run));
  if (!given.ok())
    co_return Annotate(given.status(), StrCat("exec plugin ", access_.exec->command));
  const bool changed = !credential_.certificate.empty() || !credential_.token.empty()
                           ? credential_.certificate != given->certificate
                           : false;
  credential_ = *given;
  if (changed) certificate_changed_();
  co_return given;
}

}  // namespace cubelet::kube
