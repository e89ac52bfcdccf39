// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How often conditions are confirmed on labelled rows where there are none.
#include <analysis/labelled_world.hpp>
#include <support/catch2.hpp>

#include <cstdint>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;
using labelled_world::quick;
using labelled_world::world;

namespace {

/// Runs with random failures in which something was confirmed, and in which something was carried to the test: the
/// selection is loosened until that is often so.
struct FalseAlarms {
  std::int64_t alarms = 0, carried = 0;
};
FalseAlarms false_alarms(std::int64_t runs, bool grouped) {
  FalseAlarms counted;
  for (std::int64_t run = 0; run < runs; ++run) {
    // outcomes differ by class; in groups all four rows share properties and outcome
    const std::int64_t rows = 1000, each = grouped ? 4 : 1;
    fl::LabelledTable table = world(rows / each, 100 + run, [](std::int64_t label, const double*) {
      return -1.5 + 0.5 * static_cast<double>(label);
    });
    if (grouped) {
      std::vector<std::int64_t> copies;
      for (std::int64_t i = 0; i < rows; ++i) copies.push_back(i / each);
      table = an::select_rows(table, copies);
      table.group = copies;
    }
    fl::LabelledConditionOptions options{.seed = run, .conditions = {.permutations = 499, .half_samples = 0}};
    options.conditions.selection.alpha = 0.99;
    options.conditions.selection.least_z = 0.0;
    options.conditions.selection.properties = 2;
    options.conditions.selection.class_outcomes = 1000;
    const fl::LabelledConditions result = fl::find_labelled_conditions(table, options);
    counted.carried += result.conditions.size() + result.not_confirmed.size() > 0 ? 1 : 0;
    counted.alarms += result.conditions.empty() ? 0 : 1;
    CHECK(result.confirmation.images == (grouped ? 125 : 500));
    CHECK(result.notes.empty() != grouped);
  }
  return counted;
}

}  // namespace

// Whatever is carried to the test is confirmed with probability at most .05: of 60 runs ten or more are with
// probability .0008 at most, of 2 000 runs 141 or more with 4e-5.
TEST_CASE("random failures confirm nothing more often than alpha allows, in groups too") {
  for (const bool grouped : {false, true}) {
    const auto [alarms, carried] = false_alarms(60, grouped);
    INFO((grouped ? "groups" : "rows") << ": " << alarms << " alarms, " << carried << " carried to the test");
    CHECK(carried >= 20);
    CHECK(alarms <= 9);
  }
}

TEST_CASE("random failures confirm nothing more often than alpha allows, in many runs", "[.slow]") {
  for (const bool grouped : {false, true}) {
    const auto [alarms, carried] = false_alarms(2000, grouped);
    INFO((grouped ? "groups" : "rows") << ": " << alarms << " alarms, " << carried << " carried to the test");
    CHECK(carried >= 1000);
    CHECK(alarms <= 140);
  }
}

TEST_CASE("random failures are seldom even carried to the test") {
  std::int64_t alarms = 0;
  for (std::int64_t run = 0; run < 60; ++run)
    alarms +=
        quick(world(1000, 300 + run, [](std::int64_t, const double*) { return -1.0; }), run).conditions.empty() ? 0 : 1;
  CHECK(alarms <= 1);  // expected are 60 x .05 x .05 = .15 at most, two or more with probability .01
}
