#include "containers/dns.h"

#include <algorithm>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "api/pod.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::containers {
namespace {

constexpr size_t kMaxNameservers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxSearchBytes = 253;
constexpr size_t kMaxSearchLineBytes = 2048;
constexpr size_t kClusterSearches = 3;  // that a cluster domain adds

using Strings = std::vector<std::string>;

std::string_view OptionName(std::string_view option) { return option.substr(0, option.find(':')); }

std::string_view Whole(std::string_view item) { return item; }

// Adds items to a list in which each key stands once: later ones are left out, or with `replace`
// take the place of the earlier.
template <typename Items>
void AddByKey(const Items& items, std::string_view (*key_of)(std::string_view), bool replace,
              Strings* list) {
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i = 0; i < list->size(); ++i) places.emplace(key_of((*list)[i]), i);
  for (const std::string& item : items) {
    const auto [place, added] = places.emplace(key_of(item), list->size());
    if (added)
      list->push_back(item);
    else if (replace)
      (*list)[place->second] = item;
  }
}

template <typename Items>
void AddNew(const Items& items, Strings* list) {
  AddByKey(items, Whole, false, list);
}

void MergeOptions(const Strings& options, Strings* list) {
  AddByKey(options, OptionName, true, list);
}

Strings SearchesOf(std::span<const std::string> words) {
  Strings searches;
  for (std::string_view word : words) {
    if (word == ".") continue;
    if (word.ends_with('.')) word.remove_suffix(1);
    searches.emplace_back(word);
  }
  return searches;
}

// ---- Policies

enum class Policy { kNone, kCluster, kHost };

Policy PolicyOf(const v1::Pod& pod) {
  const std::string& policy = pod.spec().dnspolicy();
  if (policy == "None") return Policy::kNone;
  if (policy == "Default") return Policy::kHost;
  if (policy == "ClusterFirst" && pod.spec().hostnetwork()) return Policy::kHost;
  return Policy::kCluster;
}

ResolvConf HostConfig(const NodeContext& node, const std::optional<ResolvConf>& host) {
  if (host) return *host;
  // Without a host's file pods get none either: a server that does not answer keeps the runtime
  // from putting in its own.
  ResolvConf config{.searches = {"."}};
  for (const std::string& ip : node.host_ips)
    config.nameservers.push_back(ip.find(':') == std::string::npos ? "127.0.0.1" : "::1");
  if (config.nameservers.empty()) config.nameservers.push_back("127.0.0.1");
  return config;
}

ResolvConf ClusterConfig(const v1::Pod& pod, const NodeContext& node,
                         const std::optional<ResolvConf>& host) {
  ResolvConf config{.nameservers = node.cluster_dns, .options = {"ndots:5"}};
  if (!node.cluster_domain.empty())
    config.searches = {StrCat(pod.metadata().namespace_(), ".svc.", node.cluster_domain),
                       StrCat("svc.", node.cluster_domain), node.cluster_domain};
  if (host) AddNew(host->searches, &config.searches);
  return config;
}

void WarnNoClusterDns(const v1::Pod& pod, std::vector<Warning>* warnings) {
  const std::string text =
      "kubelet does not have ClusterDNS IP configured and cannot create Pod using "
      "\"ClusterFirst\" policy. Falling back to \"Default\" policy.";
  warnings->push_back({.reason = "MissingClusterDNS", .message = text, .about_node = true});
  warnings->push_back({.reason = "MissingClusterDNS",
                       .message = StrCat("pod: ", GoQuote(api::FormatPod(pod)), ". ", text)});
}

ResolvConf ConfigOf(const v1::Pod& pod, const NodeContext& node,
                    const std::optional<ResolvConf>& host, std::vector<Warning>* warnings) {
  const Policy policy = PolicyOf(pod);
  if (policy == Policy::kNone) return {};
  if (policy == Policy::kHost) return HostConfig(node, host);
  if (!node.cluster_dns.empty()) return ClusterConfig(pod, node, host);
  WarnNoClusterDns(pod, warnings);
  return HostConfig(node, host);
}

void Merge(const v1::PodDNSConfig& wanted, ResolvConf* config) {
  AddNew(wanted.nameservers(), &config->nameservers);
  AddNew(wanted.searches(), &config->searches);
  Strings options;
  for (const v1::PodDNSConfigOption& option : wanted.options())
    options.push_back(option.value().empty() ? option.name()
                                             : StrCat(option.name(), ":", option.value()));
  MergeOptions(options, &config->options);
}

// ---- Limits

void LimitNameservers(Strings* servers, std::vector<Warning>* warnings) {
  if (servers->size() <= kMaxNameservers) return;
  servers->resize(kMaxNameservers);
  warnings->push_back(
      {.reason = "DNSConfigForming",
       .message = StrCat("Nameserver limits were exceeded, some nameservers have been omitted, the "
                         "applied nameserver line is: ",
                         absl::StrJoin(*servers, " "))});
}

void LimitSearches(Strings* searches, std::vector<Warning>* warnings) {
  const size_t given = searches->size();
  if (searches->size() > kMaxSearches) searches->resize(kMaxSearches);
  std::erase_if(*searches, [](const std::string& s) { return s.size() > kMaxSearchBytes; });
  while (absl::StrJoin(*searches, " ").size() > kMaxSearchLineBytes) searches->pop_back();
  if (searches->size() == given) return;
  warnings->push_back(
      {.reason = "DNSConfigForming",
       .message = StrCat("Search Line limits were exceeded, some search paths have been omitted, "
                         "the applied search line is: ",
                         absl::StrJoin(*searches, " "))});
}

}  // namespace

absl::StatusOr<ResolvConf> ParseResolvConf(std::string_view text) {
  if (text.size() > kMaxResolvConfBytes)
    return absl::InvalidArgumentError(
        StrCat("resolv.conf is larger than ", kMaxResolvConfBytes, " bytes"));
  ResolvConf config;
  Strings options;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    ++number;
    const Strings words = absl::StrSplit(line, absl::ByAnyChar(" \t\r\v\f"), absl::SkipEmpty());
    if (words.empty() || words[0].starts_with('#')) continue;
    const std::span<const std::string> values = std::span(words).subspan(1);
    if (words[0] == "nameserver") {
      if (values.empty())
        return absl::InvalidArgumentError(
            StrCat("resolv.conf line ", number, ": nameserver without an address"));
      config.nameservers.push_back(values[0]);
    } else if (words[0] == "search") {
      config.searches = SearchesOf(values);
    } else if (words[0] == "options") {
      options.insert(options.end(), values.begin(), values.end());
    }
  }
  MergeOptions(options, &config.options);
  return config;
}

criv1::DNSConfig MakeDnsConfig(const v1::Pod& pod, const NodeContext& node,
                               const std::optional<ResolvConf>& host,
                               std::vector<Warning>* warnings) {
  ResolvConf config = ConfigOf(pod, node, host, warnings);
  if (pod.spec().has_dnsconfig()) Merge(pod.spec().dnsconfig(), &config);
  LimitNameservers(&config.nameservers, warnings);
  LimitSearches(&config.searches, warnings);

  criv1::DNSConfig dns;
  dns.mutable_servers()->Assign(config.nameservers.begin(), config.nameservers.end());
  dns.mutable_searches()->Assign(config.searches.begin(), config.searches.end());
  dns.mutable_options()->Assign(config.options.begin(), config.options.end());
  return dns;
}

std::optional<Warning> CheckHostResolvConf(std::string_view path, std::string_view text,
                                           const NodeContext& node) {
  const auto warning = [](std::string message) {
    return Warning{
        .reason = "CheckLimitsForResolvConf", .message = std::move(message), .about_node = true};
  };
  const absl::StatusOr<ResolvConf> config = ParseResolvConf(text);
  if (!config.ok()) return warning(std::string(Message(config.status())));
  const Strings& searches = config->searches;
  const size_t max_searches =
      node.cluster_domain.empty() ? kMaxSearches : kMaxSearches - kClusterSearches;
  if (searches.size() > max_searches)
    return warning(StrCat("Resolv.conf file '", path,
                          "' contains search line consisting of more than ", max_searches,
                          " domains!"));
  if (std::any_of(searches.begin(), searches.end(),
                  [](const std::string& s) { return s.size() > kMaxSearchBytes; }))
    return warning(StrCat("Resolv.conf file ", GoQuote(path),
                          " contains a search path which length is more than allowed ",
                          kMaxSearchBytes, " chars!"));
  if (absl::StrJoin(searches, " ").size() > kMaxSearchLineBytes)
    return warning(StrCat("Resolv.conf file '", path,
                          "' contains search line which length is more than allowed ",
                          kMaxSearchLineBytes, " chars!"));
  return std::nullopt;
}

}  // namespace cubelet::containers
