// Who a client certificate belongs to: authentication.x509.clientCAFile (node.md 17.2).
//
// The file is looked at before each verification and read again when it has changed; a content that
// cannot be used leaves the old authorities in force.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "certs/file_stamp.h"
#include "certs/openssl.h"

namespace cubelet::certs {

// Told of a changed file that cannot be used, once per content.
using ReloadProblem = std::function<void(const std::string& file, const absl::Status& why)>;

struct Identity {
  std::string user;                 // the common name
  std::vector<std::string> groups;  // the organizations
};

class ClientCa {
 public:
  // Error: the file cannot be read or holds no certificate; names the field.
  static absl::StatusOr<std::unique_ptr<ClientCa>> Load(std::string file, ReloadProblem problem);

  // Who presents `chain` (the client's certificate first). nullopt: the certificate is good but
  // names nobody (no common name). UNAUTHENTICATED: no authority here stands for it at `now`, it
  // has expired, or it is not for clients.
  absl::StatusOr<std::optional<Identity>> Verify(const std::vector<X509*>& chain, absl::Time now);

 private:
  ClientCa(std::string file, ReloadProblem problem)
      : file_(std::move(file)), problem_(std::move(problem)) {}
  absl::Status Read();
  void Refresh();

  const std::string file_;
  const ReloadProblem problem_;
  FileStamp stamp_;
  X509StorePtr store_;
};

}  // namespace cubelet::certs
