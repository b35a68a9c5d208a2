// ValidatePod: volumes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/pod_test_util.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

using ::testing::StartsWith;

struct Case {
  std::string source;
  std::string fault;  // what the message begins with, after the volume's path
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string faults =
        FaultsWith(StrCat("spec: {serviceAccountName: a, volumes: [{name: v, ", c.source, "}]}"));
    if (c.fault.empty()) {
      EXPECT_EQ(faults, "") << c.source;
    } else {
      EXPECT_THAT(faults, StartsWith(StrCat("spec.volumes[0]", c.fault))) << c.source;
    }
  }
}

std::string Volumes(std::string_view volumes) {
  return FaultsWith(StrCat("spec: {volumes: [", volumes, "]}"));
}

TEST(ValidateVolumes, Names) {
  EXPECT_EQ(Volumes("{emptyDir: {}}"), "spec.volumes[0].name: Required value");
  EXPECT_THAT(Volumes("{name: A, emptyDir: {}}"),
              StartsWith("spec.volumes[0].name: Invalid value: \"A\""));
  EXPECT_EQ(Volumes("{name: a, emptyDir: {}}, {name: a, emptyDir: {}}"),
            "spec.volumes[1].name: Duplicate value: \"a\"");
  EXPECT_EQ(Volumes("{name: a}"), "") << "no source is an empty directory";
}

TEST(ValidateVolumes, OneSource) {
  Check({
      {"emptyDir: {}, hostPath: {path: /x}",
       ".hostPath: Forbidden: may not specify more than 1 volume type"},
      {"nfs: {server: s, path: /p}, secret: {secretName: s}",
       ".nfs: Forbidden: may not specify more than 1 volume type"},
  });
}

TEST(ValidateVolumes, MountsOfAFaultyVolumeAreNotFound) {
  EXPECT_EQ(
      FaultsWith("spec: {volumes: [{name: v, hostPath: {path: /a/../b}}], containers: [{name: "
                 "c, image: i, volumeMounts: [{name: v, mountPath: /v}]}]}"),
      "[spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..', "
      "spec.containers[0].volumeMounts[0].name: Not found: \"v\"]");
}

TEST(ValidateVolumes, OfTheNode) {
  Check({
      {"emptyDir: {medium: Memory, sizeLimit: 1Gi}", ""},
      {"emptyDir: {sizeLimit: -1}",
       ".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"},
      {"hostPath: {path: /x, type: Socket}", ""},
      {"hostPath: {path: \"\"}", ".hostPath.path: Required value"},
      {"hostPath: {path: /x, type: Folder}",
       ".hostPath.type: Unsupported value: \"Folder\": supported values: \"\", \"BlockDevice\", "
       "\"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", "
       "\"Socket\""},
      {"gitRepo: {repository: r, directory: a}", ""},
      {"gitRepo: {repository: r, directory: /a}",
       ".gitRepo.directory: Invalid value: \"/a\": must be a relative path"},
      {"image: {reference: i}", ""},
      {"image: {}", ".image.reference: Required value"},
      {"image: {reference: i, pullPolicy: Often}",
       ".image.pullPolicy: Unsupported value: \"Often\""},
  });
}

TEST(ValidateVolumes, OfTheNetwork) {
  Check({
      {"nfs: {server: s, path: /p}", ""},
      {"nfs: {server: s, path: p}", ".nfs.path: Invalid value: \"p\": must be an absolute path"},
      {"nfs: {server: \"\", path: /p}", ".nfs.server: Required value"},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: iqn.2015-02.example.com:test, lun: 0}", ""},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: eui.0123456789ABCDEF, lun: 255}", ""},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: naa.62004567BA64678D0123456789ABCDEF, lun: 0}", ""},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: iqn.2015, lun: 0}",
       ".iscsi.iqn: Invalid value: \"iqn.2015\": must be valid format"},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: xyz, lun: 0}",
       ".iscsi.iqn: Invalid value: \"xyz\": must be valid format starting with iqn, eui, or naa"},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: eui.0123456789ABCDEF, lun: 256}",
       ".iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"},
      {"iscsi: {targetPortal: 1.2.3.4, iqn: eui.0123456789ABCDEF, lun: 0, chapAuthSession: true}",
       ".iscsi.secretRef: Required value"},
      {"fc: {targetWWNs: [a], lun: 1}", ""},
      {"fc: {}",
       ".fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not "
       "both"},
      {"fc: {targetWWNs: [a]}",
       ".fc.lun: Required value: lun is required if targetWWNs is specified"},
      {"fc: {targetWWNs: [a], wwids: [b], lun: 1}",
       ".fc.targetWWNs: Invalid value: \"a\": targetWWNs and wwids can not be specified "
       "simultaneously"},
      {"glusterfs: {endpoints: e, path: p}", ""},
      {"glusterfs: {endpoints: e}", ".glusterfs.path: Required value"},
      {"rbd: {monitors: [m], image: i}", ""},
      {"rbd: {image: i}", ".rbd.monitors: Required value"},
      {"cephfs: {}", ".cephfs.monitors: Required value"},
      {"cinder: {volumeID: v, secretRef: {}}", ".cinder.secretRef.name: Required value"},
      {"quobyte: {registry: \"a:1,[::1]:2\", volume: v}", ""},
      {"quobyte: {registry: a, volume: v}",
       ".quobyte.registry: Invalid value: \"a\": must be a host:port pair or multiple pairs "
       "separated by commas"},
      {"flocker: {datasetName: a/b}",
       ".flocker.datasetName: Invalid value: \"a/b\": must not contain '/'"},
      {"flocker: {}", ".flocker: Required value: one of datasetName and datasetUUID is required"},
      {"storageos: {volumeName: V}", ".storageos.volumeName: Invalid value: \"V\""},
      {"scaleIO: {gateway: g, system: s}", ".scaleIO.volumeName: Required value"},
  });
  EXPECT_THAT(Volumes(StrCat("{name: v, iscsi: {targetPortal: ", std::string(63, 'p'),
                             ", iqn: eui.0123456789ABCDEF, lun: 0, initiatorName: "
                             "eui.0123456789ABCDEF}}")),
              StartsWith("spec.volumes[0].name: Invalid value: \"v\": Total length of <volume "
                         "name>:<iscsi.targetPortal> must be under 64 characters"));
}

TEST(ValidateVolumes, OfClouds) {
  Check({
      {"gcePersistentDisk: {pdName: d, partition: 256}",
       ".persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive"},
      {"awsElasticBlockStore: {volumeID: \"\"}", ".awsElasticBlockStore.volumeID: Required value"},
      {"azureFile: {secretName: s}", ".azureFile.shareName: Required value"},
      {"azureDisk: {diskName: d, diskURI: https://x, kind: Shared}", ""},
      {"azureDisk: {diskName: d, diskURI: https://x, kind: Managed}",
       ".azureDisk.diskURI: Unsupported value: \"https://x\": supported values: "
       "\"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
       "{disk-id}\""},
      {"azureDisk: {diskName: d, diskURI: https://x, cachingMode: Some}",
       ".azureDisk.cachingMode: Unsupported value: \"Some\""},
      {"vsphereVolume: {}", ".vsphereVolume.volumePath: Required value"},
      {"photonPersistentDisk: {}", ".photonPersistentDisk.pdID: Required value"},
      {"portworxVolume: {}", ".portworxVolume.volumeID: Required value"},
      {"flexVolume: {driver: d, options: {a: b}}", ""},
      {"flexVolume: {driver: d, options: {X.Kubernetes.io/a: b}}",
       ".flexVolume.options[X.Kubernetes.io/a]: Invalid value: \"X.Kubernetes.io/a\": "
       "kubernetes.io and k8s.io namespaces are reserved"},
      {"csi: {driver: CSI.example.com}", ""},
      {"csi: {driver: a_b}", ".csi.driver: Invalid value: \"a_b\""},
      {"csi: {driver: d, nodePublishSecretRef: {}}",
       ".csi.nodePublishSecretRef.name: Required value"},
      {"persistentVolumeClaim: {claimName: c}", ""},
      {"persistentVolumeClaim: {}", ".persistentVolumeClaim.claimName: Required value"},
      {"ephemeral: {}", ".ephemeral.volumeClaimTemplate: Required value"},
      {"ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: "
       "{requests: {storage: 1Gi}}}}}",
       ""},
      {"ephemeral: {volumeClaimTemplate: {spec: {accessModes: [Any], resources: {requests: "
       "{storage: 1Gi}}}}}",
       ".ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: \"Any\""},
      {"ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}",
       ".ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"},
  });
  EXPECT_EQ(Volumes("{name: a, persistentVolumeClaim: {claimName: web-b}}, {name: b, ephemeral: "
                    "{volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: "
                    "{requests: {storage: 1Gi}}}}}}"),
            "spec.volumes[0].persistentVolumeClaim.claimName: Invalid value: \"web-b\": must not "
            "reference a PVC that gets created for an ephemeral volume");
}

TEST(ValidateVolumes, OfSecretsAndConfigMaps) {
  Check({
      {"secret: {secretName: s, items: [{key: k, path: a/b, mode: 0400}]}", ""},
      {"secret: {}", ".secret.secretName: Required value"},
      {"secret: {secretName: s, defaultMode: 01000}",
       ".secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both "
       "inclusive"},
      {"secret: {secretName: s, items: [{path: p}]}", ".secret.items[0].key: Required value"},
      {"secret: {secretName: s, items: [{key: k, path: /p}]}",
       ".secret.items[0].path: Invalid value: \"/p\": must be a relative path"},
      {"secret: {secretName: s, items: [{key: k, path: ..p}]}",
       ".secret.items[0].path: Invalid value: \"..p\": must not start with '..'"},
      {"secret: {secretName: s, items: [{key: k, path: ../p}]}",
       ".secret.items[0].path: Invalid value: \"../p\": must not contain '..'"},
      {"configMap: {name: c, items: [{key: k, path: p, mode: -1}]}",
       ".configMap.items[0].mode: Invalid value: -1"},
      {"configMap: {}", ".configMap.name: Required value"},
  });
}

TEST(ValidateVolumes, OfTheDownwardApi) {
  Check({
      {"downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.labels}}, {path: q, "
       "resourceFieldRef: {containerName: main, resource: limits.cpu}}]}",
       ""},
      {"downwardAPI: {items: [{path: p}]}",
       ".downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"},
      {"downwardAPI: {items: [{path: p, fieldRef: {fieldPath: status.podIP}}]}",
       ".downwardAPI.fieldRef.fieldPath: Unsupported value: \"status.podIP\": supported values: "
       "\"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", "
       "\"metadata.uid\""},
      {"downwardAPI: {items: [{path: p, resourceFieldRef: {resource: limits.cpu}}]}",
       ".downwardAPI.resourceFieldRef.containerName: Required value"},
      {"downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}, resourceFieldRef: "
       "{containerName: a, resource: limits.cpu}}]}",
       ".downwardAPI: Invalid value: \"resource\": fieldRef and resourceFieldRef can not be "
       "specified simultaneously"},
      {"downwardAPI: {items: [{fieldRef: {fieldPath: metadata.name}}]}",
       ".downwardAPI.path: Required value"},
  });
}

TEST(ValidateVolumes, Projected) {
  Check({
      {"projected: {sources: [{secret: {name: s}}, {configMap: {name: c, items: [{key: k, path: "
       "p}]}}, {serviceAccountToken: {path: t}}, {downwardAPI: {items: [{path: q, fieldRef: "
       "{fieldPath: metadata.name}}]}}]}",
       ""},
      {"projected: {sources: [{secret: {name: s}, configMap: {name: c}}]}",
       ".projected.sources[0]: Forbidden: may not specify more than 1 volume type per source"},
      {"projected: {sources: [{secret: {}}]}", ".projected.sources[0].secret.name: Required value"},
      {"projected: {sources: [{secret: {name: s, items: [{key: a, path: p}]}}, {configMap: {name: "
       "c, "
       "items: [{key: a, path: p}]}}]}",
       ".projected: Invalid value: \"c\": conflicting duplicate paths"},
      {"projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 599}}]}",
       ".projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not "
       "specify a duration less than 10 minutes"},
      {"projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 4294967297}}]}",
       ".projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: "
       "may "
       "not specify a duration larger than 2^32 seconds"},
      {"projected: {sources: [{serviceAccountToken: {path: /t}}]}",
       ".projected.path: Invalid value: \"/t\": must be a relative path"},
      {"projected: {sources: [{clusterTrustBundle: {path: p, name: x}}]}", ""},
      {"projected: {sources: [{clusterTrustBundle: {path: p}}]}",
       ".projected.sources[0].clusterTrustBundle: Required value: either name or signerName must "
       "be "
       "specified"},
      {"projected: {defaultMode: 4096, sources: []}",
       ".projected.defaultMode: Invalid value: 4096"},
  });
  EXPECT_EQ(Volumes("{name: v, projected: {sources: [{serviceAccountToken: {path: t}}]}}"),
            "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be "
            "specified when serviceAccountName is not set");
}

}  // namespace
}  // namespace cubelet::api
