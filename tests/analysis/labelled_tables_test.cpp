// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What becomes of labelled rows that can hardly be compared, or not at all.
#include <analysis/labelled_world.hpp>
#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;
using an::FailingValues;
using faultline_tests::error_code;
using fl::ErrorCode;
using labelled_world::Logit;
using labelled_world::Names;
using labelled_world::names;
using labelled_world::quick;
using labelled_world::world;

TEST_CASE("rates and answers per class are those of the table") {
  const fl::LabelledTable table =
      world(2000, 5, [](std::int64_t label, const double*) { return static_cast<double>(label) - 2.0; });
  const fl::LabelledConditions result = quick(table);
  REQUIRE(result.class_rates.size() == 3);
  std::int64_t wrong = 0, all = 0;
  for (const an::ConfusionCount& cell : result.confusion) {
    all += cell.count;
    if (cell.label != cell.answer) wrong += cell.count;
  }
  CHECK(all == 2000);
  CHECK(wrong == table.failures());
  for (std::int64_t c = 0; c < 3; ++c) {
    const fl::Rate& rate = result.class_rates[static_cast<std::size_t>(c)];
    CHECK(rate.n == std::count(table.label.begin(), table.label.end(), c));
    const double truth = 1.0 / (1.0 + std::exp(2.0 - static_cast<double>(c)));
    CHECK(rate.lower < truth);
    CHECK(rate.upper > truth);
  }
  CHECK(result.conditions.empty());  // that a class fails more often is no condition
  CHECK(result.verdict == an::ConditionsVerdict::none_found);
}

TEST_CASE("properties that say nothing of their own take no part and are named") {
  const Logit logit = [](std::int64_t, const double* z) { return -1.5 + 1.5 * z[0]; };
  fl::LabelledTable table = world(3000, 6, logit);
  for (std::int64_t i = 0; i < table.size(); ++i) {
    table.properties(i, 1) = 4.0f;                                                          // constant
    table.properties(i, 2) = static_cast<float>(table.label[static_cast<std::size_t>(i)]);  // by class alone
    table.properties(i, 3) = -3.0f * table.properties(i, 0);                                // a copy, turned
  }
  const fl::LabelledConditions result = quick(table);
  CHECK(names(result.conditions) == Names{"a"});
  CHECK(result.not_confirmed.empty());
  CHECK(result.notes ==
        std::vector<std::string>{
            "The property \"b\" is the same for all images and takes no part.",
            "The property \"c\" is the same for all images of a class and takes no part.",
            "The property \"d\" orders the images as \"a\" does, the other way round, and takes no part: what is said "
            "of the one holds for the other."});
  // nothing left at all
  for (std::int64_t i = 0; i < table.size(); ++i) table.properties(i, 0) = table.properties(i, 3) = 0.0f;
  const fl::LabelledConditions none = quick(table);
  CHECK(none.verdict == an::ConditionsVerdict::none_found);
  CHECK(none.notes.size() == 4);
}

TEST_CASE("a property that separates failures from successes perfectly is one condition") {
  const fl::LabelledTable table =
      world(2000, 7, [](std::int64_t, const double* z) { return z[3] > 1.0 ? 1000.0 : -1000.0; });
  const fl::LabelledConditions result = quick(table);
  REQUIRE(names(result.conditions) == Names{"d"});
  CHECK(result.conditions.front().failing == FailingValues::more);
  CHECK(result.conditions.front().share > 0.9);
  CHECK(result.conditions.front().share < 1.0 + 1e-9);
  CHECK(std::isfinite(result.conditions.front().share_upper));
  CHECK(result.conditions.front().curves.front().bins.back().rate.estimate == 1.0);
}

TEST_CASE("a class with one failure, or without rows, changes nothing for the others") {
  fl::LabelledTable table = world(3000, 8, [](std::int64_t, const double* z) { return -1.5 + 1.5 * z[2]; });
  table.classes = 5;  // class 4 has no rows, class 3 has one failure in 20
  for (std::size_t i = 0; i < 20; ++i) table.label[i] = 3, table.failed[i] = i == 0 ? 1 : 0;
  const fl::LabelledConditions result = quick(table);
  CHECK(names(result.conditions) == Names{"c"});
  CHECK(result.class_rates[3].failures == 1);
  CHECK(result.class_rates[3].n == 20);
  CHECK(result.class_rates[4].n == 0);
  CHECK(result.class_rates[4].upper == 1.0);
}

TEST_CASE("where failures are too few, the reason says so and how many images would do") {
  const fl::LabelledConditions three = quick(world(3, 1, [](std::int64_t, const double*) { return 0.0; }));
  CHECK(three.verdict == an::ConditionsVerdict::too_few_failures);
  CHECK(three.conditions.empty());
  CHECK(three.discovery.images == 2);
  CHECK(!three.reason.empty());
  const fl::LabelledConditions few = quick(world(1000, 9, [](std::int64_t, const double*) { return -4.0; }));
  CHECK(few.verdict == an::ConditionsVerdict::too_few_failures);
  CHECK(few.failure_rate.failures < 40);
  CHECK(few.images_needed > 1000);
  CHECK(few.reason.rfind("Only ", 0) == 0);
  const fl::LabelledConditions never = quick(world(200, 9, [](std::int64_t, const double*) { return -1e9; }));
  CHECK(never.reason.rfind("None of 200 ", 0) == 0);
  // every answer is the next class: the classes are numbered otherwise
  const fl::LabelledConditions always = quick(world(200, 9, [](std::int64_t, const double*) { return 1e9; }));
  CHECK(always.verdict == an::ConditionsVerdict::too_few_failures);
  REQUIRE(always.notes.size() == 3);
  CHECK(always.notes.front().find("does the classifier number its classes like the labels?") != std::string::npos);
  // one class with ten failures and ten successes in each part is enough, however few there are in all
  fl::LabelledTable one = world(
      60, 10, [](std::int64_t, const double* z) { return 8.0 * z[0]; }, 1);
  CHECK(quick(one).verdict != an::ConditionsVerdict::too_few_failures);
}

TEST_CASE("tables and options that cannot be used are refused with a sentence") {
  const Logit logit = [](std::int64_t, const double* z) { return z[0]; };
  const auto code_of = [&](const std::function<void(fl::LabelledTable&)>& change,
                           const fl::LabelledConditionOptions& options = {}) {
    fl::LabelledTable table = world(200, 11, logit);
    change(table);
    return error_code([&] { (void)fl::find_labelled_conditions(table, options); });
  };
  const auto nothing = [](fl::LabelledTable&) {};
  CHECK(code_of([](fl::LabelledTable& t) { t = {}; }) == ErrorCode::empty_input);
  CHECK(code_of([](fl::LabelledTable& t) { t = an::select_rows(t, std::vector<std::int64_t>{5}); }) ==
        ErrorCode::empty_input);
  CHECK(code_of([](fl::LabelledTable& t) { t.failed.pop_back(); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([](fl::LabelledTable& t) { t.label[3] = 9; }) == ErrorCode::label_out_of_range);
  CHECK(code_of([](fl::LabelledTable& t) { t.property_names[1] = "a"; }) == ErrorCode::invalid_argument);
  CHECK(code_of([](fl::LabelledTable& t) { t.property_names[1] = ""; }) == ErrorCode::invalid_argument);
  CHECK(code_of([](fl::LabelledTable& t) { t.property_units = {"px"}; }) == ErrorCode::shape_mismatch);
  CHECK(code_of(nothing, {.conditions = {.alpha = 0.0}}) == ErrorCode::invalid_argument);
  CHECK(code_of(nothing, {.conditions = {.permutations = 0}}) == ErrorCode::invalid_argument);
  CHECK(code_of(nothing, {.curves = {.bins = 0}}) == ErrorCode::invalid_argument);
  fl::LabelledTable table = world(200, 11, logit);
  table.properties(17, 2) = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t i = 0; i < 200; ++i) table.image_names.push_back("cats/" + std::to_string(i) + ".png");
  try {
    (void)fl::find_labelled_conditions(table);
    FAIL("a property that is not a number was taken");
  } catch (const fl::Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(std::string(error.what()).find("\"c\" of row 17 ('cats/17.png') is not finite") != std::string::npos);
  }
}
