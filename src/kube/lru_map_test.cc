#include "kube/lru_map.h"

#include <gtest/gtest.h>

#include <string>

namespace cubelet::kube {
namespace {

TEST(LruMap, KeepsWhatWasUsedLast) {
  LruMap<std::string, int> map(2);
  map.Touch("a", 0) = 1;
  map.Touch("b", 0) = 2;
  EXPECT_EQ(map.Touch("a", 0), 1);
  map.Touch("c", 0) = 3;  // b goes
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map.Touch("c", 0), 3);
  EXPECT_EQ(map.Touch("a", 0), 1);
  EXPECT_EQ(map.Touch("b", 7), 7);
  EXPECT_EQ(map.size(), 2u);
}

}  // namespace
}  // namespace cubelet::kube
