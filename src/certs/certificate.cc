#include "certs/certificate.h"

#include <arpa/inet.h>

#include <ctime>
#include <utility>

#include "certs/openssl.h"

namespace cubelet::certs {
namespace {

std::string Text(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, string);
  if (length < 0) return "";
  std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(length));
  OPENSSL_free(utf8);
  return text;
}

std::vector<std::string> Entries(const X509_NAME* name, int nid) {
  std::vector<std::string> entries;
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(name, nid, at)) {
    entries.push_back(Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
  }
  return entries;
}

// Go takes the last common name of several.
std::string CommonName(const X509_NAME* name) {
  std::vector<std::string> entries = Entries(name, NID_commonName);
  return entries.empty() ? "" : entries.back();
}

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string IpText(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int length = ASN1_STRING_length(address);
  if (length != 4 && length != 16) return "";
  inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

}  // namespace

Subject SubjectOf(const X509_NAME* name) {
  return {.common_name = CommonName(name), .organizations = Entries(name, NID_organizationName)};
}

CertificateFacts FactsOf(X509* certificate) {
  CertificateFacts facts;
  Subject subject = SubjectOf(X509_get_subject_name(certificate));
  facts.common_name = std::move(subject.common_name);
  facts.organizations = std::move(subject.organizations);
  facts.issuer_common_name = CommonName(X509_get_issuer_name(certificate));
  facts.not_before = ToTime(X509_get0_notBefore(certificate));
  facts.not_after = ToTime(X509_get0_notAfter(certificate));
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) facts.dns_names.push_back(Text(name->d.dNSName));
    if (name->type == GEN_IPADD) facts.ip_addresses.push_back(IpText(name->d.iPAddress));
  }
  return facts;
}

}  // namespace cubelet::certs
