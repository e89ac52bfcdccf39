// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A statement about a classifier as a unit test: Catch2 prints counts, interval and a line that repeats the run when it
// does not hold.
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cstdint>

namespace fl = faultline;
using fl::testing::FailureRateBelow;
using fl::testing::gate;

namespace {

const fl::AnalyticGenerator generator({.factors = 3, .channels = 64, .classes = 4, .seed = 1});

/// Stands for your model: wrong where factor 0 exceeds 2.5 standard deviations, which 0.62 % of the images do.
auto my_classifier() {
  return fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = generator.read(images, i);
          scores(i, factors[0] > 2.5f ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

}  // namespace

TEST_CASE("fewer than 2 % of all images are misclassified") {
  auto mine = my_classifier();
  const auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.02, .confidence = 0.95, .seed = 7});
  REQUIRE_THAT(verdict, fl::testing::Passes());
}

TEST_CASE("a smoke test with a small budget may stay undecided, but must not fail") {
  auto mine = my_classifier();
  const auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.01, .seed = 7, .max_samples = 256});
  REQUIRE_THAT(verdict, fl::testing::DoesNotFail());
}

TEST_CASE("a bound that does not hold is told apart from one that does") {
  auto mine = my_classifier();
  const auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.001, .seed = 7, .max_samples = 20'000});
  REQUIRE_THAT(verdict, fl::testing::Fails());
}

TEST_CASE("what counts as a failure is a choice: here a true class below .9") {
  auto mine = my_classifier();
  const auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.05, .seed = 7}, fl::TrueClassBelow{.p = 0.9});
  REQUIRE_THAT(verdict, fl::testing::Passes());
}

TEST_CASE(
    "fewer than 3 % of each class are misclassified, and 2 % of all, with one error rate for all five statements") {
  auto mine = my_classifier();
  const auto result =
      fl::testing::GateSuite(0.95)
          .add("each class", generator, mine, fl::testing::FailureRateBelowPerClass{.bound = 0.03, .seed = 7})
          .add("all", generator, mine, {.bound = 0.02, .seed = 7})  // on the same samples
          .run();
  REQUIRE_THAT(result, fl::testing::Passes());
}
