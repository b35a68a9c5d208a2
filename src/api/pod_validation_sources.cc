// The source of a volume: exactly one, and the fields of each kind.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "api/pod_validation.h"
#include "api/quantity.h"
#include "re2/re2.h"

namespace cubelet::api::validation {
namespace {

constexpr size_t kMaxDriverBytes = 63;
constexpr size_t kMaxIscsiBytes = 64;
constexpr size_t kMaxTenantBytes = 64;

void Require(const std::string& value, const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) errors.Required(path);
}

template <typename Source>
void RequireSecretName(const Source& source, const FieldPath& path, FieldErrors& errors) {
  if (source.has_secretref())
    Require(source.secretref().name(), path.Child("secretRef").Child("name"), errors);
}

void ValidateRange(int64_t value, int64_t low, int64_t high, int64_t told_low,
                   const FieldPath& path, FieldErrors& errors) {
  if (value < low || value > high) errors.Invalid(path, value, RangeFault(told_low, high));
}

void ValidateEmptyDir(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::EmptyDirVolumeSource& dir = source.emptydir();
  if (dir.has_sizelimit() && Quantity::ParseOrZero(dir.sizelimit().string()).Sign() < 0)
    errors.Forbidden(path.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

void ValidateHostPath(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::HostPathVolumeSource& host = source.hostpath();
  if (host.path().empty()) return errors.Required(path.Child("path"));
  ValidateNoParents(host.path(), path.Child("path"), errors);
  static const std::vector<std::string_view> kTypes = {
      "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
      "File", "FileOrCreate", "Socket"};
  if (host.has_type() && std::find(kTypes.begin(), kTypes.end(), host.type()) == kTypes.end())
    errors.NotSupported(path.Child("type"), host.type(), kTypes);
}

void ValidateGitRepo(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.gitrepo().repository(), path.Child("repository"), errors);
  ValidateRelativePath(source.gitrepo().directory(), path.Child("directory"), errors);
}

void ValidateGce(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.gcepersistentdisk().pdname(), path.Child("pdName"), errors);
  ValidateRange(source.gcepersistentdisk().partition(), 0, 255, 1, path.Child("partition"), errors);
}

void ValidateAws(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.awselasticblockstore().volumeid(), path.Child("volumeID"), errors);
  ValidateRange(source.awselasticblockstore().partition(), 0, 255, 1, path.Child("partition"),
                errors);
}

template <typename Source>
void ValidateModeAndItems(const Source& source, const FieldPath& path, FieldErrors& errors) {
  ValidateMode(source.has_defaultmode(), source.defaultmode(), path.Child("defaultMode"), errors);
  for (int i = 0; i < source.items_size(); ++i)
    ValidateKeyToPath(source.items(i), path.Child("items").Index(static_cast<size_t>(i)), errors);
}

void ValidateSecret(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.secret().secretname(), path.Child("secretName"), errors);
  ValidateModeAndItems(source.secret(), path, errors);
}

void ValidateConfigMap(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.configmap().localobjectreference().name(), path.Child("name"), errors);
  ValidateModeAndItems(source.configmap(), path, errors);
}

void ValidateNfs(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::NFSVolumeSource& nfs = source.nfs();
  Require(nfs.server(), path.Child("server"), errors);
  Require(nfs.path(), path.Child("path"), errors);
  if (!nfs.path().starts_with('/'))
    errors.Invalid(path.Child("path"), nfs.path(), "must be an absolute path");
}

void ValidateIscsiName(const std::string& name, const FieldPath& path, FieldErrors& errors) {
  const std::string kind = name.substr(0, 3);
  if (kind != "iqn" && kind != "eui" && kind != "naa")
    return errors.Invalid(path, name, "must be valid format starting with iqn, eui, or naa");
  const bool valid =
      kind == "iqn"
          ? re2::RE2::PartialMatch(name, R"(iqn\.\d{4}-\d{2}\.([[:alnum:].-]+)(:[^,;*&$|\s]+)$)")
      : kind == "eui" ? re2::RE2::FullMatch(name, "eui.[[:alnum:]]{16}")
                      : re2::RE2::FullMatch(name, "naa.[[:alnum:]]{32}");
  if (!valid) errors.Invalid(path, name, "must be valid format");
}

void ValidateIscsi(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::ISCSIVolumeSource& iscsi = source.iscsi();
  Require(iscsi.targetportal(), path.Child("targetPortal"), errors);
  if (iscsi.iqn().empty()) {
    errors.Required(path.Child("iqn"));
  } else {
    ValidateIscsiName(iscsi.iqn(), path.Child("iqn"), errors);
  }
  ValidateRange(iscsi.lun(), 0, 255, 0, path.Child("lun"), errors);
  if ((iscsi.chapauthdiscovery() || iscsi.chapauthsession()) && !iscsi.has_secretref())
    errors.Required(path.Child("secretRef"));
  if (iscsi.has_initiatorname())
    ValidateIscsiName(iscsi.initiatorname(), path.Child("initiatorname"), errors);
}

void ValidateGlusterfs(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.glusterfs().endpoints(), path.Child("endpoints"), errors);
  Require(source.glusterfs().path(), path.Child("path"), errors);
}

void ValidateFlocker(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::FlockerVolumeSource& flocker = source.flocker();
  if (flocker.datasetname().empty() && flocker.datasetuuid().empty())
    errors.Required(path, "one of datasetName and datasetUUID is required");
  if (!flocker.datasetname().empty() && !flocker.datasetuuid().empty())
    errors.Invalid(path, "resource",
                   "datasetName and datasetUUID can not be specified simultaneously");
  if (flocker.datasetname().find('/') != std::string::npos)
    errors.Invalid(path.Child("datasetName"), flocker.datasetname(), "must not contain '/'");
}

void ValidateClaim(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.persistentvolumeclaim().claimname(), path.Child("claimName"), errors);
}

void ValidateRbd(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  if (source.rbd().monitors().empty()) errors.Required(path.Child("monitors"));
  Require(source.rbd().image(), path.Child("image"), errors);
}

void ValidateCinder(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.cinder().volumeid(), path.Child("volumeID"), errors);
  RequireSecretName(source.cinder(), path, errors);
}

void ValidateCephFs(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  if (source.cephfs().monitors().empty()) errors.Required(path.Child("monitors"));
}

// host:port; an IPv6 host stands in brackets.
bool IsHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.starts_with('['))
    return host.ends_with(']') && host.find_first_of("[]", 1) == host.size() - 1;
  return host.find_first_of(":[]") == std::string_view::npos &&
         text.find_first_of("[]", colon) == std::string_view::npos;
}

void ValidateQuobyte(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::QuobyteVolumeSource& quobyte = source.quobyte();
  constexpr char kRegistry[] = "must be a host:port pair or multiple pairs separated by commas";
  if (quobyte.registry().empty()) {
    errors.Required(path.Child("registry"), kRegistry);
  } else if (quobyte.tenant().size() > kMaxTenantBytes) {
    errors.Required(path.Child("tenant"),
                    "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (const absl::string_view pair : absl::StrSplit(quobyte.registry(), ',')) {
      if (!IsHostPort(ToStd(pair)))
        errors.Invalid(path.Child("registry"), quobyte.registry(), kRegistry);
    }
  }
  Require(quobyte.volume(), path.Child("volume"), errors);
}

void ValidateDownward(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::DownwardAPIVolumeSource& downward = source.downwardapi();
  ValidateMode(downward.has_defaultmode(), downward.defaultmode(), path.Child("defaultMode"),
               errors);
  for (const v1::DownwardAPIVolumeFile& file : downward.items())
    ValidateDownwardFile(file, path, errors);
}

void ValidateFc(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::FCVolumeSource& fc = source.fc();
  const FieldPath names = path.Child("targetWWNs");
  if (fc.targetwwns().empty() && fc.wwids().empty())
    errors.Required(names, "must specify either targetWWNs or wwids, but not both");
  if (!fc.targetwwns().empty() && !fc.wwids().empty())
    errors.Invalid(names, fc.targetwwns(0),
                   "targetWWNs and wwids can not be specified simultaneously");
  if (fc.targetwwns().empty()) return;
  if (!fc.has_lun()) {
    errors.Required(path.Child("lun"), "lun is required if targetWWNs is specified");
  } else {
    ValidateRange(fc.lun(), 0, 255, 0, path.Child("lun"), errors);
  }
}

void ValidateFlex(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.flexvolume().driver(), path.Child("driver"), errors);
  for (const auto& [key, value] : source.flexvolume().options()) {
    const std::string domain = "." + absl::AsciiStrToLower(key.substr(0, key.find('/')));
    if (domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io"))
      errors.Invalid(path.Child("options").Key(key), key,
                     "kubernetes.io and k8s.io namespaces are reserved");
  }
}

void ValidateAzureFile(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.azurefile().secretname(), path.Child("secretName"), errors);
  Require(source.azurefile().sharename(), path.Child("shareName"), errors);
}

void ValidateVsphere(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.vspherevolume().volumepath(), path.Child("volumePath"), errors);
}

void ValidatePhoton(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.photonpersistentdisk().pdid(), path.Child("pdID"), errors);
}

void ValidatePortworx(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.portworxvolume().volumeid(), path.Child("volumeID"), errors);
}

void ValidateAzureDisk(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::AzureDiskVolumeSource& disk = source.azuredisk();
  Require(disk.diskname(), path.Child("diskName"), errors);
  Require(disk.diskuri(), path.Child("diskURI"), errors);
  const std::string& caching = disk.cachingmode();
  if (disk.has_cachingmode() && caching != "None" && caching != "ReadOnly" &&
      caching != "ReadWrite")
    errors.NotSupported(path.Child("cachingMode"), caching, {"None", "ReadOnly", "ReadWrite"});
  if (!disk.has_kind()) return;
  if (disk.kind() != "Shared" && disk.kind() != "Dedicated" && disk.kind() != "Managed")
    errors.NotSupported(path.Child("kind"), disk.kind(), {"Dedicated", "Managed", "Shared"});
  const bool managed = disk.kind() == "Managed";
  if (managed && !disk.diskuri().starts_with("/subscriptions/"))
    errors.NotSupported(path.Child("diskURI"), disk.diskuri(),
                        {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
                         "microsoft.compute/disks/{disk-id}"});
  if (!managed && !disk.diskuri().starts_with("https://"))
    errors.NotSupported(
        path.Child("diskURI"), disk.diskuri(),
        {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
}

void ValidateStorageOs(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::StorageOSVolumeSource& storage = source.storageos();
  if (storage.volumename().empty()) {
    errors.Required(path.Child("volumeName"));
  } else {
    errors.InvalidFor(path.Child("volumeName"), storage.volumename(),
                      Dns1123LabelFaults(storage.volumename()));
  }
  if (!storage.volumenamespace().empty())
    errors.InvalidFor(path.Child("volumeNamespace"), storage.volumenamespace(),
                      Dns1123LabelFaults(storage.volumenamespace()));
  RequireSecretName(storage, path, errors);
}

void ValidateProjectedSource(const v1::VolumeSource& source, const FieldPath& path,
                             FieldErrors& errors) {
  ValidateProjected(source.projected(), path, errors);
}

void ValidateScaleIo(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.scaleio().gateway(), path.Child("gateway"), errors);
  Require(source.scaleio().system(), path.Child("system"), errors);
  Require(source.scaleio().volumename(), path.Child("volumeName"), errors);
}

void ValidateCsi(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const v1::CSIVolumeSource& csi = source.csi();
  const FieldPath driver = path.Child("driver");
  if (csi.driver().empty()) errors.Required(driver);
  if (csi.driver().size() > kMaxDriverBytes) errors.TooLong(driver, kMaxDriverBytes);
  errors.InvalidFor(driver, csi.driver(),
                    Dns1123SubdomainFaults(absl::AsciiStrToLower(csi.driver())));
  if (!csi.has_nodepublishsecretref()) return;
  const std::string& secret = csi.nodepublishsecretref().name();
  if (secret.empty()) {
    errors.Required(path.Child("nodePublishSecretRef").Child("name"));
  } else {
    errors.InvalidFor(path.Child("name"), secret, Dns1123SubdomainFaults(secret));
  }
}

void ValidateEphemeral(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  const FieldPath claim_path = path.Child("volumeClaimTemplate");
  if (!source.ephemeral().has_volumeclaimtemplate()) return errors.Required(claim_path);
  const v1::PersistentVolumeClaimSpec& claim = source.ephemeral().volumeclaimtemplate().spec();
  const FieldPath modes = claim_path.Child("spec").Child("accessModes");
  if (claim.accessmodes().empty()) errors.Required(modes, "at least 1 access mode is required");
  for (const std::string& mode : claim.accessmodes()) {
    if (mode != "ReadOnlyMany" && mode != "ReadWriteMany" && mode != "ReadWriteOnce" &&
        mode != "ReadWriteOncePod")
      errors.NotSupported(modes, mode,
                          {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
  }
  if (!claim.resources().requests().contains("storage"))
    errors.Required(claim_path.Child("spec").Child("resources").Key("storage"));
}

void ValidateImage(const v1::VolumeSource& source, const FieldPath& path, FieldErrors& errors) {
  Require(source.image().reference(), path.Child("reference"), errors);
  const std::string& policy = source.image().pullpolicy();
  if (policy.empty()) {
    errors.Required(path.Child("pullPolicy"));
  } else if (policy != "Always" && policy != "IfNotPresent" && policy != "Never") {
    errors.NotSupported(path.Child("pullPolicy"), policy, {"Always", "IfNotPresent", "Never"});
  }
}

struct SourceKind {
  const char* name;
  bool (v1::VolumeSource::*has)() const;
  void (*validate)(const v1::VolumeSource&, const FieldPath&, FieldErrors&);
  const char* path = nullptr;  // of its fields in messages, where that is not the name
};

using Source = v1::VolumeSource;
// In the order in which the API server looks: the first that is there is checked, further ones are
// too many.
const SourceKind kSourceKinds[] = {
    {"emptyDir", &Source::has_emptydir, ValidateEmptyDir},
    {"hostPath", &Source::has_hostpath, ValidateHostPath},
    {"gitRepo", &Source::has_gitrepo, ValidateGitRepo},
    {"gcePersistentDisk", &Source::has_gcepersistentdisk, ValidateGce, "persistentDisk"},
    {"awsElasticBlockStore", &Source::has_awselasticblockstore, ValidateAws},
    {"secret", &Source::has_secret, ValidateSecret},
    {"nfs", &Source::has_nfs, ValidateNfs},
    {"iscsi", &Source::has_iscsi, ValidateIscsi},
    {"glusterfs", &Source::has_glusterfs, ValidateGlusterfs},
    {"flocker", &Source::has_flocker, ValidateFlocker},
    {"persistentVolumeClaim", &Source::has_persistentvolumeclaim, ValidateClaim},
    {"rbd", &Source::has_rbd, ValidateRbd},
    {"cinder", &Source::has_cinder, ValidateCinder},
    {"cephfs", &Source::has_cephfs, ValidateCephFs},
    {"quobyte", &Source::has_quobyte, ValidateQuobyte},
    {"downwardAPI", &Source::has_downwardapi, ValidateDownward},
    {"fc", &Source::has_fc, ValidateFc},
    {"flexVolume", &Source::has_flexvolume, ValidateFlex},
    {"configMap", &Source::has_configmap, ValidateConfigMap},
    {"azureFile", &Source::has_azurefile, ValidateAzureFile},
    {"vsphereVolume", &Source::has_vspherevolume, ValidateVsphere},
    {"photonPersistentDisk", &Source::has_photonpersistentdisk, ValidatePhoton},
    {"portworxVolume", &Source::has_portworxvolume, ValidatePortworx},
    {"azureDisk", &Source::has_azuredisk, ValidateAzureDisk},
    {"storageos", &Source::has_storageos, ValidateStorageOs},
    {"projected", &Source::has_projected, ValidateProjectedSource},
    {"scaleIO", &Source::has_scaleio, ValidateScaleIo},
    {"csi", &Source::has_csi, ValidateCsi},
    {"ephemeral", &Source::has_ephemeral, ValidateEphemeral},
    {"image", &Source::has_image, ValidateImage},
};

// Names that are made of the volume's.
void ValidateDerivedNames(const v1::Pod& pod, const v1::Volume& volume, const FieldPath& path,
                          FieldErrors& errors) {
  const v1::VolumeSource& source = volume.volumesource();
  if (source.iscsi().has_initiatorname() &&
      volume.name().size() + 1 + source.iscsi().targetportal().size() > kMaxIscsiBytes)
    errors.Invalid(path.Child("name"), volume.name(),
                   "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
                   "if iscsi.initiatorName is specified.");
  if (!source.has_ephemeral() || volume.name().empty() || pod.metadata().name().empty()) return;
  const std::string claim = StrCat(pod.metadata().name(), "-", volume.name());
  for (const std::string& fault : Dns1123SubdomainFaults(claim))
    errors.Invalid(path.Child("name"), volume.name(),
                   StrCat("PVC name ", GoQuote(claim), ": ", fault));
}

}  // namespace

void ValidateVolumeSource(const v1::Pod& pod, const v1::Volume& volume, const FieldPath& path,
                          FieldErrors& errors) {
  const v1::VolumeSource& source = volume.volumesource();
  bool found = false;
  for (const SourceKind& kind : kSourceKinds) {
    if (!(source.*kind.has)()) continue;
    if (found) {
      errors.Forbidden(path.Child(kind.name), "may not specify more than 1 volume type");
      continue;
    }
    found = true;
    kind.validate(source, path.Child(kind.path == nullptr ? kind.name : kind.path), errors);
  }
  if (!found) errors.Required(path, "must specify a volume type");
  ValidateDerivedNames(pod, volume, path, errors);
}

}  // namespace cubelet::api::validation
