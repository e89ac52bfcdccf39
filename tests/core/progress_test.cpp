// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/progress.hpp>

#include <support/catch2.hpp>

#include <stdexcept>
#include <vector>

TEST_CASE("Progress reaches the callback, an exception reaches the caller, and nobody has to listen", "[progress]") {
  std::vector<faultline::Progress> seen;
  faultline::report_progress([&](const faultline::Progress& progress) { seen.push_back(progress); }, "sampling", 3, 10);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].stage == "sampling");
  CHECK(seen[0].done == 3);
  CHECK(seen[0].total == 10);
  CHECK_THROWS_AS(faultline::report_progress([](const faultline::Progress&) { throw std::runtime_error("stop"); },
                                             "sampling", 3, 10),
                  std::runtime_error);
  CHECK_NOTHROW(faultline::report_progress({}, "sampling", 3, 10));
}
