#include "certs/names.h"

#include "base/strings.h"

namespace cubelet::certs {

bool IsIp(const std::string& text) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(text.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

bool ContainsIp(const std::vector<std::string>& list, const std::string& ip) {
  ASN1_OCTET_STRING* const want = a2i_IPADDRESS(ip.c_str());
  bool found = want == nullptr;
  for (const std::string& text : list) {
    ASN1_OCTET_STRING* const have = a2i_IPADDRESS(text.c_str());
    found |= want != nullptr && have != nullptr && ASN1_OCTET_STRING_cmp(want, have) == 0;
    ASN1_OCTET_STRING_free(have);
  }
  ASN1_OCTET_STRING_free(want);
  return found;
}

absl::StatusOr<GeneralNamesPtr> MakeGeneralNames(const std::vector<std::string>& dns,
                                                 const std::vector<std::string>& ips) {
  GeneralNamesPtr names(GENERAL_NAMES_new());
  for (const std::string& name : dns) {
    GENERAL_NAME* const entry = GENERAL_NAME_new();
    ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    sk_GENERAL_NAME_push(names.get(), entry);
  }
  for (const std::string& ip : ips) {
    ASN1_OCTET_STRING* const address = a2i_IPADDRESS(ip.c_str());
    if (address == nullptr)
      return absl::InvalidArgumentError(StrCat(GoQuote(ip), " is not an IP address"));
    GENERAL_NAME* const entry = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(entry, GEN_IPADD, address);
    sk_GENERAL_NAME_push(names.get(), entry);
  }
  return names;
}

}  // namespace cubelet::certs
