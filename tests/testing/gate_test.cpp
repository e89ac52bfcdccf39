// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gates: verdicts on a known rate, the stated error rate, budgets that extend each other, and what a reader is told.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <faultline/statistics/rate_plan.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_test::fewest_events;
using faultline_test::most_events;
using fl::testing::FailureRateBelow;
using fl::testing::gate;

namespace {

// Wrong exactly where factor 0 exceeds `limit`: the failure rate is 1 - Phi(limit).
auto failing_beyond(const fl::AnalyticGenerator& known, double limit) {
  return fl::make_classifier(
      [&known, limit](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), known.num_classes());
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, reading.factors[0] > limit ? (reading.label + 1) % known.num_classes() : reading.label) = 5.0f;
        }
      },
      {.classes = known.num_classes(), .scores = fl::Scores::logits});
}

}  // namespace

TEST_CASE("a gate passes, fails or stays undecided as the rate and the budget say") {
  const fl::AnalyticGenerator known({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
  auto mine = failing_beyond(known, 1.5);  // 6.68 %
  const auto loose = gate(known, mine, FailureRateBelow{.bound = 0.20, .seed = 7});
  CHECK_THAT(loose, fl::testing::Passes());
  CHECK(loose.interval().lower < 0.0668);
  CHECK(loose.interval().upper > 0.0668);
  CHECK(loose.interval().upper < 0.20);

  const auto tight = gate(known, mine, FailureRateBelow{.bound = 0.01, .seed = 7});
  CHECK_THAT(tight, fl::testing::Fails());
  CHECK(tight.explain().find("not below 0.01") != std::string::npos);
  CHECK(tight.explain().find(std::to_string(tight.failures()) + " of " + std::to_string(tight.samples())) !=
        std::string::npos);
  CHECK(tight.replay().find(".seed = 7") != std::string::npos);

  const auto close = gate(known, mine, FailureRateBelow{.bound = 0.07, .seed = 7, .max_samples = 300});
  CHECK(close.undecided());
  CHECK(close.samples() == 300);
  CHECK_THAT(close, fl::testing::DoesNotFail());
  CHECK(close.explain().find("UNDECIDED") != std::string::npos);
}

TEST_CASE("a larger budget continues the same samples and never reverses a verdict") {
  const fl::AnalyticGenerator known({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
  auto mine = failing_beyond(known, 1.5);
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    const auto small = gate(known, mine, FailureRateBelow{.bound = 0.1, .seed = seed, .max_samples = 500});
    const auto large = gate(known, mine, FailureRateBelow{.bound = 0.1, .seed = seed, .max_samples = 5'000});
    if (!small.undecided()) {
      CHECK(small.verdict() == large.verdict());
      CHECK(small.samples() == large.samples());
      CHECK(small.failures() == large.failures());
    } else {
      CHECK(large.samples() > small.samples());
      CHECK(large.failures() >= small.failures());
    }
  }
}

TEST_CASE("at the bound, wrong verdicts stay within the stated rate") {
  // True rate = bound: every verdict is counted as wrong. At alpha = .2 at most 60 + margin of 300 runs may decide; a
  // right gate exceeds 93 with probability below 1e-6 (binomial with n = 300, p = .2).
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  const double limit = 1.2815515655446004;  // Phi^-1(.9)
  auto mine = failing_beyond(known, limit);
  int wrong = 0;
  for (std::int64_t seed = 0; seed < 300; ++seed)
    wrong += gate(known, mine, FailureRateBelow{.bound = 0.1, .confidence = 0.8, .seed = seed, .max_samples = 1'500})
                     .undecided()
                 ? 0
                 : 1;
  INFO("wrong verdicts: " << wrong << " of 300");
  CHECK(wrong <= 93);
}

TEST_CASE("ten thousand gates at their bound err as the plan says, on both sides, with labels drawn from a list",
          "[.slow]") {
  // The rate is that of the list: class 1 always fails, class 0 never, and one label of fifty is 1. Limits that a right
  // gate leaves with probability 1e-6 each.
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  auto misses_one = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = 100.0f + known.read(images, i).factors[0];
      },
      {.classes = 2, .scores = fl::Scores::logits});
  std::vector<std::int64_t> list(50, 0);
  list.back() = 1;
  const std::int64_t budget = 320;
  const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(0.02, 0.02, budget);
  std::int64_t passed = 0, failed = 0, missed_low = 0, missed_high = 0;
  for (std::int64_t seed = 0; seed < 10'000; ++seed) {
    const auto verdict = gate(
        known, misses_one,
        FailureRateBelow{.bound = 0.02, .seed = seed, .max_samples = budget, .labels = fl::LabelPolicy::given(list)});
    passed += verdict.passed() ? 1 : 0;
    failed += verdict.failed() ? 1 : 0;
    missed_low += verdict.interval().upper < 0.02 ? 1 : 0;
    missed_high += verdict.interval().lower > 0.02 ? 1 : 0;
  }
  INFO(passed << " passed, " << failed << " failed");
  CHECK(passed <= most_events(10'000, plan.below));
  CHECK(passed >= fewest_events(10'000, plan.below));
  CHECK(failed <= most_events(10'000, plan.above));
  CHECK(failed >= fewest_events(10'000, plan.above));
  CHECK(passed + failed <= most_events(10'000, 0.05));
  CHECK(missed_low == passed);  // what is shown agrees with what was decided
  CHECK(missed_high == failed);
}

TEST_CASE("a gate refuses arguments out of range and a classifier that misbehaves") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  auto mine = failing_beyond(known, 1.0);
  const auto code = [&](const FailureRateBelow& policy) {
    try {
      (void)gate(known, mine, policy);
    } catch (const fl::Error& error) {
      return static_cast<int>(error.code());
    }
    return 0;
  };
  CHECK(code({.bound = 0.0}) == 101);
  CHECK(code({.bound = 1.0}) == 101);
  CHECK(code({.bound = 0.1, .confidence = 1.0}) == 101);
  for (const std::int64_t budget :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{100}, std::int64_t{127}, std::int64_t{1} << 60})
    CHECK(code({.bound = 0.1, .max_samples = budget}) == 101);  // no analysis is reached, or no end
  CHECK(code({.bound = 0.1, .batch_size = std::int64_t{1} << 40}) == 101);
  CHECK(code({.bound = 0.1, .probability_tolerance = 0.5}) == 101);
  CHECK(code({.bound = 0.1, .labels = fl::LabelPolicy::in_order({0, 1})}) == 101);
  CHECK(code({.bound = 0.1, .labels = fl::LabelPolicy::fixed(2)}) == 102);
  auto broken = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 2, std::nanf("")); },
      {.classes = 2, .scores = fl::Scores::logits});
  try {
    (void)gate(known, broken, FailureRateBelow{.bound = 0.1});
    FAIL("a classifier that returns NaN must not be counted");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::non_finite_scores);
  }
}

TEST_CASE("whoever is always wrong fails at the smallest budget there is") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 4, .seed = 1});
  auto wrong = failing_beyond(known, -1e9);
  const auto verdict = gate(known, wrong, FailureRateBelow{.bound = 0.2, .max_samples = 128});
  CHECK(verdict.failed());
  CHECK(verdict.samples() == 128);
  CHECK_FALSE(fl::testing::DoesNotFail().match(verdict));
}

TEST_CASE("scores that are equal for all classes pass no gate, on no class") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 4, .seed = 1});
  auto equal =
      fl::make_classifier([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 4); },
                          {.classes = 4, .scores = fl::Scores::logits});
  // equal on every other image, and otherwise sure of class 0: what varies is not refused, but a tie is never right
  auto ties = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = scores(i, 1) = images.image(i)[0];
      },
      {.classes = 4, .scores = fl::Scores::logits});
  for (std::int64_t label = 0; label < 4; ++label) {
    const FailureRateBelow policy{.bound = 0.5, .max_samples = 1'000, .labels = fl::LabelPolicy::fixed(label)};
    CHECK_THROWS_AS(gate(known, equal, policy), fl::Error);
    CHECK(gate(known, ties, policy).failed());
  }
}

TEST_CASE("a list of labels is drawn from, so that its order decides nothing") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  auto misses_one = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, reading.label == 1 && reading.factors[0] > -3.0f ? 0 : reading.label) = 4.0f + reading.factors[0];
        }
      },
      {.classes = 2, .scores = fl::Scores::logits});
  std::vector<std::int64_t> sorted(10'000, 0);
  std::fill(sorted.begin() + 5'000, sorted.end(), 1);  // walked, its first half would pass any gate
  const auto verdict =
      gate(known, misses_one,
           FailureRateBelow{.bound = 0.02, .seed = 3, .max_samples = 10'000, .labels = fl::LabelPolicy::given(sorted)});
  CHECK(verdict.failed());
  CHECK(verdict.interval().lower < 0.5);
  CHECK(verdict.interval().upper > 0.5);
}

TEST_CASE("swapped labels are named, whatever the verdict") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 10, .seed = 1});
  auto swapped = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 10);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const std::int64_t answer = reading.label == 3 ? 5 : reading.label == 5 ? 3 : reading.label;
          scores(i, answer) = 4.0f + reading.factors[0];
        }
      },
      {.classes = 10, .scores = fl::Scores::logits});
  for (const double bound : {0.05, 0.2, 0.6}) {
    const auto verdict = gate(known, swapped, FailureRateBelow{.bound = bound, .seed = 2, .max_samples = 640});
    REQUIRE(verdict.notes().size() == 1);
    CHECK(verdict.explain().find("Class 3 is always answered 5") != std::string::npos);
    CHECK(verdict.explain().find("raise max_samples") == std::string::npos);
    CHECK(
        verdict.explain().find("two labels are swapped; does the classifier number its classes like the generator?") !=
        std::string::npos);
  }
}

TEST_CASE("a softmax in reduced precision needs a tolerance, which the policy has") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 4, .seed = 1});
  auto rounded = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          for (std::int64_t k = 0; k < 4; ++k) scores(i, k) = k == reading.label ? 252.0f / 256.0f : 1.0f / 256.0f;
          scores(i, reading.label) -= std::abs(reading.factors[0]) > 1.0f ? 1.0f / 256.0f : 0.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::probabilities});
  try {
    (void)gate(known, rounded, FailureRateBelow{.bound = 0.1});
    FAIL("sums of .996 are no probabilities");
  } catch (const fl::Error& error) {
    CHECK(std::string(error.what()).find("half precision or int8? Allow for it with .probability_tolerance") !=
          std::string::npos);
  }
  CHECK(gate(known, rounded, FailureRateBelow{.bound = 0.1, .probability_tolerance = 0.01}).passed());
}

TEST_CASE("a criterion that throws is the criterion's fault") {
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  auto mine = failing_beyond(known, 1.0);
  try {
    (void)gate(known, mine, FailureRateBelow{.bound = 0.1}, [](std::span<const float>, std::int64_t) -> bool {
      throw std::runtime_error("nothing to compare with");
    });
    FAIL("it threw");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::property_threw);
  }
}
