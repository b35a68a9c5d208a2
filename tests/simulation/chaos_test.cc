// Two hundred random histories. CUBELET_SEEDS chooses others: "7", "1-1000", "3,5,8-9". With
// CUBELET_JOURNALS=<directory> the whole journal of each is left there as <seed>.journal.
#include "simulation/chaos.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"

namespace cubelet::simulation {
namespace {

constexpr uint64_t kSeeds = 200;
// More failures tell nothing more.
constexpr int kMaxFailures = 5;

// "1-3,7"; empty when it cannot be read.
std::vector<uint64_t> ParseSeeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  for (const auto part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> ends = absl::StrSplit(part, absl::MaxSplits('-', 1));
    uint64_t first = 0, last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) return {};
    for (uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  return seeds;
}

std::vector<uint64_t> Seeds() {
  const char* chosen = std::getenv("CUBELET_SEEDS");
  return ParseSeeds(chosen == nullptr ? StrCat("1-", kSeeds) : std::string(chosen));
}

void LeaveJournal(uint64_t seed, const std::string& journal) {
  const char* directory = std::getenv("CUBELET_JOURNALS");
  if (directory != nullptr) std::ofstream(StrCat(directory, "/", seed, ".journal")) << journal;
}

TEST(ChaosTest, SeedsAreReadFromText) {
  EXPECT_EQ(ParseSeeds("7"), (std::vector<uint64_t>{7}));
  EXPECT_EQ(ParseSeeds("1-3,9"), (std::vector<uint64_t>{1, 2, 3, 9}));
  EXPECT_EQ(ParseSeeds("x"), std::vector<uint64_t>());
}

TEST(ChaosTest, EverythingEndsAsSpecifiedOnceFaultsStop) {
  const std::vector<uint64_t> seeds = Seeds();
  ASSERT_FALSE(seeds.empty()) << "CUBELET_SEEDS is not like \"7\" or \"1-1000\"";
  int failed = 0, faults = 0;
  uint64_t lives = 0, steps = 0;
  size_t pods = 0;
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(StrCat("seed ", seed, "; replay with CUBELET_SEEDS=", seed,
                        " simulation_test --gtest_filter='ChaosTest.E*'"));
    const ChaosResult result = RunChaos(seed);
    LeaveJournal(seed, result.journal);
    for (const std::string& failure : result.failures) ADD_FAILURE() << failure;
    if (!result.failures.empty()) std::cout << "seed " << seed << "\n" << result.diagnosis;
    failed += result.failures.empty() ? 0 : 1;
    faults += result.faults;
    lives += result.lives;
    steps += result.steps;
    pods += result.pods;
    ASSERT_LT(failed, kMaxFailures);
  }
  std::cout << seeds.size() << " histories: " << steps << " steps, " << faults
            << " faults of the runtime, " << lives << " lives of the agent, " << pods
            << " pods in the end\n";
}

}  // namespace
}  // namespace cubelet::simulation
