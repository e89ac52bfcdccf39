// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/attributable_fraction.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;
using fl::statistics::AttributableFraction;
using fl::statistics::PairedCounts;

namespace {

std::optional<AttributableFraction> fraction(std::int64_t both, std::int64_t repaired, std::int64_t broken,
                                             std::int64_t neither = 0, double confidence = 0.95) {
  return fl::statistics::attributable_fraction(
      {.both_right = neither, .only_first_fails = repaired, .only_second_fails = broken, .both_fail = both},
      confidence);
}

/// Score statistic of a ratio of paired rates in closed form: the probability of `only before` that is most likely
/// given the ratio is the root of a quadratic (Nam and Blackwelder 2002).
double closed_form_score(double both, double repaired, double broken, double ratio) {
  const double n = both + repaired + broken;
  // (1 + R) q − (1 − R) is the variance of one latent; q from A q² + B q + C = 0
  const double a = n * (1.0 + ratio);
  const double b = (both + repaired) * ratio * ratio - (both + broken + 2.0 * repaired);
  const double c = repaired * (1.0 - ratio);
  const double q = (-b + std::sqrt(std::max(0.0, b * b - 4.0 * a * c))) / (2.0 * a);
  const double sum = both + broken - ratio * (both + repaired);
  const double variance = n * ((1.0 + ratio) * q - (1.0 - ratio));
  return (std::abs(sum) - 0.5 * (1.0 + ratio)) / std::sqrt(variance);
}

double log_multinomial(std::int64_t a, std::int64_t b, std::int64_t c) {
  const auto lf = [](std::int64_t n) { return std::lgamma(static_cast<double>(n) + 1.0); };
  return lf(a + b + c) - lf(a) - lf(b) - lf(c);
}

double log_power(double p, std::int64_t k) { return k == 0 ? 0.0 : static_cast<double>(k) * std::log(p); }

}  // namespace

TEST_CASE("an attributable fraction is what the change takes away, less what it breaks") {
  const auto some = fraction(38, 72, 4, 886);
  REQUIRE(some.has_value());
  CHECK(some->value == Approx(68.0 / 110.0));
  CHECK(some->interval.contains(some->value));
  const std::vector<std::uint8_t> before = {1, 1, 1, 0, 0, 1};
  const std::vector<std::uint8_t> after = {0, 0, 1, 1, 0, 0};
  const auto counted = fl::statistics::attributable_fraction(fl::statistics::count_pairs(before, after));
  REQUIRE(counted.has_value());
  CHECK(counted->value == Approx(0.5));
}

TEST_CASE("limits of an attributable fraction solve the score equation in its closed form") {
  for (const std::array<std::int64_t, 3> c :
       {std::array<std::int64_t, 3>{38, 72, 4}, {5, 2, 1}, {0, 9, 3}, {20, 0, 7}, {60, 1, 1}, {3, 3, 40}}) {
    const auto af = fraction(c[0], c[1], c[2]);
    REQUIRE(af.has_value());
    for (const double limit : {af->interval.lower, af->interval.upper}) {
      INFO(c[0] << " " << c[1] << " " << c[2] << ": limit " << limit);
      CHECK(closed_form_score(static_cast<double>(c[0]), static_cast<double>(c[1]), static_cast<double>(c[2]),
                              1.0 - limit) == Approx(1.959964).epsilon(1e-5));
    }
  }
}

TEST_CASE("an attributable fraction is sane where cells are empty") {
  CHECK_FALSE(fraction(0, 0, 0, 100).has_value());
  CHECK_FALSE(fraction(0, 0, 5, 100).has_value());
  for (const auto& c : std::vector<std::array<std::int64_t, 3>>{{1, 0, 0},
                                                                {0, 1, 0},
                                                                {30, 0, 0},
                                                                {0, 30, 0},
                                                                {30, 0, 3},
                                                                {0, 30, 3},
                                                                {30, 3, 0},
                                                                {1, 0, 500},
                                                                {5000, 1, 1}}) {
    const auto af = fraction(c[0], c[1], c[2], 1000);
    REQUIRE(af.has_value());
    INFO(c[0] << " " << c[1] << " " << c[2] << ": " << af->interval.lower << " to " << af->interval.upper);
    CHECK(std::isfinite(af->interval.lower));
    CHECK(af->interval.lower < af->value);
    CHECK(af->value <= af->interval.upper);
    CHECK(af->interval.upper <= 1.0);
    const bool ended = c[0] == 0 && c[2] == 0;
    CHECK((af->interval.upper == 1.0) == ended);
    // What failed neither time says nothing
    CHECK(fraction(c[0], c[1], c[2], 0)->interval == af->interval);
  }
  CHECK(fraction(0, 30, 0)->value == 1.0);
  CHECK(fraction(0, 30, 0)->interval.upper == 1.0);
  CHECK(fraction(0, 30, 0)->interval.lower > 0.8);
  CHECK(fraction(30, 0, 0)->value == 0.0);
  CHECK(fraction(30, 0, 0)->interval.width() < 0.4);
  CHECK(fraction(380, 720, 40, 8860, 0.9)->interval.width() < fraction(380, 720, 40, 8860, 0.99)->interval.width());
}

TEST_CASE("the interval of an attributable fraction covers: enumeration over all outcomes of the latents that fail") {
  double lowest = 1.0;
  double sum = 0.0;
  std::int64_t cells = 0;
  for (const std::int64_t n : {1, 2, 3, 5, 8, 13, 20, 30}) {
    struct Outcome {
      std::int64_t both, repaired, broken;
      double log_ways;
      fl::statistics::Interval interval;
    };
    std::vector<Outcome> outcomes;
    for (std::int64_t a = 0; a <= n; ++a) {
      for (std::int64_t b = a == 0 ? 1 : 0; a + b <= n; ++b)
        outcomes.push_back({a, b, n - a - b, log_multinomial(a, b, n - a - b), fraction(a, b, n - a - b)->interval});
    }
    for (double both = 0.0; both < 1.001; both += 0.05) {
      for (double repaired = 0.0; both + repaired < 1.001; repaired += 0.05) {
        const double broken = std::max(0.0, 1.0 - both - repaired);
        const double failed = both + repaired;
        const double truth = failed > 0.0 ? (repaired - broken) / failed : -2.0;
        if (truth < -1.0) continue;
        double covered = 0.0;
        double total = 0.0;
        for (const Outcome& o : outcomes) {
          const double mass = std::exp(o.log_ways + log_power(both, o.both) + log_power(repaired, o.repaired) +
                                       log_power(broken < 1e-9 ? 0.0 : broken, o.broken));
          total += mass;
          if (o.interval.lower <= truth + 1e-9 && truth <= o.interval.upper + 1e-9) covered += mass;
        }
        INFO(n << " failing, " << both << " both, " << repaired << " repaired");
        CHECK(covered / total >= 0.95);
        lowest = std::min(lowest, covered / total);
        sum += covered / total;
        ++cells;
      }
    }
  }
  INFO("lowest " << lowest << ", mean " << sum / static_cast<double>(cells));
  CHECK(cells > 1000);
  CHECK(lowest < 0.97);  // not needlessly wide
}

TEST_CASE("the interval of an attributable fraction covers in samples of a given size: simulation") {
  struct World {
    double both, repaired, broken;
  };
  // Fractions 1, .9, .6, 0 with and without changes, −.5; failure rates from 1 % to 40 %
  const std::vector<World> worlds = {{0.0, 0.05, 0.0},   {0.01, 0.09, 0.0}, {0.04, 0.07, 0.004}, {0.1, 0.0, 0.0},
                                     {0.05, 0.02, 0.02}, {0.04, 0.0, 0.02}, {0.004, 0.006, 0.0}, {0.1, 0.3, 0.05}};
  constexpr std::int64_t trials = 3'000;
  double worst = 1.0;
  for (std::size_t w = 0; w < worlds.size(); ++w) {
    const World& world = worlds[w];
    const double truth = (world.repaired - world.broken) / (world.both + world.repaired);
    for (const std::int64_t n : {128, 1024}) {
      std::map<std::array<std::int64_t, 3>, bool> known;
      std::int64_t covered = 0;
      std::int64_t measured = 0;
      for (std::int64_t trial = 0; trial < trials; ++trial) {
        fl::core::CounterRandom random(37, fl::core::Stream::permutations,
                                       trial + 10'000 * static_cast<std::int64_t>(w));
        std::array<std::int64_t, 3> counts{};
        for (std::int64_t i = 0; i < n; ++i) {
          const double u = random.uniform();
          if (u < world.both) ++counts[0];
          else if (u < world.both + world.repaired) ++counts[1];
          else if (u < world.both + world.repaired + world.broken) ++counts[2];
        }
        if (counts[0] + counts[1] == 0) continue;
        auto place = known.find(counts);
        if (place == known.end()) {
          const fl::statistics::Interval interval = fraction(counts[0], counts[1], counts[2])->interval;
          place = known.emplace(counts, interval.lower <= truth + 1e-9 && truth <= interval.upper + 1e-9).first;
        }
        ++measured;
        covered += place->second ? 1 : 0;
      }
      INFO("world " << w << ", " << n << " latents: " << covered << " of " << measured);
      REQUIRE(measured > trials / 2);
      CHECK(covered >= fewest_events(measured, 0.95));
      worst = std::min(worst, static_cast<double>(covered) / static_cast<double>(measured));
    }
  }
  INFO("worst coverage " << worst);
  CHECK(worst < 0.985);
}

namespace {

/// One kind of latent: its outcomes as it was, with a set, with b set, with both set, and its probability.
struct Kind {
  std::uint8_t before, a, b, both;
  double probability;
};
using Kinds = std::vector<Kind>;

double true_overlap(const Kinds& kinds) {
  double y = 0.0;
  double f = 0.0;
  for (const Kind& kind : kinds) {
    y += kind.probability * (kind.a + kind.b - kind.both);
    f += kind.probability * kind.before;
  }
  return 1.0 - y / f;
}

const Kind by_a{1, 0, 1, 0, 0.0}, by_b{1, 1, 0, 0, 0.0}, by_either{1, 0, 0, 0, 0.0}, by_both{1, 1, 1, 0, 0.0},
    by_none{1, 1, 1, 1, 0.0}, broken_by_a{0, 1, 0, 1, 0.0}, broken_by_both{0, 0, 0, 1, 0.0};

Kind with(Kind kind, double probability) {
  kind.probability = probability;
  return kind;
}

}  // namespace

TEST_CASE(
    "an overlap is one where failures need both causes, none where causes act apart, negative where either does") {
  const auto overlap = [](const std::vector<Kind>& latents) {
    std::vector<std::uint8_t> before, a, b, both;
    for (const Kind& kind : latents) {
      before.push_back(kind.before);
      a.push_back(kind.a);
      b.push_back(kind.b);
      both.push_back(kind.both);
    }
    return fl::statistics::attributable_overlap(before, a, b, both);
  };
  CHECK(overlap(Kinds(20, by_either))->value == 1.0);
  CHECK(overlap(Kinds(20, by_both))->value == -1.0);
  Kinds apart(10, by_a);
  apart.insert(apart.end(), 10, by_b);
  apart.insert(apart.end(), 5, by_none);
  const auto none = overlap(apart);
  CHECK(none->value == 0.0);
  CHECK(none->interval.contains(0.0));
  CHECK(none->interval.width() > 0.05);  // what was not seen may still be there
  CHECK(none->interval.width() < 1.0);
  const auto broken = overlap({by_a, by_a, broken_by_a, broken_by_both, by_either});
  CHECK(broken->value == Approx(1.0 - (2.0 + 0.0 - 1.0 + 0.0) / 3.0));
  CHECK(std::isfinite(broken->interval.lower));
  CHECK(std::isfinite(broken->interval.upper));
  CHECK_FALSE(overlap({broken_by_a, broken_by_both}).has_value());
  CHECK_FALSE(overlap({}).has_value());
  const auto huge = overlap(Kinds(20'000, by_either));
  CHECK(huge->interval.width() < 0.01);
}

TEST_CASE("the interval of an overlap covers: simulation") {
  const std::vector<Kinds> worlds = {
      {with(by_a, 0.05), with(by_b, 0.05), with(by_none, 0.02), with(broken_by_a, 0.002)},
      {with(by_either, 0.08)},
      {with(by_either, 0.06), with(by_a, 0.01), with(by_b, 0.01), with(by_none, 0.02), with(broken_by_both, 0.003)},
      {with(by_both, 0.05), with(by_a, 0.01), with(by_b, 0.01), with(by_none, 0.01)},
      {with(by_either, 0.02), with(by_both, 0.02), with(by_a, 0.03), with(by_b, 0.03), with(broken_by_a, 0.01),
       with(broken_by_both, 0.01)},
  };
  constexpr std::int64_t trials = 1'500;
  double worst = 1.0;
  for (std::size_t w = 0; w < worlds.size(); ++w) {
    const double truth = true_overlap(worlds[w]);
    for (const std::int64_t n : {128, 1024}) {
      std::int64_t covered = 0;
      std::int64_t measured = 0;
      std::vector<std::uint8_t> before, a, b, both;
      for (std::int64_t trial = 0; trial < trials; ++trial) {
        fl::core::CounterRandom random(41, fl::core::Stream::permutations,
                                       trial + 10'000 * static_cast<std::int64_t>(w));
        before.clear(), a.clear(), b.clear(), both.clear();
        for (std::int64_t i = 0; i < n; ++i) {
          double u = random.uniform();
          Kind drawn{0, 0, 0, 0, 0.0};
          for (const Kind& kind : worlds[w]) {
            if (u >= 0.0 && u < kind.probability) drawn = kind;
            u -= kind.probability;
          }
          before.push_back(drawn.before);
          a.push_back(drawn.a);
          b.push_back(drawn.b);
          both.push_back(drawn.both);
        }
        const auto overlap = fl::statistics::attributable_overlap(before, a, b, both);
        if (!overlap) continue;
        ++measured;
        covered += overlap->interval.lower <= truth + 1e-9 && truth <= overlap->interval.upper + 1e-9 ? 1 : 0;
      }
      INFO("world " << w << ", " << n << " latents: " << covered << " of " << measured << " around " << truth);
      REQUIRE(measured > trials / 2);
      CHECK(covered >= fewest_events(measured, 0.945));
      worst = std::min(worst, static_cast<double>(covered) / static_cast<double>(measured));
    }
  }
  INFO("worst coverage " << worst);
  CHECK(worst < 0.97);
}

TEST_CASE("a difference of fractions is that of both, and covers: simulation") {
  using Outcomes = std::vector<std::uint8_t>;
  const auto difference = [](const Outcomes& a, const Outcomes& a_after, const Outcomes& b, const Outcomes& b_after) {
    return fl::statistics::attributable_difference(a, a_after, b, b_after);
  };
  {
    const Outcomes a = {1, 1, 1, 1, 0, 0}, repaired = {0, 0, 0, 1, 0, 0}, none(6, 0);
    CHECK(difference(a, repaired, a, a)->value == Approx(0.75));
    const auto same = difference(a, repaired, a, repaired);
    CHECK(same->value == 0.0);
    CHECK(same->interval.contains(0.0));
    CHECK(same->interval.width() > 0.05);  // six latents do not show that two classifiers are alike
    CHECK_FALSE(difference(none, none, a, repaired).has_value());
    CHECK_FALSE(difference(a, repaired, none, none).has_value());
    const auto turned = difference(a, a, a, repaired);
    CHECK(turned->interval.lower == Approx(-difference(a, repaired, a, a)->interval.upper));
  }
  // Of each latent: whether either fails before and after; failures that both have, that one has, that a change breaks.
  struct PairKind {
    std::uint8_t a, a_after, b, b_after;
    double probability;
  };
  using PairWorld = std::vector<PairKind>;
  const std::vector<PairWorld> worlds = {
      {{1, 0, 1, 0, 0.05}, {1, 1, 1, 1, 0.03}},                                          // alike
      {{1, 0, 0, 0, 0.06}, {0, 0, 1, 1, 0.04}, {1, 1, 1, 1, 0.02}},                      // one is repaired
      {{1, 0, 1, 1, 0.04}, {1, 1, 1, 0, 0.04}, {1, 1, 1, 1, 0.02}},                      // against each other
      {{1, 0, 1, 0, 0.1}, {1, 0, 0, 0, 0.1}, {1, 1, 1, 1, 0.05}, {0, 0, 1, 1, 0.01}},    // many
      {{1, 0, 1, 0, 0.02}, {0, 1, 0, 1, 0.01}, {1, 1, 0, 0, 0.02}, {0, 0, 1, 1, 0.01}},  // and broken
      {{1, 0, 0, 0, 0.08}, {0, 0, 1, 0, 0.01}, {0, 0, 1, 1, 0.002}},                     // one seldom fails
  };
  constexpr std::int64_t trials = 2'000;
  double worst = 1.0;
  for (std::size_t w = 0; w < worlds.size(); ++w) {
    double fails[2] = {0, 0}, after[2] = {0, 0};
    for (const PairKind& kind : worlds[w]) {
      fails[0] += kind.a * kind.probability, after[0] += kind.a_after * kind.probability;
      fails[1] += kind.b * kind.probability, after[1] += kind.b_after * kind.probability;
    }
    const double truth = after[1] / fails[1] - after[0] / fails[0];
    for (const std::int64_t n : {128, 1024}) {
      std::int64_t covered = 0, measured = 0;
      for (std::int64_t trial = 0; trial < trials; ++trial) {
        fl::core::CounterRandom random(43, fl::core::Stream::permutations,
                                       trial + 10'000 * static_cast<std::int64_t>(w));
        Outcomes drawn[4];
        for (std::int64_t i = 0; i < n; ++i) {
          double u = random.uniform();
          PairKind own{0, 0, 0, 0, 0.0};
          for (const PairKind& kind : worlds[w]) {
            if (u >= 0.0 && u < kind.probability) own = kind;
            u -= kind.probability;
          }
          drawn[0].push_back(own.a);
          drawn[1].push_back(own.a_after);
          drawn[2].push_back(own.b);
          drawn[3].push_back(own.b_after);
        }
        const auto found = difference(drawn[0], drawn[1], drawn[2], drawn[3]);
        if (!found) continue;
        ++measured;
        covered += found->interval.lower <= truth + 1e-9 && truth <= found->interval.upper + 1e-9 ? 1 : 0;
      }
      CAPTURE(w, n, covered, measured, truth);
      REQUIRE(measured > trials / 3);
      CHECK(covered >= fewest_events(measured, 0.95));
      worst = std::min(worst, static_cast<double>(covered) / static_cast<double>(measured));
    }
  }
  CAPTURE(worst);
  CHECK(worst > 0.94);
  CHECK(worst < 0.985);
}

TEST_CASE("attributable fractions refuse impossible counts") {
  CHECK_THROWS_AS(fraction(-1, 2, 3), fl::Error);
  CHECK_THROWS_AS(fraction(1, -2, 3), fl::Error);
  CHECK_THROWS_AS(fraction(1, 2, -3), fl::Error);
  CHECK_THROWS_AS(fraction(1, 2, 3, -1), fl::Error);
  CHECK_THROWS_AS(fraction(1, 2, 3, 4, 1.0), fl::Error);
  const std::vector<std::uint8_t> two = {1, 0};
  const std::vector<std::uint8_t> three = {1, 0, 0};
  CHECK_THROWS_AS(fl::statistics::attributable_overlap(two, three, two, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_overlap(two, two, three, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_overlap(two, two, two, three), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_overlap(two, two, two, two, 0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_difference(two, three, two, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_difference(two, two, three, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_difference(two, two, two, three), fl::Error);
  CHECK_THROWS_AS(fl::statistics::attributable_difference(two, two, two, two, 1.0), fl::Error);
}
