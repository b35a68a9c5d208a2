#include "os/memory.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "os/files.h"

namespace cubelet::os {
namespace {

int64_t ResidentPages() {
  const std::string statm = *ReadFile("/proc/self/statm");
  int64_t pages = 0;
  (void)absl::SimpleAtoi(
      statm.substr(statm.find(' ') + 1, statm.find(' ', statm.find(' ') + 1) - statm.find(' ') - 1),
      &pages);
  return pages;
}

TEST(ReleaseColdMemory, ShrinksAndKeepsWhatThereIs) {
  std::vector<std::string> kept;
  for (int i = 0; i < 1000; ++i) kept.push_back(std::string(100, static_cast<char>('a' + i % 26)));
  const int64_t before = ResidentPages();
  ASSERT_GT(before, 0);
  ReleaseColdMemory();
  EXPECT_LT(ResidentPages(), before);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(kept[static_cast<size_t>(i)], std::string(100, static_cast<char>('a' + i % 26)));
  // Exceptions walk through tables that were unmapped.
  EXPECT_THROW(throw std::runtime_error("x"), std::runtime_error);
}

}  // namespace
}  // namespace cubelet::os
