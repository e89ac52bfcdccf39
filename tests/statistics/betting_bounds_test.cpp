// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/confidence_sequence.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;
using fl::statistics::MeanSide;
using fl::statistics::ValueCounts;

namespace {

struct Weighted {
  double value, probability;
};
using Population = std::vector<Weighted>;

double mean_of(const Population& population) {
  double mean = 0.0;
  for (const Weighted& w : population) mean += w.value * w.probability;
  return mean;
}

double draw(const Population& population, fl::core::CounterRandom& random) {
  double u = random.uniform();
  for (const Weighted& w : population) {
    if (u < w.probability) return w.value;
    u -= w.probability;
  }
  return population.back().value;
}

fl::core::CounterRandom trial_random(std::int64_t trial) { return {23, fl::core::Stream::permutations, trial}; }

/// Three values with a variance from .01 to 1, and means other than 0; five values, as pairs of conditions have them.
const std::vector<Population> populations = {
    {{0.0, 0.99}, {1.0, 0.005}, {-1.0, 0.005}},
    {{0.0, 0.9}, {1.0, 0.05}, {-1.0, 0.05}},
    {{1.0, 0.5}, {-1.0, 0.5}},
    {{0.0, 0.88}, {1.0, 0.1}, {-1.0, 0.02}},
    {{0.0, 0.5}, {1.0, 0.05}, {-1.0, 0.45}},
    {{0.0, 0.7}, {0.5, 0.1}, {-0.5, 0.1}, {1.0, 0.05}, {-1.0, 0.05}},
    {{0.0, 0.6}, {0.5, 0.3}, {-0.5, 0.05}, {1.0, 0.04}, {-1.0, 0.01}},
};

/// The capital as it is defined: twenty products of factors, in long double, averaged.
long double capital_by_products(const std::vector<double>& values, double null_mean, double sign) {
  long double sum = 0.0L;
  for (int j = 0; j < 20; ++j) {
    const long double lambda =
        0.004L * powl(0.95L / 0.004L, static_cast<long double>(j) / 19.0L) / (1.0L + sign * null_mean);
    long double product = 1.0L;
    for (const double value : values) product *= 1.0L + lambda * sign * (static_cast<long double>(value) - null_mean);
    sum += product / 20.0L;
  }
  return sum;
}

std::vector<double> mixed_values(std::int64_t trial, std::int64_t n) {
  fl::core::CounterRandom random = trial_random(trial);
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i) {
    const double u = random.uniform();
    values.push_back(u < 0.5 ? draw(populations[5], random) : 2.0 * random.uniform() - 1.0);
  }
  return values;
}

}  // namespace

TEST_CASE("betting capital is the mean of its products, value by value and counted") {
  for (std::int64_t trial = 0; trial < 5; ++trial) {
    const std::vector<double> values = mixed_values(trial, 150);
    const ValueCounts counts(values);
    CHECK(counts.size() == 150);
    for (const double null_mean : {-0.9, -0.3, 0.0, 0.02, 0.5, 0.97}) {
      for (const MeanSide side : {MeanSide::above, MeanSide::below}) {
        fl::statistics::BettingCapital capital(null_mean, side);
        for (const double value : values) capital.add(value);
        const double right =
            static_cast<double>(logl(capital_by_products(values, null_mean, side == MeanSide::above ? 1.0 : -1.0)));
        CHECK(capital.log_capital() == Approx(right).epsilon(1e-10).margin(1e-10));
        CHECK(fl::statistics::log_betting_capital(counts, null_mean, side) ==
              Approx(right).epsilon(1e-10).margin(1e-10));
      }
    }
  }
}

TEST_CASE("counted values know their mean and their second moment, whatever the order") {
  ValueCounts counts;
  counts.add(0.5);
  counts.add(-1.0, 3);
  counts.add(0.5, 2);
  counts.add(0.25, 0);
  CHECK(counts.groups().size() == 2);
  CHECK(counts.groups()[0] == fl::statistics::ValueCount{-1.0, 3});
  CHECK(counts.groups()[1] == fl::statistics::ValueCount{0.5, 3});
  CHECK(counts.size() == 6);
  CHECK(counts.mean() == Approx(-0.25));
  CHECK(counts.second_moment() == Approx(0.625));
  const ValueCounts none;
  CHECK(none.mean() == 0.0);
  CHECK(none.second_moment() == 0.0);
}

TEST_CASE("betting capital at the true mean reaches 1 over alpha no more often than alpha over all interim analyses") {
  constexpr std::int64_t trials = 10'000;
  for (std::size_t p = 0; p < populations.size(); ++p) {
    const double mean = mean_of(populations[p]);
    std::int64_t above = 0;
    std::int64_t below = 0;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      fl::core::CounterRandom random = trial_random(trial + 20'000 * static_cast<std::int64_t>(p));
      ValueCounts counts;
      bool claimed_above = false;
      bool claimed_below = false;
      for (std::int64_t n = 1; n <= 512; ++n) {
        counts.add(draw(populations[p], random));
        if (n < 128 || n % 64 != 0) continue;
        const double critical_value = std::log(20.0);
        claimed_above =
            claimed_above || fl::statistics::log_betting_capital(counts, mean, MeanSide::above) >= critical_value;
        claimed_below =
            claimed_below || fl::statistics::log_betting_capital(counts, mean, MeanSide::below) >= critical_value;
      }
      above += claimed_above ? 1 : 0;
      below += claimed_below ? 1 : 0;
    }
    INFO("population " << p << ": above " << above << ", below " << below << " of " << trials);
    CHECK(above <= most_events(trials, 0.05));
    CHECK(below <= most_events(trials, 0.05));
    if (p == 1 || p == 2) CHECK(above + below >= fewest_events(2 * trials, 0.002));  // the bound is not idle
  }
}

TEST_CASE("betting capital holds its level when every single value is an analysis") {
  constexpr std::int64_t trials = 10'000;
  std::int64_t claims = 0;
  for (std::int64_t trial = 0; trial < trials; ++trial) {
    fl::core::CounterRandom random = trial_random(trial + 500'000);
    fl::statistics::BettingCapital capital(0.08, MeanSide::above);
    bool claimed = false;
    for (std::int64_t n = 0; n < 100 && !claimed; ++n) {
      capital.add(draw(populations[3], random));
      claimed = capital.log_capital() >= std::log(20.0);
    }
    claims += claimed ? 1 : 0;
  }
  INFO(claims << " of " << trials);
  CHECK(claims <= most_events(trials, 0.05));
  CHECK(claims >= 5);
}

TEST_CASE("betting bounds are the means at which the capital reaches 1 over alpha") {
  for (std::int64_t trial = 0; trial < 20; ++trial) {
    const ValueCounts counts(mixed_values(trial, 60 + 40 * trial));
    for (const double alpha : {0.2, 0.05, 0.001}) {
      const fl::statistics::Interval bounds = fl::statistics::betting_interval(counts, alpha);
      CHECK(bounds.lower < counts.mean());
      CHECK(counts.mean() < bounds.upper);
      const double critical_value = -std::log(alpha);
      CHECK(fl::statistics::log_betting_capital(counts, bounds.lower, MeanSide::above) ==
            Approx(critical_value).epsilon(1e-6));
      CHECK(fl::statistics::log_betting_capital(counts, bounds.upper, MeanSide::below) ==
            Approx(critical_value).epsilon(1e-6));
      CHECK(fl::statistics::log_betting_capital(counts, bounds.lower, MeanSide::above) >= critical_value - 1e-12);
    }
    double before = std::numeric_limits<double>::infinity();
    for (double null_mean = -0.99; null_mean < 1.0; null_mean += 0.01) {
      const double capital = fl::statistics::log_betting_capital(counts, null_mean, MeanSide::above);
      CHECK(capital < before);
      before = capital;
    }
  }
}

TEST_CASE("betting bounds of all interim analyses cover the mean together") {
  constexpr std::int64_t trials = 2'000;
  for (const std::size_t p : {std::size_t{1}, std::size_t{6}}) {
    const double mean = mean_of(populations[p]);
    std::int64_t missed = 0;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      fl::core::CounterRandom random = trial_random(trial + 700'000);
      ValueCounts counts;
      fl::statistics::Interval running{-1.0, 1.0};
      for (std::int64_t n = 1; n <= 512; ++n) {
        counts.add(draw(populations[p], random));
        if (n < 128 || n % 64 != 0) continue;
        const fl::statistics::Interval now = fl::statistics::betting_interval(counts, 0.05);
        running = {std::max(running.lower, now.lower), std::min(running.upper, now.upper)};
      }
      missed += running.contains(mean) ? 0 : 1;
      REQUIRE(running.width() < 0.35);
    }
    INFO("population " << p << ": " << missed << " of " << trials);
    CHECK(missed <= most_events(trials, 0.1));
  }
}

TEST_CASE("a mean monitor decides as the effect decision does, once, and keeps it") {
  std::int64_t decided = 0;
  for (std::int64_t trial = 0; trial < 200; ++trial) {
    fl::core::CounterRandom random = trial_random(trial + 800'000);
    fl::statistics::MeanMonitor monitor(0.05, 0.05);
    ValueCounts counts;
    auto first = fl::statistics::EffectDecision::undecided;
    std::int64_t first_at = 0;
    for (std::int64_t n = 1; n <= 1024; ++n) {
      const double value = draw(populations[trial % 2 == 0 ? 3 : 1], random);
      monitor.add(value);
      counts.add(value);
      if (n < 128 || n % 64 != 0) continue;
      if (first == fl::statistics::EffectDecision::undecided) {
        first = fl::statistics::decide_effect(counts, 0.05, 0.05);
        first_at = n;
      }
      const std::optional<MeanSide> side = monitor.analyze();
      REQUIRE(side.has_value() == (first != fl::statistics::EffectDecision::undecided));
      if (!side) continue;
      CHECK((*side == MeanSide::above) == (first == fl::statistics::EffectDecision::changes));
      CHECK(monitor.decided_at() == first_at);
      const fl::statistics::Interval bounds = fl::statistics::betting_interval(counts, 0.05);
      if (n == first_at) CHECK((*side == MeanSide::above ? bounds.lower >= 0.05 - 1e-9 : bounds.upper <= 0.05 + 1e-9));
    }
    decided += monitor.decided_at() > 0 ? 1 : 0;
    CHECK(monitor.size() == 1024);
  }
  CHECK(decided > 50);
}

TEST_CASE("betting needs fewer values than beta-binomial sequences of the two rates") {
  // {P(1), P(−1)}: the rates of latents that an edit breaks and repairs
  const std::vector<Population> changing = {
      {{0.0, 0.93}, {1.0, 0.06}, {-1.0, 0.01}},
      {{0.0, 0.8}, {1.0, 0.16}, {-1.0, 0.04}},
      {{0.0, 0.955}, {1.0, 0.045}, {-1.0, 0.0}},
      {{0.0, 0.4}, {1.0, 0.45}, {-1.0, 0.15}},
  };
  constexpr std::int64_t trials = 200;
  for (const Population& population : changing) {
    double betting = 0.0;
    double sequences = 0.0;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      fl::core::CounterRandom random = trial_random(trial + 900'000);
      ValueCounts counts;
      std::int64_t up = 0;
      std::int64_t down = 0;
      std::int64_t decided[2] = {0, 0};
      for (std::int64_t n = 1; n <= 8192 && (decided[0] == 0 || decided[1] == 0); ++n) {
        const double value = draw(population, random);
        counts.add(value);
        up += value > 0.0 ? 1 : 0;
        down += value < 0.0 ? 1 : 0;
        if (n < 64 || n % 16 != 0) continue;
        if (decided[0] == 0 &&
            fl::statistics::decide_effect(counts, 0.005, 0.05) == fl::statistics::EffectDecision::changes)
          decided[0] = n;
        if (decided[1] == 0 && fl::statistics::rate_sequence_interval(up, n, 0.025).lower -
                                       fl::statistics::rate_sequence_interval(down, n, 0.025).upper >
                                   0.005)
          decided[1] = n;
      }
      betting += static_cast<double>(decided[0] == 0 ? 8192 : decided[0]) / trials;
      sequences += static_cast<double>(decided[1] == 0 ? 8192 : decided[1]) / trials;
    }
    INFO("mean values needed: betting " << betting << ", sequences " << sequences);
    CHECK(sequences > 1.3 * betting);
  }
}

TEST_CASE("the forecast of samples is one to two times what decisions take") {
  struct Case {
    Population population;
    double null_mean;
  };
  const std::vector<Case> cases = {{{{0.0, 0.93}, {1.0, 0.06}, {-1.0, 0.01}}, 0.005},
                                   {{{0.0, 0.8}, {1.0, 0.13}, {-1.0, 0.07}}, 0.01},
                                   {{{0.0, 0.9}, {1.0, 0.05}, {-1.0, 0.05}}, 0.05},
                                   {{{0.0, 0.7}, {0.5, 0.2}, {1.0, 0.05}, {-1.0, 0.05}}, 0.03}};
  for (const Case& item : cases) {
    ValueCounts expected;
    for (const Weighted& w : item.population)
      expected.add(w.value, static_cast<std::int64_t>(std::lround(1e4 * w.probability)));
    const std::optional<std::int64_t> forecast = fl::statistics::forecast_samples(expected, item.null_mean, 0.05);
    REQUIRE(forecast.has_value());
    std::vector<std::int64_t> needed;
    for (std::int64_t trial = 0; trial < 201; ++trial) {
      fl::core::CounterRandom random = trial_random(trial + 1'000'000);
      ValueCounts counts;
      std::int64_t n = 0;
      do {
        for (int i = 0; i < 8; ++i, ++n) counts.add(draw(item.population, random));
      } while (n < 20'000 && fl::statistics::decide_effect(counts, item.null_mean, 0.05) ==
                                 fl::statistics::EffectDecision::undecided);
      needed.push_back(n);
    }
    std::sort(needed.begin(), needed.end());
    INFO("forecast " << *forecast << ", median " << needed[100]);
    CHECK(static_cast<double>(*forecast) > static_cast<double>(needed[100]));
    CHECK(static_cast<double>(*forecast) < 2.2 * static_cast<double>(needed[100]));
  }
}

TEST_CASE("a forecast is the first number whose expected log capital suffices, and empty where no bet wins") {
  const ValueCounts ones(std::vector<double>(10, 1.0));
  // The boldest bet wins log(1 + .95) a value at the null mean 0
  CHECK(fl::statistics::forecast_samples(ones, 0.0, 0.05) ==
        static_cast<std::int64_t>(std::ceil(std::log(400.0) / std::log1p(0.95))));
  CHECK_FALSE(fl::statistics::forecast_samples(ValueCounts(), 0.0).has_value());
  CHECK_FALSE(fl::statistics::forecast_samples(ValueCounts(std::vector<double>{1.0, -1.0}), 0.0).has_value());
  CHECK_FALSE(fl::statistics::forecast_samples(ValueCounts(std::vector<double>(5, 0.25)), 0.25).has_value());
}

TEST_CASE("betting bounds know their ends") {
  const ValueCounts none;
  CHECK(fl::statistics::betting_interval(none) == fl::statistics::Interval{-1.0, 1.0});
  CHECK(fl::statistics::decide_effect(none, 0.01) == fl::statistics::EffectDecision::undecided);
  CHECK(fl::statistics::log_betting_capital(none, 0.3, MeanSide::above) == Approx(0.0).margin(1e-15));

  ValueCounts zeros;
  zeros.add(0.0, 4096);
  const fl::statistics::Interval at_zero = fl::statistics::betting_interval(zeros, 0.05);
  CHECK(at_zero.lower < 0.0);
  CHECK(at_zero.lower > -0.003);
  CHECK(at_zero.upper == Approx(-at_zero.lower));
  CHECK(fl::statistics::decide_effect(zeros, 0.005) == fl::statistics::EffectDecision::does_not);

  ValueCounts ones;
  ones.add(1.0, 128);
  CHECK(fl::statistics::betting_upper_bound(ones) == 1.0);
  CHECK(fl::statistics::betting_lower_bound(ones) > 0.9);
  CHECK(fl::statistics::decide_effect(ones, 0.5) == fl::statistics::EffectDecision::changes);
  ValueCounts minus;
  minus.add(-1.0, 128);
  CHECK(fl::statistics::betting_lower_bound(minus) == -1.0);
  CHECK(fl::statistics::betting_upper_bound(minus) == Approx(-fl::statistics::betting_lower_bound(ones)));
  CHECK(fl::statistics::decide_effect(minus, 0.5) == fl::statistics::EffectDecision::does_not);

  ValueCounts rare;  // the lower bound of a mean just above −1
  rare.add(-1.0, 1'000'000);
  rare.add(1.0);
  CHECK(fl::statistics::betting_lower_bound(rare) >= -1.0);
  CHECK(fl::statistics::betting_lower_bound(rare) < rare.mean());

  ValueCounts single;
  single.add(1.0);
  CHECK(fl::statistics::betting_lower_bound(single) > -1.0);
}

TEST_CASE("betting refuses values and null means out of range") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ValueCounts counts;
  CHECK_THROWS_AS(counts.add(1.0 + 1e-9), fl::Error);
  CHECK_THROWS_AS(counts.add(-1.5), fl::Error);
  CHECK_THROWS_AS(counts.add(nan), fl::Error);
  CHECK_THROWS_AS(counts.add(0.5, -1), fl::Error);
  CHECK(counts.size() == 0);
  CHECK_THROWS_AS(ValueCounts(std::vector<double>{0.0, 2.0}), fl::Error);
  for (const double null_mean : {-1.0, 1.0, nan}) {
    CHECK_THROWS_AS(fl::statistics::log_betting_capital(counts, null_mean, MeanSide::above), fl::Error);
    CHECK_THROWS_AS(fl::statistics::BettingCapital(null_mean, MeanSide::below), fl::Error);
    CHECK_THROWS_AS(fl::statistics::MeanMonitor(null_mean), fl::Error);
    CHECK_THROWS_AS(fl::statistics::decide_effect(counts, null_mean), fl::Error);
    CHECK_THROWS_AS(fl::statistics::forecast_samples(counts, null_mean), fl::Error);
  }
  for (const double alpha : {0.0, 1.0, nan}) {
    CHECK_THROWS_AS(fl::statistics::betting_lower_bound(counts, alpha), fl::Error);
    CHECK_THROWS_AS(fl::statistics::betting_upper_bound(counts, alpha), fl::Error);
    CHECK_THROWS_AS(fl::statistics::MeanMonitor(0.0, alpha), fl::Error);
    CHECK_THROWS_AS(fl::statistics::decide_effect(counts, 0.0, alpha), fl::Error);
    CHECK_THROWS_AS(fl::statistics::forecast_samples(counts, 0.0, alpha), fl::Error);
  }
  fl::statistics::BettingCapital capital(0.0, MeanSide::above);
  CHECK_THROWS_AS(capital.add(1.1), fl::Error);
  CHECK(capital.size() == 0);
  fl::statistics::MeanMonitor monitor(0.0);
  CHECK_THROWS_AS(monitor.add(nan), fl::Error);
  CHECK(monitor.size() == 0);
}
