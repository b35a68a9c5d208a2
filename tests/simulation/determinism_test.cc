// A failing seed is worth something only when it fails again.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "simulation/chaos.h"

namespace cubelet::simulation {
namespace {

TEST(DeterminismTest, TheSameSeedIsTheSameHistory) {
  for (const uint64_t seed : {1, 2, 3, 5, 8, 13}) {
    SCOPED_TRACE(StrCat("seed ", seed));
    const ChaosResult first = RunChaos(seed);
    const ChaosResult second = RunChaos(seed);
    EXPECT_EQ(first.steps, second.steps);
    EXPECT_EQ(first.lives, second.lives);
    // The whole text would tell less than where they part.
    const size_t shorter = std::min(first.journal.size(), second.journal.size());
    size_t same = 0;
    while (same < shorter && first.journal[same] == second.journal[same]) ++same;
    const size_t line = first.journal.rfind('\n', same) + 1;
    EXPECT_TRUE(first.journal == second.journal)
        << "first:  " << first.journal.substr(line, 200)
        << "\nsecond: " << second.journal.substr(line, 200);
  }
}

TEST(DeterminismTest, AnotherSeedIsAnotherHistory) {
  EXPECT_NE(RunChaos(1).journal, RunChaos(2).journal);
}

}  // namespace
}  // namespace cubelet::simulation
