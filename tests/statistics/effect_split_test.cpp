// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Common and specific parts of effects: exact on paper examples, unbiased, and with the stated error rates under
// simulation.

#include <support/catch2.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/effect_split.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fl = faultline;

/// One group's effect from normal samples: `m` values with mean `delta` and standard deviation `spread` against n with
/// mean 0 and deviation 1.
fl::statistics::GroupEffect measured(double delta, std::int64_t m, std::int64_t n, fl::core::CounterRandom& random,
                                     double spread = 1.0) {
  const auto draw = [&](double mean, double deviation, std::int64_t count) {
    std::vector<double> values;
    double sum = 0.0, squares = 0.0;
    for (std::int64_t i = 0; i < count; ++i) sum += values.emplace_back(mean + deviation * random.normal());
    sum /= static_cast<double>(count);
    for (const double v : values) squares += (v - sum) * (v - sum);
    return std::pair(sum, squares / static_cast<double>(count - 1) / static_cast<double>(count));
  };
  const auto [a, va] = draw(delta, spread, m);
  const auto [b, vb] = draw(0.0, 1.0, n);
  const auto dm = static_cast<double>(m), dn = static_cast<double>(n);
  return {a - b, va + vb, (va + vb) * (va + vb) / (va * va / (dm - 1.0) + vb * vb / (dn - 1.0)), dm * dn / (dm + dn)};
}

struct Truth {
  std::string name;
  std::vector<double> effects;
};

double share_of(const std::vector<double>& effects, const std::vector<double>& weights) {
  double total = 0.0, mean = 0.0, square = 0.0;
  for (std::size_t c = 0; c < effects.size(); ++c) total += weights[c];
  for (std::size_t c = 0; c < effects.size(); ++c)
    mean += weights[c] / total * effects[c], square += weights[c] / total * effects[c] * effects[c];
  return std::min(1.0, mean * mean / square);  // rounding
}

}  // namespace

TEST_CASE("an effect split is what its formulas say") {
  // Two groups of weights 1 and 3: mean 2.5, spread .25 · 2.25 + .75 · .25 = .75; noise of the mean .0625 · .1 + .5625
  // · .2 = .11875, of the spread .1875 · .3 = .05625.
  const std::vector<fl::statistics::GroupEffect> groups = {{1.0, 0.1, 20.0, 1.0}, {3.0, 0.2, 30.0, 3.0}};
  const fl::statistics::EffectSplit split = fl::statistics::split_effects(groups);
  CHECK(split.common == Approx(2.5));
  CHECK(split.common_square == Approx(6.25 - 0.11875));
  CHECK(split.specific_square == Approx(0.75 - 0.05625));
  REQUIRE(split.share);
  CHECK(*split.share == Approx(6.13125 / (6.13125 + 0.69375)));
  CHECK(split.interval.contains(*split.share));
  // With two groups Q is the square of Welch's t, and the approximate F its test: t = 2 / √.3, freedom .09 / (.01 / 20
  // + .04 / 30).
  CHECK(split.q == Approx(4.0 / 0.3));
  const double freedom = 0.09 / (0.01 / 20.0 + 0.04 / 30.0);
  CHECK(split.p == Approx(fl::statistics::beta_cdf(0.5 * freedom, 0.5, freedom / (freedom + 4.0 / 0.3))).epsilon(1e-9));
  // Known variances: χ² with two degrees of freedom has the tail exp(-Q / 2).
  const std::vector<fl::statistics::GroupEffect> three = {{1.0, 1.0}, {2.0, 1.0}, {3.0, 1.0}};
  CHECK(fl::statistics::split_effects(three).p == Approx(std::exp(-1.0)).epsilon(1e-4));
}

TEST_CASE(
    "the share is 1 for equal effects, the weight for an effect in one group, 0 for effects that cancel, and empty "
    "without any") {
  const auto share = [](std::vector<double> effects) {
    std::vector<fl::statistics::GroupEffect> groups;
    for (const double effect : effects) groups.push_back({effect, 1e-9});
    return fl::statistics::split_effects(groups);
  };
  CHECK(*share({.7, .7, .7, .7}).share == Approx(1.0));
  CHECK(*share({.7, 0, 0, 0}).share == Approx(0.25).epsilon(1e-4));
  CHECK(*share({.7, -.7}).share == Approx(0.0).margin(1e-6));
  CHECK(share({-.7, -.7}).common == Approx(-0.7));
  CHECK_FALSE(share({0, 0, 0}).share);
  CHECK_FALSE(share({0.5}).share);
  CHECK(share({0.5}).p == 1.0);
}

TEST_CASE("the moments of an effect split are unbiased") {
  const std::vector<double> effects = {0.9, 0.1, 0.5, 0.5};
  double common = 0.0, specific = 0.0, weight = 0.0;
  double true_common = 0.0, true_specific = 0.0;
  constexpr int runs = 4000;
  for (int run = 0; run < runs; ++run) {
    fl::core::CounterRandom random(1, fl::core::Stream::start_latents, run);
    std::vector<fl::statistics::GroupEffect> groups;
    for (std::size_t c = 0; c < effects.size(); ++c)
      groups.push_back(measured(effects[c], 6 + static_cast<std::int64_t>(c), 30, random, 0.7));
    const auto split = fl::statistics::split_effects(groups, {.replicates = 1});
    common += split.common_square / runs;
    specific += split.specific_square / runs;
    if (run > 0) continue;
    for (const auto& g : groups) weight += g.weight;
    for (std::size_t c = 0; c < effects.size(); ++c) true_common += groups[c].weight / weight * effects[c];
    for (std::size_t c = 0; c < effects.size(); ++c)
      true_specific += groups[c].weight / weight * (effects[c] - true_common) * (effects[c] - true_common);
  }
  // Standard errors over 4 000 runs are about .002; 5 of them.
  CHECK(common == Approx(true_common * true_common).margin(0.012));
  CHECK(specific == Approx(true_specific).margin(0.012));
}

TEST_CASE("the test of equal effects keeps its level with few values and unequal spread, and has power") {
  constexpr int runs = 4000;
  const auto rejected = [&](std::int64_t m, std::vector<double> effects) {
    int count = 0;
    for (int run = 0; run < runs; ++run) {
      fl::core::CounterRandom random(2, fl::core::Stream::start_latents, run);
      std::vector<fl::statistics::GroupEffect> groups;
      for (std::size_t c = 0; c < effects.size(); ++c)
        groups.push_back(measured(effects[c], m, 5 * m, random, c % 2 == 0 ? 0.6 : 1.2));
      count += fl::statistics::split_effects(groups, {.replicates = 1}).p <= 0.05 ? 1 : 0;
    }
    return static_cast<double>(count) / runs;
  };
  // Standard error .0034 at 5 %; the bounds are a fifth of the level and four standard errors (false-fail rate below
  // 1e-4 each).
  for (const std::int64_t m : {10, 40}) {
    const double level = rejected(m, std::vector<double>(10, 0.5));
    INFO(m << " values: " << level);
    CHECK(level <= 0.06 + 0.014);
    CHECK(level >= 0.04 - 0.014);
  }
  // Two values against ten, the least that is admitted: about 8.5 %
  CHECK(rejected(2, std::vector<double>(10, 0.5)) <= 0.10 + 0.019);
  CHECK(rejected(40, {1.2, .5, .5, .5, .5, .5, .5, .5, .5, .5}) > 0.8);
}

TEST_CASE("the interval of the share covers") {
  const std::vector<Truth> truths = {
      {"common", std::vector<double>(10, 0.8)},        {"weak", std::vector<double>(10, 0.15)},
      {"mostly", {1, .6, 1, .6, 1, .6, 1, .6, 1, .6}}, {"half", {1, 0, 1, 0, 1, 0, 1, 0, 1, 0}},
      {"one", {1.5, 0, 0, 0, 0, 0, 0, 0, 0, 0}},       {"three groups", {.9, .5, .1}}};
  constexpr int runs = 400;
  for (const Truth& truth : truths) {
    for (const std::int64_t m : {12, 60}) {
      int covered = 0;
      for (int run = 0; run < runs; ++run) {
        fl::core::CounterRandom random(3, fl::core::Stream::start_latents, run);
        std::vector<fl::statistics::GroupEffect> groups;
        std::vector<double> weights;
        for (std::size_t c = 0; c < truth.effects.size(); ++c) {
          groups.push_back(measured(truth.effects[c], m + static_cast<std::int64_t>(c), 6 * m, random));
          weights.push_back(groups.back().weight);
        }
        covered += fl::statistics::split_effects(groups, {.replicates = 199, .seed = run})
                           .interval.contains(share_of(truth.effects, weights))
                       ? 1
                       : 0;
      }
      const double coverage = static_cast<double>(covered) / runs;
      INFO(truth.name << ", " << m << " values: " << coverage);
      CHECK(coverage >= 0.92 - 0.04);  // three standard errors below what is stated
    }
  }
}

TEST_CASE("effects that make no sense are refused, and the interval depends on the seed alone") {
  const auto code = [](std::vector<fl::statistics::GroupEffect> groups,
                       fl::statistics::EffectSplitOptions options = {}) -> std::optional<fl::ErrorCode> {
    try {
      (void)fl::statistics::split_effects(groups, options);
    } catch (const fl::Error& error) {
      return error.code();
    }
    return std::nullopt;
  };
  const double nan = std::nan("");
  CHECK(code({}) == fl::ErrorCode::empty_input);
  for (const fl::statistics::GroupEffect& bad :
       std::vector<fl::statistics::GroupEffect>{{nan, 1}, {1, -1}, {1, nan}, {1, 1, 0}, {1, 1, 5, 0}, {1, 1, 5, nan}})
    CHECK(code({{1.0, 1.0}, bad}) == fl::ErrorCode::invalid_argument);
  CHECK(code({{1.0, 1.0}}, {.replicates = 0}) == fl::ErrorCode::invalid_argument);
  CHECK(code({{1.0, 1.0}}, {.confidence = 1.0}) == fl::ErrorCode::invalid_argument);
  const std::vector<fl::statistics::GroupEffect> groups = {{0.5, 0.04}, {0.9, 0.05}, {0.1, 0.02}};
  CHECK(fl::statistics::split_effects(groups, {.seed = 3}).interval ==
        fl::statistics::split_effects(groups, {.seed = 3}).interval);
  CHECK_FALSE(fl::statistics::split_effects(groups, {.seed = 3}).interval ==
              fl::statistics::split_effects(groups, {.seed = 4}).interval);
}
