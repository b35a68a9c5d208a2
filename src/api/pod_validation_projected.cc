// Volumes of what the API holds: downwardAPI, projected, and the items of secrets and config maps.
#include <set>
#include <string>

#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

constexpr int64_t kMinTokenSeconds = 10 * 60;
constexpr int64_t kMaxTokenSeconds = int64_t{1} << 32;

// Paths that the sources of one volume write to, each of which may be written once.
class WrittenPaths {
 public:
  WrittenPaths(const FieldPath& path, FieldErrors& errors) : path_(path), errors_(errors) {}

  // `shown` is what the fault names.
  void Add(const std::string& written, const std::string& shown) {
    if (!written.empty() && !seen_.insert(written).second)
      errors_.Invalid(path_, shown, "conflicting duplicate paths");
  }

 private:
  const FieldPath& path_;
  FieldErrors& errors_;
  std::set<std::string> seen_;
};

// A secret or config map: {localObjectReference, items}.
template <typename Projection>
void ValidateObjectProjection(const Projection& projection, const FieldPath& path,
                              WrittenPaths& written, FieldErrors& errors) {
  const std::string& name = projection.localobjectreference().name();
  if (name.empty()) errors.Required(path.Child("name"));
  for (int i = 0; i < projection.items_size(); ++i) {
    ValidateKeyToPath(projection.items(i), path.Child("items").Index(static_cast<size_t>(i)),
                      errors);
    written.Add(projection.items(i).path(), name);
  }
}

void ValidateToken(const v1::ServiceAccountTokenProjection& token, const FieldPath& path,
                   const FieldPath& volume, FieldErrors& errors) {
  const FieldPath expiration = path.Child("expirationSeconds");
  if (token.expirationseconds() < kMinTokenSeconds)
    errors.Invalid(expiration, token.expirationseconds(),
                   "may not specify a duration less than 10 minutes");
  if (token.expirationseconds() > kMaxTokenSeconds)
    errors.Invalid(expiration, token.expirationseconds(),
                   "may not specify a duration larger than 2^32 seconds");
  if (token.path().empty()) {
    errors.Required(volume.Child("path"));
  } else {
    ValidateUnreservedPath(token.path(), volume.Child("path"), errors);
  }
}

void ValidateTrustBundle(const v1::ClusterTrustBundleProjection& bundle, const FieldPath& path,
                         WrittenPaths& written, FieldErrors& errors) {
  if (bundle.has_name() && bundle.has_signername()) {
    errors.Invalid(path, bundle.name(), "only one of name and signerName may be used");
  } else if (bundle.has_name()) {
    if (bundle.name().empty()) errors.Required(path.Child("name"), "must be a valid object name");
    if (bundle.has_labelselector())
      errors.Invalid(path.Child("labelSelector"), bundle.name(),
                     "labelSelector must be unset if name is specified");
  } else if (bundle.has_signername()) {
    if (bundle.signername().empty())
      errors.Required(path.Child("signerName"), "must be a valid signer name");
    ValidateLabelSelector(bundle.labelselector(), path.Child("labelSelector"), errors);
  } else {
    errors.Required(path, "either name or signerName must be specified");
  }
  if (bundle.path().empty()) errors.Required(path.Child("path"));
  ValidateUnreservedPath(bundle.path(), path.Child("path"), errors);
  written.Add(bundle.path(), bundle.path());
}

int SourceCount(const v1::VolumeProjection& source) {
  return static_cast<int>(source.has_secret()) + source.has_downwardapi() + source.has_configmap() +
         source.has_serviceaccounttoken() + source.has_clustertrustbundle() +
         source.has_podcertificate();
}

}  // namespace

void ValidateKeyToPath(const v1::KeyToPath& item, const FieldPath& path, FieldErrors& errors) {
  if (item.key().empty()) errors.Required(path.Child("key"));
  if (item.path().empty()) errors.Required(path.Child("path"));
  ValidateUnreservedPath(item.path(), path.Child("path"), errors);
  ValidateMode(item.has_mode(), item.mode(), path.Child("mode"), errors);
}

void ValidateDownwardFile(const v1::DownwardAPIVolumeFile& file, const FieldPath& path,
                          FieldErrors& errors) {
  if (file.path().empty()) errors.Required(path.Child("path"));
  ValidateUnreservedPath(file.path(), path.Child("path"), errors);
  if (file.has_fieldref()) {
    ValidateFieldRef(file.fieldref(), true, path.Child("fieldRef"), errors);
    if (file.has_resourcefieldref())
      errors.Invalid(path, "resource",
                     "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (file.has_resourcefieldref()) {
    ValidateResourceFieldRef(file.resourcefieldref(), true, path.Child("resourceFieldRef"), errors);
  } else {
    errors.Required(path, "one of fieldRef and resourceFieldRef is required");
  }
  ValidateMode(file.has_mode(), file.mode(), path.Child("mode"), errors);
}

void ValidateProjected(const v1::ProjectedVolumeSource& projected, const FieldPath& path,
                       FieldErrors& errors) {
  ValidateMode(projected.has_defaultmode(), projected.defaultmode(), path.Child("defaultMode"),
               errors);
  WrittenPaths written(path, errors);
  for (int i = 0; i < projected.sources_size(); ++i) {
    const v1::VolumeProjection& source = projected.sources(i);
    const FieldPath source_path = path.Child("sources").Index(static_cast<size_t>(i));
    if (source.has_secret())
      ValidateObjectProjection(source.secret(), source_path.Child("secret"), written, errors);
    if (source.has_configmap())
      ValidateObjectProjection(source.configmap(), source_path.Child("configMap"), written, errors);
    for (const v1::DownwardAPIVolumeFile& file : source.downwardapi().items()) {
      ValidateDownwardFile(file, source_path.Child("downwardAPI"), errors);
      written.Add(file.path(), file.path());
    }
    if (source.has_serviceaccounttoken())
      ValidateToken(source.serviceaccounttoken(), source_path.Child("serviceAccountToken"), path,
                    errors);
    if (source.has_clustertrustbundle())
      ValidateTrustBundle(source.clustertrustbundle(), source_path.Child("clusterTrustBundle"),
                          written, errors);
    if (SourceCount(source) > 1)
      errors.Forbidden(source_path, "may not specify more than 1 volume type per source");
  }
}

}  // namespace cubelet::api::validation
