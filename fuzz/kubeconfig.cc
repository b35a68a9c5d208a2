// kubeconfig files, and the addresses in them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kube/kubeconfig.h"
#include "kube/server_address.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace kube = cubelet::kube;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)kube::ParseProxyAddress(text);
  if (const auto address = kube::ParseServerAddress(text); address.ok())
    (void)kube::ProxyFor(*address, {"http://proxy:1", "10.0.0.0/8,.example.com,h:1,fd00::/8,*"});
  if (const auto access = kube::ParseKubeconfig(text, "/etc/kubernetes/kubelet.conf"); access.ok())
    (void)kube::ParseServerAddress(access->server);
  return 0;
}
