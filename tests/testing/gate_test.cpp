// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gates: verdicts on a known rate, the stated error rate, budgets that extend each other, and what a reader is told.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <string>

namespace fl = faultline;
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
  CHECK(tight.explain().find(std::to_string(tight.failures()) + " of " + std::to_string(tight.samples())) != std::string::npos);
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
  // True rate = bound: every verdict is counted as wrong. At alpha = .2 at most 60 + margin of 300 runs may decide; a right gate exceeds 93 with
  // probability below 1e-6 (binomial with n = 300, p = .2).
  const fl::AnalyticGenerator known({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  const double limit = 1.2815515655446004;  // Phi^-1(.9)
  auto mine = failing_beyond(known, limit);
  int wrong = 0;
  for (std::int64_t seed = 0; seed < 300; ++seed) wrong += gate(known, mine, FailureRateBelow{.bound = 0.1, .confidence = 0.8, .seed = seed, .max_samples = 1'500}).undecided() ? 0 : 1;
  INFO("wrong verdicts: " << wrong << " of 300");
  CHECK(wrong <= 93);
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
  CHECK(code({.bound = 0.1, .max_samples = 0}) == 101);
  CHECK(code({.bound = 0.1, .labels = fl::LabelPolicy::fixed(2)}) == 102);
  auto broken = fl::make_classifier([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 2, std::nanf("")); }, {.classes = 2, .scores = fl::Scores::logits});
  try {
    (void)gate(known, broken, FailureRateBelow{.bound = 0.1});
    FAIL("a classifier that returns NaN must not be counted");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::non_finite_scores);
  }
}
