// A random history of a node: pods come, change and go while the runtime fails and lies, the disk
// is full and the agent dies at any step; then nothing goes wrong any more, and all must become as
// the manifests ask for. Everything is drawn from the seed: the same seed is the same history.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cubelet::simulation {

struct ChaosResult {
  std::vector<std::string> failures;  // empty: every rule was kept
  std::string diagnosis;              // of a failure: what was drawn, and what happened last
  std::string journal;                // all of it
  int faults = 0;                     // of the runtime
  uint64_t lives = 0;                 // of the agent
  uint64_t steps = 0;
  size_t pods = 0;  // wanted in the end
};

ChaosResult RunChaos(uint64_t seed);

}  // namespace cubelet::simulation
