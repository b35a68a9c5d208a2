#include "api/pod_defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "api/codec.h"
#include "api/pod_test_util.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

std::string Defaulted(std::string_view spec) {
  v1::Pod pod = FromYaml<v1::Pod>(StrCat("spec: ", spec));
  SetDefaults(pod);
  return Serialize(ToJson(pod.spec()));
}

TEST(Defaults, OfAnEmptyPod) {
  EXPECT_EQ(
      Defaulted("{}"),
      R"({"containers":null,"restartPolicy":"Always","terminationGracePeriodSeconds":30,)"
      R"("dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler",)"
      R"("enableServiceLinks":true})");
}

TEST(Defaults, KeepWhatIsSet) {
  const std::string spec = Defaulted(
      "{restartPolicy: Never, terminationGracePeriodSeconds: 0, dnsPolicy: None, schedulerName: s, "
      "enableServiceLinks: false, securityContext: {runAsUser: 0}}");
  EXPECT_EQ(spec, R"({"containers":null,"restartPolicy":"Never","terminationGracePeriodSeconds":0,)"
                  R"("dnsPolicy":"None","securityContext":{"runAsUser":0},"schedulerName":"s",)"
                  R"("enableServiceLinks":false})");
}

std::string Container(std::string_view container) {
  v1::Pod pod = FromYaml<v1::Pod>(StrCat("spec: {containers: [", container, "]}"));
  SetDefaults(pod);
  return Serialize(ToJson(pod.spec().containers(0)));
}

TEST(Defaults, OfContainers) {
  EXPECT_EQ(
      Container("{name: c, image: i}"),
      R"({"name":"c","image":"i","resources":{},"terminationMessagePath":"/dev/termination-log",)"
      R"("terminationMessagePolicy":"File","imagePullPolicy":"Always"})");
  EXPECT_EQ(
      Container("{name: c, image: i:1, terminationMessagePath: /x, terminationMessagePolicy: "
                "FallbackToLogsOnError, imagePullPolicy: Never, ports: [{containerPort: 1}], env: "
                "[{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: B, "
                "valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]}"),
      R"({"name":"c","image":"i:1","ports":[{"containerPort":1,"protocol":"TCP"}],"env":[)"
      R"({"name":"A",)"
      R"("valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},{"name":"B",)"
      R"("valueFrom":{"fileKeyRef":{"volumeName":"v","path":"p","key":"k","optional":false}}}],)"
      R"("resources":{},"terminationMessagePath":"/x",)"
      R"("terminationMessagePolicy":"FallbackToLogsOnError","imagePullPolicy":"Never"})");
}

TEST(Defaults, OfProbesAndHooks) {
  const std::string container = Container(
      "{livenessProbe: {httpGet: {port: 1}}, readinessProbe: {grpc: {port: 2}, "
      "periodSeconds: 7}, startupProbe: {exec: {command: [a]}}, lifecycle: {preStop: "
      "{httpGet: {port: 3}}}}");
  for (const char* part :
       {R"("livenessProbe":{"httpGet":{"path":"/","port":1,"scheme":"HTTP"},"timeoutSeconds":1,)"
        R"("periodSeconds":10,"successThreshold":1,"failureThreshold":3})",
        R"("readinessProbe":{"grpc":{"port":2,"service":""},"timeoutSeconds":1,"periodSeconds":7,)"
        R"("successThreshold":1,"failureThreshold":3})",
        R"("startupProbe":{"exec":{"command":["a"]},"timeoutSeconds":1)",
        R"("lifecycle":{"preStop":{"httpGet":{"path":"/","port":3,"scheme":"HTTP"}}})"})
    EXPECT_THAT(container, testing::HasSubstr(part));
}

TEST(Defaults, OfAllKindsOfContainers) {
  v1::Pod pod = FromYaml<v1::Pod>(
      "spec: {initContainers: [{name: a, ports: [{containerPort: 1}]}], ephemeralContainers: "
      "[{name: b}]}");
  SetDefaults(pod);
  EXPECT_EQ(pod.spec().initcontainers(0).terminationmessagepolicy(), "File");
  EXPECT_EQ(pod.spec().initcontainers(0).ports(0).protocol(), "TCP");
  EXPECT_EQ(pod.spec().ephemeralcontainers(0).ephemeralcontainercommon().terminationmessagepolicy(),
            "File");
}

TEST(Defaults, PullPolicyIsAlwaysForLatest) {
  const std::pair<const char*, const char*> cases[] = {
      {"busybox", "Always"},
      {"busybox:latest", "Always"},
      {"busybox:1.36", "IfNotPresent"},
      {"registry:5000/busybox", "Always"},
      {"registry:5000/a/busybox:1", "IfNotPresent"},
      {"busybox@sha256:abc", "IfNotPresent"},
      {"busybox:latest@sha256:abc", "Always"},
      {"busybox:1@sha256:abc", "IfNotPresent"},
      {"", "IfNotPresent"},
  };
  for (const auto& [image, want] : cases) EXPECT_EQ(DefaultPullPolicy(image), want) << image;
}

std::string Volume(std::string_view volume) {
  v1::Pod pod = FromYaml<v1::Pod>(StrCat("spec: {volumes: [{name: v, ", volume, "}]}"));
  SetDefaults(pod);
  return Serialize(ToJson(pod.spec().volumes(0).volumesource()));
}

TEST(Defaults, OfVolumes) {
  const std::pair<const char*, const char*> cases[] = {
      {"", R"({"emptyDir":{}})"},
      {"secret: {secretName: s}", R"({"secret":{"secretName":"s","defaultMode":420}})"},
      {"secret: {secretName: s, defaultMode: 0}",
       R"({"secret":{"secretName":"s","defaultMode":0}})"},
      {"configMap: {name: c}", R"({"configMap":{"name":"c","defaultMode":420}})"},
      {"downwardAPI: {items: [{path: p, fieldRef: {fieldPath: f}}]}",
       R"({"downwardAPI":{"items":[{"path":"p","fieldRef":{"apiVersion":"v1","fieldPath":"f"}}],)"
       R"("defaultMode":420}})"},
      {"projected: {sources: [{serviceAccountToken: {path: p}}, {downwardAPI: {items: [{path: p, "
       "fieldRef: {fieldPath: f}}]}}]}",
       R"({"projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3600,"path":"p"}},)"
       R"({"downwardAPI":{"items":[{"path":"p","fieldRef":{)"
       R"("apiVersion":"v1","fieldPath":"f"}}]}}],)"
       R"("defaultMode":420}})"},
      {"hostPath: {path: /x}", R"({"hostPath":{"path":"/x","type":""}})"},
      {"iscsi: {targetPortal: t, iqn: i}",
       R"({"iscsi":{"targetPortal":"t","iqn":"i","lun":0,"iscsiInterface":"default"}})"},
      {"image: {reference: i}", R"({"image":{"reference":"i","pullPolicy":"Always"}})"},
      {"image: {reference: \"i:1\"}",
       R"({"image":{"reference":"i:1","pullPolicy":"IfNotPresent"}})"},
      {"rbd: {image: i, monitors: [m]}",
       R"({"rbd":{"monitors":["m"],"image":"i","pool":"rbd","user":"admin",)"
       R"("keyring":"/etc/ceph/keyring"}})"},
      {"azureDisk: {diskName: d, diskURI: u}",
       R"({"azureDisk":{"diskName":"d","diskURI":"u","cachingMode":"ReadWrite","fsType":"ext4",)"
       R"("readOnly":false,"kind":"Shared"}})"},
      {"scaleIO: {gateway: g, system: s, volumeName: vol}",
       R"({"scaleIO":{"gateway":"g","system":"s","secretRef":null,"storageMode":"ThinProvisioned",)"
       R"("volumeName":"vol","fsType":"xfs"}})"},
      {"nfs: {server: s, path: /p}", R"({"nfs":{"server":"s","path":"/p"}})"},
  };
  for (const auto& [volume, want] : cases) EXPECT_EQ(Volume(volume), want) << volume;
}

std::string Resources(std::string_view spec) {
  v1::Pod pod = FromYaml<v1::Pod>(StrCat("spec: ", spec));
  SetDefaults(pod);
  std::string out = Serialize(ToJson(pod.spec().resources()));
  for (const v1::Container& container : pod.spec().containers())
    out += Serialize(ToJson(container.resources()));
  return out;
}

TEST(Defaults, WhatIsLimitedIsRequested) {
  EXPECT_EQ(Resources("{containers: [{resources: {limits: {cpu: 1, memory: 2Gi}, requests: {cpu: "
                      "100m}}}]}"),
            R"({}{"limits":{"cpu":"1","memory":"2Gi"},"requests":{"cpu":"100m","memory":"2Gi"}})");
  EXPECT_EQ(Resources("{containers: [{resources: {requests: {cpu: 1u, memory: 1}}}]}"),
            R"({}{"requests":{"cpu":"1m","memory":"1"}})");
}

TEST(Defaults, AmountsOfThePod) {
  // Requests come from the containers', then from the limits.
  EXPECT_EQ(Resources("{resources: {limits: {cpu: 4, memory: 1Gi}}, containers: [{resources: "
                      "{requests: {cpu: 1}}}, {resources: {requests: {cpu: 500m}}}]}"),
            R"({"limits":{"cpu":"4","memory":"1Gi"},"requests":{"cpu":"1500m","memory":"1Gi"}})"
            R"({"requests":{"cpu":"1"}}{"requests":{"cpu":"500m"}})");
  EXPECT_EQ(Resources("{resources: {requests: {cpu: 4}}, containers: [{resources: {requests: "
                      "{memory: 1Gi}}}]}"),
            R"({"requests":{"cpu":"4"}}{"requests":{"memory":"1Gi"}})");
  EXPECT_EQ(Resources("{containers: [{resources: {requests: {memory: 1Gi}}}]}"),
            R"({}{"requests":{"memory":"1Gi"}})");
}

TEST(Defaults, PortsOfThePodOnTheNodesNetwork) {
  v1::Pod pod = FromYaml<v1::Pod>(
      "spec: {hostNetwork: true, containers: [{ports: [{containerPort: 80}, {containerPort: 81, "
      "hostPort: 82}]}]}");
  SetDefaults(pod);
  EXPECT_EQ(pod.spec().containers(0).ports(0).hostport(), 80);
  EXPECT_EQ(pod.spec().containers(0).ports(1).hostport(), 82);
}

TEST(Defaults, ServiceAccountHasTwoNames) {
  v1::Pod pod = FromYaml<v1::Pod>("spec: {serviceAccount: robot}");
  SetDefaults(pod);
  EXPECT_EQ(pod.spec().serviceaccountname(), "robot");
}

TEST(Defaults, AreSetOnce) {
  v1::Pod pod = FromYaml<v1::Pod>(
      "spec: {hostNetwork: true, volumes: [{name: v}], containers: [{name: c, image: i, ports: "
      "[{containerPort: 1}], livenessProbe: {httpGet: {port: 1}}}]}");
  SetDefaults(pod);
  const std::string once = Serialize(ToJson(pod));
  SetDefaults(pod);
  EXPECT_EQ(Serialize(ToJson(pod)), once);
}

// What admission plugins of the API server add to a recorded pod.
void DropAdmission(v1::Pod& pod) {
  v1::PodSpec& spec = *pod.mutable_spec();
  spec.clear_tolerations();
  spec.clear_priority();
  spec.clear_preemptionpolicy();
  spec.clear_nodename();
  spec.clear_serviceaccount();
  spec.clear_serviceaccountname();
  const auto drop = [](auto* list) {
    for (int i = list->size() - 1; i >= 0; --i) {
      if ((*list)[i].name().starts_with("kube-api-access-")) list->DeleteSubrange(i, 1);
    }
  };
  drop(spec.mutable_volumes());
  for (v1::Container& container : *spec.mutable_containers())
    drop(container.mutable_volumemounts());
  for (v1::Container& container : *spec.mutable_initcontainers())
    drop(container.mutable_volumemounts());
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Defaults, AreThoseOfTheRecordedPods) {
  int pods = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(CUBELET_SOURCE_DIR) / "tests/golden")) {
    if (!fs::exists(entry.path() / "pod.yaml")) continue;
    const std::string manifests = ReadFile(entry.path() / "pod.yaml");
    const size_t last = manifests.rfind("---\n");
    v1::Pod pod = FromYaml<v1::Pod>(last == std::string::npos ? manifests : manifests.substr(last));
    SetDefaults(pod);
    v1::Pod recorded;
    ASSERT_TRUE(FromJson(*ParseJson(ReadFile(entry.path() / "pod.json")), recorded).ok());
    DropAdmission(recorded);
    EXPECT_EQ(Serialize(ToJson(pod.spec())), Serialize(ToJson(recorded.spec()))) << entry.path();
    // The API server took them, so they are valid.
    pod.mutable_metadata()->set_namespace_("golden");
    pod.mutable_spec()->set_serviceaccountname("default");
    EXPECT_EQ(ValidatePod(pod), absl::OkStatus()) << entry.path();
    ++pods;
  }
  EXPECT_EQ(pods, 20);
}

TEST(References, StaticPodsMayNotNameOtherObjects) {
  const std::pair<const char*, const char*> cases[] = {
      {"serviceAccountName: a", "serviceaccounts"},
      {"serviceAccount: a", "serviceaccounts"},
      {"imagePullSecrets: [{name: s}]", "secrets"},
      {"containers: [{env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]", "secrets"},
      {"initContainers: [{envFrom: [{secretRef: {name: s}}]}]", "secrets"},
      {"ephemeralContainers: [{name: e, envFrom: [{secretRef: {name: s}}]}]", "secrets"},
      {"volumes: [{name: v, secret: {secretName: s}}]", "secrets"},
      {"volumes: [{name: v, azureFile: {secretName: s, shareName: h}}]", "secrets"},
      {"volumes: [{name: v, iscsi: {targetPortal: t, iqn: i, secretRef: {name: s}}}]", "secrets"},
      {"volumes: [{name: v, projected: {sources: [{secret: {name: s}}]}}]", "secrets"},
      {"volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: s}}}]", "secrets"},
      {"containers: [{env: [{name: A, valueFrom: {configMapKeyRef: {name: s, key: k}}}]}]",
       "configmaps"},
      {"containers: [{envFrom: [{configMapRef: {name: s}}]}]", "configmaps"},
      {"volumes: [{name: v, configMap: {name: c}}]", "configmaps"},
      {"volumes: [{name: v, projected: {sources: [{configMap: {name: s}}]}}]", "configmaps"},
      {"resourceClaims: [{name: c, resourceClaimName: r}]", "resourceclaims"},
      {"volumes: [{name: v, csi: {driver: d}}]", "csidrivers (via CSI volumes)"},
      {"volumes: [{name: v, glusterfs: {endpoints: e, path: p}}]",
       "endpoints (via glusterFS volumes)"},
      {"volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]", "persistentvolumeclaims"},
      {"volumes: [{name: v, ephemeral: {}}]", "persistentvolumeclaims (via ephemeral volumes)"},
      {"volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: p}}]}}]",
       "serviceaccounts (via projected volumes)"},
      {"volumes: [{name: v, projected: {sources: [{clusterTrustBundle: {path: p}}]}}]",
       "clustertrustbundles"},
      {"volumes: [{name: v, projected: {sources: [{podCertificate: {signerName: p}}]}}]",
       "podcertificates"},
  };
  for (const auto& [spec, what] : cases)
    EXPECT_EQ(Message(CheckNoApiReferences(FromYaml<v1::Pod>(StrCat("spec: {", spec, "}")))),
              StrCat("static pods may not reference ", what))
        << spec;
  EXPECT_EQ(CheckNoApiReferences(FromYaml<v1::Pod>(R"(
spec:
  containers:
  - env: [{name: A, value: b}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  volumes:
  - {name: a, hostPath: {path: /x}}
  - {name: b, emptyDir: {}}
  - {name: c, downwardAPI: {items: []}}
  - {name: d, projected: {sources: [{downwardAPI: {items: []}}]}}
  - {name: e, nfs: {server: s, path: /p}}
  - {name: f, image: {reference: i}}
)")),
            absl::OkStatus());
}

}  // namespace
}  // namespace cubelet::api
