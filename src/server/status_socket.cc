#include "server/status_socket.h"

#include <cstdlib>

namespace cubelet::server {

std::string StatusSocketPath(const std::string& flag) {
  if (!flag.empty()) return flag;
  const char* const from_environment = std::getenv(kStatusSocketVariable);
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return kDefaultStatusSocket;
}

}  // namespace cubelet::server
