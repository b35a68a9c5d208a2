// Container logs, which containers write as they like.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "status/termination_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (cubelet::status::LogTail(text).size() > cubelet::status::kMaxTerminationLogBytes)
    std::abort();
  if (cubelet::status::FileTail(text).size() > cubelet::status::kMaxTerminationFileBytes)
    std::abort();
  return 0;
}
