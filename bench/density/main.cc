// density: what a kubelet costs, as one line of JSON. See README.md.
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"
#include "e2e/isolation.h"
#include "flags.h"
#include "measure.h"
#include "report.h"

int main(int argc, char** argv) {
  using namespace cubelet;
  density::Flags flags;
  if (const int code = density::ParseFlags(argc, argv, flags); code >= 0) return code;
  const auto fail = [](const std::string& why) {
    std::fprintf(stderr, "density: %s\n", why.c_str());
    return EXIT_FAILURE;
  };
  return e2e::RunIsolated(
      "density", flags.keep,
      [&](const e2e::World& world) {
        const auto figures = density::Measure(flags, world);
        if (!figures.ok()) return fail(std::string(Message(figures.status())));
        std::printf("%s\n", density::ReportJson(flags, *figures).c_str());
        return EXIT_SUCCESS;
      },
      fail);
}
