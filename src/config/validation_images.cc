// Pulling and keeping images.
#include "base/clock.h"
#include "base/strings.h"
#include "config/validation.h"

namespace cubelet::config {
namespace {

constexpr char kPolicy[] = "imagePullCredentialsVerificationPolicy";
constexpr char kAllowlist[] = "preloadedImagesVerificationAllowlist";

// "registry.example.com/team/app" or ".../*": no tag, no digest, '*' only as the whole last part.
bool IsImagePattern(std::string_view pattern) {
  if (pattern.ends_with("/*")) pattern.remove_suffix(2);
  if (pattern.empty() || pattern.front() == '/' || pattern.back() == '/') return false;
  if (pattern.find("//") != pattern.npos) return false;
  if (pattern.find_first_of("*@ \t\n") != pattern.npos) return false;
  // A colon after the last slash is a tag; one before it is the registry's port.
  const size_t slash = pattern.rfind('/');
  return pattern.find(':', slash == pattern.npos ? 0 : slash) == pattern.npos;
}

void ValidateVerification(const KubeletConfiguration& config, const FeatureGates& gates,
                          Faults& faults) {
  const std::string& policy = config.imagepullcredentialsverificationpolicy();
  faults.AddIf(!policy.empty() && !gates.Enabled("KubeletEnsureSecretPulledImages"),
               StrCat(kPolicy, " ", GoQuote(policy),
                      " requires feature gate KubeletEnsureSecretPulledImages"));
  const auto& allowlist = config.preloadedimagesverificationallowlist();
  faults.AddIf(!allowlist.empty() && policy != "NeverVerifyAllowlistedImages",
               StrCat(kAllowlist, " can only be set when ", kPolicy,
                      " is \"NeverVerifyAllowlistedImages\""));
  for (const std::string& pattern : allowlist)
    faults.AddIf(!IsImagePattern(pattern),
                 StrCat(kAllowlist, " ", GoQuote(pattern),
                        " must be an image without tag and digest, at the end of which /* may "
                        "stand"));
}

}  // namespace

void ValidateImages(const KubeletConfiguration& config, const FeatureGates& gates, Faults& faults) {
  const int high = config.imagegchighthresholdpercent();
  const int low = config.imagegclowthresholdpercent();
  faults.AddIf(low >= high,
               StrCat(NameOf("imageGCLowThresholdPercent"), " ", low, " must be less than ",
                      NameOf("imageGCHighThresholdPercent"), " ", high));
  const absl::Duration most = ToDuration(config.imagemaximumgcage());
  const absl::Duration least = ToDuration(config.imageminimumgcage());
  faults.AddIf(most > absl::ZeroDuration() && most <= least,
               StrCat("imageMaximumGCAge ", FormatGoDuration(most), " must be greater than ",
                      NameOf("imageMinimumGCAge"), " ", FormatGoDuration(least)));
  faults.AddIf(config.serializeimagepulls() && config.maxparallelimagepulls() > 1,
               StrCat("maxParallelImagePulls ", config.maxparallelimagepulls(),
                      " must not be larger than 1 unless ", NameOf("serializeImagePulls"),
                      " is set to false"));
  ValidateVerification(config, gates, faults);
}

}  // namespace cubelet::config
