// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The judge's part: agreement at the flip, and what its interval decides.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/distance/validity.hpp>

#include <cstdint>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

/// Fails beyond x0 = 1.5; the judge gives up beyond `lost` or where x1 exceeds `odd`.
world::World judged(double lost, double odd) {
  world::World w{[=](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.5 - x[0])), x[0] > 1.5, x[0] < lost && x[1] < odd};
  }};
  w.has_judge = true;
  return w;
}

fl::Finding measured(const world::Setup& setup, std::int64_t coordinate) {
  fl::Finding finding = setup.along(coordinate);
  fl::analysis::measure_thresholds(setup.context(), std::span<fl::Finding>(&finding, 1));
  return finding;
}

}  // namespace

TEST_CASE("agreement is a share with an exact interval, which decides or does not") {
  using fl::analysis::ValidityDecision;
  std::vector<std::uint8_t> answers(20, 1);
  answers[3] = answers[7] = 0;
  const fl::analysis::Validity most = fl::analysis::validity_of(answers);
  REQUIRE(most.agreement);
  CHECK(most.agreement->estimate == Approx(0.9));
  CHECK(most.agreement->lower == Approx(0.68302).margin(1e-4));  // Clopper and Pearson
  CHECK(most.agreement->upper == Approx(0.98765).margin(1e-4));
  CHECK(most.flips == 20);
  CHECK(most.decision == ValidityDecision::mostly_valid);
  for (std::size_t i = 0; i < 9; ++i) answers[i] = 0;
  CHECK(fl::analysis::validity_of(answers).decision == ValidityDecision::undecided);
  for (std::size_t i = 0; i < 17; ++i) answers[i] = 0;
  CHECK(fl::analysis::validity_of(answers).decision == ValidityDecision::mostly_invalid);
  CHECK_FALSE(fl::analysis::validity_of({}).agreement);
  CHECK_FALSE(fl::analysis::validity_of({}).decision);
}

TEST_CASE("a judge that still sees the label at the flip, and one that gives up before it") {
  const fl::Finding clear = measured(world::build(judged(3.0, 100.0)), 0);
  REQUIRE(clear.validity.agreement);
  CHECK(clear.validity.agreement->estimate == 1.0);
  CHECK(clear.validity.decision == fl::analysis::ValidityDecision::mostly_valid);
  // start latents are valid, so those beyond the judge's level are none
  const fl::Finding lost = measured(world::build(judged(1.0, 100.0)), 0);
  REQUIRE(lost.validity.agreement);
  CHECK(lost.validity.agreement->estimate == 0.0);
  CHECK(lost.validity.decision == fl::analysis::ValidityDecision::mostly_invalid);
}

TEST_CASE("start latents are valid and agreement counts flipped images only") {
  // the judge gives up where x0 + x1 is beyond 2.2: of the flipped images those with x1 > .7
  world::World w = judged(100.0, 100.0);
  w.answer = [](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.5 - x[0])), x[0] > 1.5, x[0] + x[1] < 2.2};
  };
  const world::Setup setup = world::build(w);
  const fl::Finding finding = measured(setup, 0);
  std::int64_t agrees = 0, latents = 0;
  for (std::int64_t i = 0; latents < 64; ++i) {
    const fl::Population one = setup.problem.sample(fl::core::start_first + i, 1);
    if (one.failed[0] != 0 || one.valid[0] == 0) continue;
    ++latents;
    agrees += 1.505 + world::coordinates(one.index[0])[1] < 2.2 ? 1 : 0;
  }
  REQUIRE(finding.validity.agreement);
  CHECK(finding.validity.flips == 64);
  CHECK(finding.validity.agreement->estimate == Approx(static_cast<double>(agrees) / 64.0).margin(0.0157));
  CHECK_FALSE(measured(setup, 3).validity.agreement);  // nothing flips, nothing to judge
}

TEST_CASE("more flips are drawn until they decide, or as many as sixteen times the first analysis") {
  using fl::analysis::ValidityDecision;
  // at the flip x0 is 1.5, so that the judge agrees where x1 is below `level`
  const auto with_level = [](double level) {
    world::World w = judged(100.0, 100.0);
    w.answer = [=](std::span<const double> x, std::int64_t) {
      const bool beyond = x[0] > 1.5;
      return world::Answers{world::logistic(4.0 * (1.5 - x[0])), beyond, !beyond || x[1] < level};
    };
    return world::build(w);
  };
  const auto decided = [](const world::Setup& setup) {
    fl::Finding finding = measured(setup, 0);
    REQUIRE(finding.validity.flips == 64);
    fl::analysis::decide_validity(setup.context(), std::span<fl::Finding>(&finding, 1));
    return finding.validity;
  };
  const fl::analysis::Validity clear = decided(with_level(1.0));
  CHECK(clear.flips == 64);
  CHECK(clear.decision == ValidityDecision::mostly_valid);

  const world::Setup close = with_level(0.25);  // 60 % agree
  const fl::analysis::Validity later = decided(close);
  CHECK((later.flips == 256 || later.flips == 1024));
  CHECK(later.decision == ValidityDecision::mostly_valid);
  std::int64_t agrees = 0, latents = 0;
  for (std::int64_t i = 0; latents < later.flips; ++i) {
    const fl::Population one = close.problem.sample(fl::core::start_first + i, 1);
    if (one.failed[0] != 0) continue;
    ++latents;
    agrees += world::coordinates(one.index[0])[1] < 0.25 ? 1 : 0;
  }
  CHECK(later.agreement->estimate == static_cast<double>(agrees) / static_cast<double>(latents));

  const fl::analysis::Validity half = decided(with_level(0.0));
  CHECK(half.flips == 1024);
  CHECK(half.decision == ValidityDecision::undecided);
}

TEST_CASE("analyses of validity are wrong together as seldom as one may be") {
  // the judge agrees with probability one half: no decision is right, and any is an error
  fl::core::CounterRandom random(5, fl::core::Stream::start_latents, 0);
  const double confidence = 1.0 - 0.05 / static_cast<double>(fl::analysis::validity_analyses.size());
  int wrong = 0;
  constexpr int runs = 2000;
  for (int run = 0; run < runs; ++run) {
    std::int64_t agreed = 0, flips = 0;
    for (const std::int64_t interim : fl::analysis::validity_analyses) {
      for (; flips < 64 * interim; ++flips) agreed += random.uniform() < 0.5 ? 1 : 0;
      const auto validity = fl::analysis::validity_of_counts(agreed, flips, confidence);
      if (validity.decision == fl::analysis::ValidityDecision::undecided) continue;
      ++wrong;
      break;
    }
  }
  CHECK(wrong <= 137);  // binomial(2000, .05) exceeds it with probability 1e-4
}
