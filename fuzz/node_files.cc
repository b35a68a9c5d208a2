// Texts of the node and of volumes: resolv.conf, env files, user namespace records, mount tables.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "containers/dns.h"
#include "containers/env_file.h"
#include "containers/userns.h"
#include "os/machine.h"
#include "os/mounts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)cubelet::containers::ParseResolvConf(text);
  (void)cubelet::containers::FindInEnvFile(text, "KEY");
  (void)cubelet::containers::DecodeUserNamespace(text);
  (void)cubelet::os::ParseMountTable(text);
  (void)cubelet::os::ParseMemInfo(text);
  (void)cubelet::os::ParseCpuList(text);
  return 0;
}
