// Answers to probes and hooks, in pieces as they may arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probes/response_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = data[0] % 64 + 1;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  cubelet::probes::ResponseParser parser;
  while (!rest.empty() && !parser.done()) {
    if (!parser.Feed(rest.substr(0, piece)).ok()) return 0;
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  if (!parser.done()) (void)parser.End();
  return 0;
}
