// Alternative names of certificates: host names and addresses. Built by hand and not from OpenSSL's
// text form: a name must not be able to bring further entries with it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/openssl.h"

namespace cubelet::certs {

bool IsIp(const std::string& text);

// Whether `ip` is among `list`. Two spellings of one IPv6 address are one address; what is no
// address is in every list.
bool ContainsIp(const std::vector<std::string>& list, const std::string& ip);

// Error: one of `ips` is no address.
absl::StatusOr<GeneralNamesPtr> MakeGeneralNames(const std::vector<std::string>& dns,
                                                 const std::vector<std::string>& ips);

}  // namespace cubelet::certs
