#include "kube/credentials.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "os/files.h"

namespace cubelet::kube {
namespace {

constexpr size_t kMaxTokenBytes = 1 << 20;

// Extra keys may hold any character; header names may not (RFC 3986 escapes, as client-go has it).
std::string EscapeHeaderKey(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || std::string_view("-._~!$&'*+").find(c) != key.npos) {
      escaped += absl::ascii_tolower(byte);
    } else {
      StrAppend(&escaped, "%", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return escaped;
}

void AddImpersonation(const Impersonation& as, Headers& headers) {
  if (!as.user.empty()) headers.emplace_back("impersonate-user", as.user);
  if (!as.uid.empty()) headers.emplace_back("impersonate-uid", as.uid);
  for (const std::string& group : as.groups) headers.emplace_back("impersonate-group", group);
  for (const auto& [key, value] : as.extra)
    headers.emplace_back(StrCat("impersonate-extra-", EscapeHeaderKey(key)), value);
}

}  // namespace

Credentials::Credentials(async::Loop& loop, ClusterAccess access,
                         std::function<void()> certificate_changed)
    : loop_(loop), access_(std::move(access)) {
  if (access_.exec.has_value())
    exec_ = std::make_unique<ExecPlugin>(loop_, access_, std::move(certificate_changed));
}

absl::Status Credentials::ReadTokenFile() {
  ASSIGN_OR_RETURN(const struct stat info, os::Stat(access_.token_file));
  const Stamp stamp{info.st_ino, info.st_size,
                    info.st_ctim.tv_sec * int64_t{1000000000} + info.st_ctim.tv_nsec};
  if (stamp == file_stamp_ && !file_token_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, os::ReadFile(access_.token_file, kMaxTokenBytes));
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (token.empty())
    return absl::InvalidArgumentError(StrCat("token file ", access_.token_file, ": it is empty"));
  file_token_ = std::string(token);
  file_stamp_ = stamp;
  return absl::OkStatus();
}

async::Task<absl::StatusOr<Headers>> Credentials::ForRequest() {
  std::string token = access_.token;
  if (!access_.token_file.empty()) {
    const absl::Status read = ReadTokenFile();
    if (!file_token_.empty()) token = file_token_;
    if (!read.ok() && token.empty()) co_return read;
  }
  if (exec_ != nullptr) {
    auto given = co_await exec_->Get();
    if (!given.ok()) co_return given.status();
    if (!given->token.empty()) token = given->token;
  }
  Headers headers;
  if (!token.empty()) {
    headers.emplace_back("authorization", StrCat("Bearer ", token));
  } else if (!access_.username.empty()) {
    const std::string pair = StrCat(access_.username, ":", access_.password);
    headers.emplace_back("authorization", StrCat("Basic ", absl::Base64Escape(pair)));
  }
  AddImpersonation(access_.impersonate, headers);
  co_return headers;
}

async::Task<absl::StatusOr<Credentials::Certificate>> Credentials::ForConnection() {
  if (exec_ != nullptr) {
    auto given = co_await exec_->Get();
    if (!given.ok()) co_return given.status();
    if (!given->certificate.empty()) {
      Certificate certificate;
      certificate.certificate.data = given->certificate;
      certificate.key.data = given->key;
      co_return certificate;
    }
  }
  co_return Certificate{access_.client_certificate, access_.client_key};
}

void Credentials::Refused() {
  file_stamp_ = {};
  if (exec_ != nullptr) exec_->Refused();
}

}  // namespace cubelet::kube
