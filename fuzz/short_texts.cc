// Texts of a few words: names, addresses, selectors, durations, and the values of flags. Where a
// text has a canonical form, that form reads as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "api/expansion.h"
#include "api/selectors.h"
#include "base/clock.h"
#include "base/strings.h"
#include "config/reserved.h"
#include "config/value_text.h"
#include "images/image_name.h"
#include "node/addresses.h"
#include "os/machine.h"
#include "probes/url.h"
#include "server/request.h"
#include "sources/url.h"

namespace cubelet {
namespace {

void Durations(std::string_view text) {
  absl::Duration duration, again;
  if (!ParseGoDuration(text, duration).ok()) return;
  if (!ParseGoDuration(FormatGoDuration(duration), again).ok() || again != duration) std::abort();
}

void Selectors(std::string_view text) {
  const auto selector = api::Selector::Parse(text);
  if (!selector.ok()) return;
  const auto again = api::Selector::Parse(selector->ToString());
  if (!again.ok() || again->ToString() != selector->ToString()) std::abort();
}

void Images(std::string_view text) {
  const auto tagged = images::WithDefaultTag(text);
  if (tagged.ok() && !images::ParseImageName(*tagged).ok()) std::abort();
}

void Addresses(std::string_view text) {
  if (const auto url = sources::ParseUrl(text); url.ok()) {
    (void)sources::HostHeader(*url);
    (void)sources::ResolveReference(*url, text);
  }
  (void)sources::RedactUrl(text);
  const probes::Url url = probes::MakeUrl("http", "10.0.0.1", "80", text);
  (void)url.Target();
  (void)probes::ResolveLocation(url, text);
  std::string path;
  server::Query query;
  (void)server::ParseTarget(text, &path, &query);
  (void)node::ParseNodeIp(text);
}

void FlagValues(std::string_view text) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  (void)config::ParseInt(text, kMin, kMax);
  (void)config::ParseDouble(text);
  (void)config::ParseList(text);
  (void)config::ParsePairs(text, '=');
  (void)config::ParseTaints(text);
  (void)config::ParseReservedMemory(text);
  (void)config::ParseVmodule(text);
  (void)config::ParseCpuSet(text);
}

}  // namespace
}  // namespace cubelet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cubelet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Durations(text);
  Selectors(text);
  Images(text);
  Addresses(text);
  FlagValues(text);
  (void)api::Expand(text, [](std::string_view name) {
    return name == "A" ? std::optional<std::string>("b") : std::nullopt;
  });
  (void)GoQuote(text);
  (void)os::ParseCpuList(text);
  (void)os::ParseKernelRelease(text);
  (void)os::ParseOsImage(text);
  return 0;
}
