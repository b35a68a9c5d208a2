// Runs the tests in a world of their own.
#include <gtest/gtest.h>

#include <cstdlib>

#include "e2e/node_fixture.h"

int main(int argc, char** argv) {
  using namespace cubelet::e2e;
  testing::InitGoogleTest(&argc, argv);
  const bool keep = std::getenv("CUBELET_E2E_KEEP") != nullptr;
  return RunIsolated(
      "e2e", keep,
      [](const World& world) {
        SetWorld(world);
        return RUN_ALL_TESTS();
      },
      [](const std::string& why) {
        SetNoWorld(why);
        return RUN_ALL_TESTS();
      });
}
