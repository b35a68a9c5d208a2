#include "certs/certificate_store.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "certs/key.h"
#include "os/files.h"

namespace cubelet::certs {
namespace {

absl::Status ExpectLink(const std::string& path) {
  ASSIGN_OR_RETURN(const struct stat info, os::Lstat(path));
  if (S_ISLNK(info.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("expected ", GoQuote(path), " to be a symlink but it is a file"));
}

absl::Status ExpectPair(X509* certificate, EVP_PKEY* key) {
  if (X509_check_private_key(certificate, key) == 1) return absl::OkStatus();
  ERR_clear_error();  // what OpenSSL has to say of it is said better here
  return absl::InvalidArgumentError("the certificate and the key do not belong together");
}

}  // namespace

std::string CertificateStore::CurrentPath() const {
  return os::JoinPath(directory_, StrCat(prefix_, "-current.pem"));
}

std::string CertificateStore::PendingPath() const {
  return os::JoinPath(directory_, StrCat(prefix_, ".key.tmp"));
}

// The Go kubelet switches in steps, with a second link between; it may have been ended in between.
absl::Status CertificateStore::FinishSwitch() const {
  const std::string updated = os::JoinPath(directory_, StrCat(prefix_, "-updated.pem"));
  ASSIGN_OR_RETURN(const bool have_current, os::Exists(CurrentPath()));
  ASSIGN_OR_RETURN(const bool have_updated, os::Exists(updated));
  if (have_current || !have_updated) return absl::OkStatus();
  RETURN_IF_ERROR(ExpectLink(updated));
  return os::Rename(updated, CurrentPath());
}

absl::StatusOr<std::optional<CertificateFacts>> CertificateStore::Current() const {
  RETURN_IF_ERROR(FinishSwitch());
  const std::string path = CurrentPath();
  ASSIGN_OR_RETURN(const bool exists, os::Exists(path));
  if (!exists) return std::nullopt;
  RETURN_IF_ERROR(ExpectLink(path));
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadCertificates(path));
  ASSIGN_OR_RETURN(const KeyPtr key, ReadPrivateKey(path));
  if (absl::Status pair = ExpectPair(chain.front().get(), key.get()); !pair.ok())
    return Annotate(pair, path);
  return FactsOf(chain.front().get());
}

absl::StatusOr<CertificateFacts> CertificateStore::Store(const std::string& certificates,
                                                         EVP_PKEY* key, absl::Time now) const {
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ParseCertificates(certificates));
  RETURN_IF_ERROR(ExpectPair(chain.front().get(), key));
  RETURN_IF_ERROR(FinishSwitch());
  ASSIGN_OR_RETURN(const bool replaces, os::Exists(CurrentPath()));
  if (replaces) RETURN_IF_ERROR(ExpectLink(CurrentPath()));
  ASSIGN_OR_RETURN(std::string pem, KeyToPem(key));
  const absl::Cleanup forget = [&] { WipeText(pem); };
  pem.insert(0, certificates.ends_with('\n') ? certificates : StrCat(certificates, "\n"));
  const std::string date = absl::FormatTime("%Y-%m-%d-%H-%M-%S", now, absl::UTCTimeZone());
  const std::string path = os::JoinPath(directory_, StrCat(prefix_, "-", date, ".pem"));
  RETURN_IF_ERROR(os::MakeDirectories(directory_, 0755));
  RETURN_IF_ERROR(os::WriteFileAtomic(path, pem, 0600));
  RETURN_IF_ERROR(os::SymlinkAtomic(path, CurrentPath()));
  return FactsOf(chain.front().get());
}

absl::StatusOr<KeyPtr> CertificateStore::PendingKey() const {
  absl::StatusOr<KeyPtr> key = ReadPrivateKey(PendingPath());
  if (key.ok()) return key;
  ASSIGN_OR_RETURN(key, NewEcKey());
  RETURN_IF_ERROR(os::MakeDirectories(directory_, 0755));
  RETURN_IF_ERROR(WriteKey(PendingPath(), key->get()));
  return key;
}

absl::Status CertificateStore::RemovePendingKey() const { return os::RemoveFile(PendingPath()); }

}  // namespace cubelet::certs
