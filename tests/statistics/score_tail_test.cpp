// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/score_tail.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

struct Score {
  std::vector<double> p, h;
};

fl::core::CounterRandom trial_random(std::int64_t trial) { return {29, fl::core::Stream::permutations, trial}; }

/// Probabilities between low and high; weights standard normal, or lognormal less their mean: of either sign, skewed.
Score make_score(std::int64_t trial, int n, double low, double high, bool skewed) {
  fl::core::CounterRandom random = trial_random(trial);
  Score score;
  for (int i = 0; i < n; ++i) {
    score.p.push_back(low + (high - low) * random.uniform());
    const double z = random.normal();
    score.h.push_back(skewed ? std::exp(z) - std::exp(0.5) : z);
  }
  return score;
}

/// All values of the score with their probabilities, ascending.
std::vector<std::pair<double, double>> enumerate(const Score& score) {
  std::vector<std::pair<double, double>> all{{0.0, 1.0}};
  for (std::size_t i = 0; i < score.p.size(); ++i) {
    std::vector<std::pair<double, double>> next;
    for (const auto& [value, mass] : all) {
      next.emplace_back(value + score.h[i] * (1.0 - score.p[i]), mass * score.p[i]);
      next.emplace_back(value - score.h[i] * score.p[i], mass * (1.0 - score.p[i]));
    }
    all = std::move(next);
  }
  std::sort(all.begin(), all.end());
  return all;
}

double tail(const Score& score, double observed) {
  return fl::statistics::score_upper_tail(score.p, score.h, observed);
}

double deviation(const Score& score) {
  double variance = 0.0;
  for (std::size_t i = 0; i < score.p.size(); ++i)
    variance += score.h[i] * score.h[i] * score.p[i] * (1.0 - score.p[i]);
  return std::sqrt(variance);
}

/// Largest errors against enumeration at the values that the score takes, where the right answer is anything from P(S >
/// s) to P(S ≥ s): absolute everywhere, relative where the tail is above 1e-3.
struct Errors {
  double absolute = 0.0, relative = 0.0;
};

Errors errors_of(const Score& score) {
  const auto all = enumerate(score);
  Errors errors;
  double above = 0.0;
  for (auto place = all.rbegin(); place != all.rend(); ++place) {
    const double now = tail(score, place->first);
    const double error = std::max({0.0, above - now, now - above - place->second});
    above += place->second;
    errors.absolute = std::max(errors.absolute, error);
    if (above > 1e-3) errors.relative = std::max(errors.relative, error / above);
  }
  return errors;
}

}  // namespace

TEST_CASE("saddlepoint tails agree with full enumeration of up to sixteen outcomes") {
  Errors alike, even, skewed;
  for (std::int64_t trial = 0; trial < 8; ++trial) {
    Score score = make_score(trial, 12, 0.1, 0.9, false);
    for (double& h : score.h) h = h / std::abs(h) * (0.5 + std::min(1.0, std::abs(h)));
    const auto widen = [](Errors& errors, const Errors& now) {
      errors = {std::max(errors.absolute, now.absolute), std::max(errors.relative, now.relative)};
    };
    widen(alike, errors_of(score));
    widen(even, errors_of(make_score(trial, 12, 0.1, 0.9, false)));
    widen(skewed, errors_of(make_score(trial, 12, 0.1, 0.6, true)));
  }
  const Errors sixteen = errors_of(make_score(40, 16, 0.2, 0.8, false));
  INFO("weights within a factor 3: " << alike.absolute << " " << alike.relative << ", normal " << even.absolute << " "
                                     << even.relative << ", lognormal " << skewed.absolute << " " << skewed.relative
                                     << ", sixteen " << sixteen.absolute << " " << sixteen.relative);
  CHECK(alike.absolute < 0.04);
  CHECK(alike.relative < 0.6);
  CHECK(even.absolute < 0.1);
  CHECK(skewed.absolute < 0.2);
  CHECK(sixteen.absolute < 0.01);
  CHECK(sixteen.relative < 0.15);
}

TEST_CASE("saddlepoint tails of 400 outcomes agree with their exact distribution") {
  // Whole-numbered weights, so that the distribution follows by adding one outcome after the other
  constexpr int n = 400;
  for (const double rate : {0.05, 0.1, 0.5}) {
    Score score = make_score(static_cast<std::int64_t>(1000.0 * rate), n, 0.3 * rate, 1.7 * rate, true);
    double mean = 0.0;
    int low = 0;
    int high = 0;
    for (std::size_t i = 0; i < n; ++i) {
      score.h[i] = std::round(20.0 * std::min(3.0, score.h[i]));  // none outweighs all others
      mean += score.h[i] * score.p[i];
      (score.h[i] < 0.0 ? low : high) += static_cast<int>(score.h[i]);
    }
    std::vector<double> mass(static_cast<std::size_t>(high - low + 1), 0.0);
    mass[static_cast<std::size_t>(-low)] = 1.0;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> next(mass.size(), 0.0);
      for (std::size_t v = 0; v < mass.size(); ++v) {
        if (mass[v] == 0.0) continue;
        next[v] += mass[v] * (1.0 - score.p[i]);
        next[static_cast<std::size_t>(static_cast<int>(v) + static_cast<int>(score.h[i]))] += mass[v] * score.p[i];
      }
      mass = std::move(next);
    }
    double worst[3] = {0.0, 0.0, 0.0};  // of tails down to .2, to .001, to 1e-6
    double above = 0.0;
    std::int64_t compared = 0;
    for (std::size_t v = mass.size(); v-- > 0;) {
      const double right = above + 0.5 * mass[v];
      above += mass[v];
      if (right < 1e-6 || v % 50 != 0) continue;
      const double now = tail(score, static_cast<double>(static_cast<int>(v) + low) - mean);
      double& largest = worst[right > 0.2 ? 0 : right > 1e-3 ? 1 : 2];
      largest = std::max(largest, std::abs(now / right - 1.0));
      ++compared;
    }
    INFO("rate " << rate << ": largest relative errors " << worst[0] << ", " << worst[1] << ", " << worst[2] << " of "
                 << compared);
    CHECK(compared > 100);
    CHECK(worst[0] < 0.003);
    CHECK(worst[1] < 0.003);
    CHECK(worst[2] < 0.003);
  }
}

TEST_CASE("saddlepoint tails of equal weights lie inside the binomial step, and near its middle") {
  const Score score{std::vector<double>(16, 0.3), std::vector<double>(16, 2.0)};
  for (std::int64_t k = 1; k < 16; ++k) {
    const double now = tail(score, 2.0 * (static_cast<double>(k) - 4.8));
    const double above = fl::statistics::binomial_upper_tail(k + 1, 16, 0.3);
    const double from = fl::statistics::binomial_upper_tail(k, 16, 0.3);
    INFO("k " << k << ": " << above << " < " << now << " < " << from);
    CHECK(now > above);
    CHECK(now < from);
    if (k < 10) CHECK(now == Approx(0.5 * (above + from)).epsilon(0.12));
  }
  CHECK(tail(score, 2.0 * (16.0 - 4.8)) == Approx(std::pow(0.3, 16.0)).epsilon(1e-12));
  CHECK(tail(score, -2.0 * 4.8) == 1.0);
}

TEST_CASE("saddlepoint tails fall from one to the probability of the largest value, and stay in range") {
  const std::vector<Score> scores = {
      make_score(1, 3, 0.2, 0.8, false),
      make_score(2, 12, 0.05, 0.95, true),
      make_score(3, 60, 0.01, 0.05, true),
      make_score(4, 400, 0.001, 0.2, true),
      {{0.3}, {2.0}},
      {{1e-8, 0.5}, {1.0, 1e-3}},
      {{1e-8}, {1.0}},
      {{1.0 - 1e-9, 0.2}, {-3.0, 0.1}},
      {{0.5, 0.5, 0.5, 0.5}, {1.0, 1.0, 1.0, 1.0}},
      {{0.5, 0.5, 0.5, 0.5}, {1000.0, 1.0, 1.0, 1e-6}},
  };
  for (std::size_t s = 0; s < scores.size(); ++s) {
    const Score& score = scores[s];
    double largest = 0.0;
    double smallest = 0.0;
    double log_end = 0.0;
    for (std::size_t i = 0; i < score.p.size(); ++i) {
      const double up = score.h[i] * (1.0 - score.p[i]);
      const double down = -score.h[i] * score.p[i];
      largest += std::max(up, down);
      smallest += std::min(up, down);
      log_end += std::log(score.h[i] > 0.0 ? score.p[i] : 1.0 - score.p[i]);
    }
    // Regular in the middle, and ever closer to both ends
    std::vector<double> places;
    for (int g = 1; g < 2000; ++g) places.push_back(g / 2000.0);
    for (double left = 5e-4; left > 1e-9; left *= 0.7) places.insert(places.end(), {left, 1.0 - left});
    std::sort(places.begin(), places.end());
    double before = 1.0;
    for (const double place : places) {
      const double now = tail(score, smallest + (largest - smallest) * place);
      INFO("score " << s << " place " << place << ": " << before << " then " << now);
      CHECK(now <= before * (1.0 + 1e-7));
      CHECK(now >= std::exp(log_end) * (1.0 - 1e-9));
      before = now;
    }
    CHECK(tail(score, largest) == Approx(std::exp(log_end)).epsilon(1e-9));
    CHECK(tail(score, largest + 1e-6 * (largest - smallest)) == 0.0);
    CHECK(tail(score, smallest) == 1.0);
    double near = 1.0;
    for (double z = -0.02; z <= 0.02; z += 1e-4) {
      const double now = tail(score, z * deviation(score));
      INFO("score " << s << " z " << z << ": " << near << " then " << now);
      CHECK(now <= near + 1e-6);  // the two forms meet near the mean
      near = now;
    }
  }
}

TEST_CASE("saddlepoint tails of many outcomes are normal in the middle and better than normal in the tail") {
  Score score;
  fl::core::CounterRandom random = trial_random(77);
  for (int i = 0; i < 20'000; ++i) {
    score.p.push_back(0.5);
    score.h.push_back(random.normal());
  }
  for (const double z : {-2.0, -0.5, 0.0, 1e-4, 0.01, 0.5, 1.645, 3.0, 4.0})
    CHECK(tail(score, z * deviation(score)) == Approx(fl::statistics::normal_upper_tail(z)).epsilon(0.005));
  // 4 000 rare outcomes of equal weight: Poisson-like, skewed; the exact tail is binomial
  const Score rare{std::vector<double>(4000, 0.01), std::vector<double>(4000, 1.0)};
  for (const std::int64_t k : {30, 40, 50, 60, 75, 90}) {
    const double above = fl::statistics::binomial_upper_tail(k + 1, 4000, 0.01);
    const double from = fl::statistics::binomial_upper_tail(k, 4000, 0.01);
    INFO("k " << k);
    CHECK(tail(rare, static_cast<double>(k) - 40.0) == Approx(0.5 * (above + from)).epsilon(k <= 50 ? 0.01 : 0.1));
    CHECK(tail(rare, static_cast<double>(k) - 40.0) > above);
    CHECK(tail(rare, static_cast<double>(k) - 40.0) < from);
  }
}

TEST_CASE("tests by saddlepoint tails have size .05 with 40, 100 and 400 failures and skewed weights") {
  constexpr std::int64_t trials = 10'000;
  constexpr int n = 2000;
  for (const double failures : {40.0, 100.0, 400.0}) {
    const double rate = failures / n;
    const Score score = make_score(static_cast<std::int64_t>(failures), n, 0.2 * rate, 1.8 * rate, true);
    double at_mean = 0.0;
    for (int i = 0; i < n; ++i) at_mean += score.h[static_cast<std::size_t>(i)] * score.p[static_cast<std::size_t>(i)];
    // The tail falls, so the test rejects from a critical score on, here of levels .05 and .01
    double critical[2] = {0.0, 0.0};
    for (int level = 0; level < 2; ++level) {
      double kept = 0.0;
      double rejected = 10.0 * deviation(score);
      for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (kept + rejected);
        (tail(score, middle) <= (level == 0 ? 0.05 : 0.01) ? rejected : kept) = middle;
      }
      critical[level] = rejected;
    }
    std::int64_t rejections[2] = {0, 0};
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      fl::core::CounterRandom random = trial_random(trial + 10'000 * static_cast<std::int64_t>(failures));
      double sum = -at_mean;
      for (std::size_t i = 0; i < n; ++i) sum += random.uniform() < score.p[i] ? score.h[i] : 0.0;
      for (int level = 0; level < 2; ++level) rejections[level] += sum >= critical[level] ? 1 : 0;
    }
    INFO(failures << " failures: " << rejections[0] << " and " << rejections[1] << " of " << trials);
    CHECK(rejections[0] <= most_events(trials, 0.05));
    CHECK(rejections[0] >= fewest_events(trials, 0.05));
    CHECK(rejections[1] <= most_events(trials, 0.01));
    CHECK(rejections[1] >= fewest_events(trials, 0.01));
  }
}

TEST_CASE("a score tail leaves out what does not vary and does not depend on units or signs") {
  const Score score = make_score(5, 30, 0.1, 0.7, true);
  Score padded = score;
  padded.p.insert(padded.p.end(), {0.0, 1.0, 0.4});
  padded.h.insert(padded.h.end(), {3.0, -2.0, 0.0});
  Score scaled = score;
  Score turned = score;
  for (std::size_t i = 0; i < score.p.size(); ++i) {
    scaled.h[i] *= 1e200;
    turned.h[i] = -score.h[i];
    turned.p[i] = 1.0 - score.p[i];
  }
  for (const double z : {-3.0, -1.0, 0.0, 0.5, 2.0, 4.0}) {
    const double observed = z * deviation(score);
    const double right = tail(score, observed);
    CHECK(tail(padded, observed) == Approx(right).epsilon(1e-12));
    CHECK(tail(scaled, observed * 1e200) == Approx(right).epsilon(1e-9));
    CHECK(tail(turned, observed) == Approx(right).epsilon(1e-9));
  }
  CHECK(fl::statistics::score_upper_tail({}, {}, 0.0) == 1.0);
  CHECK(tail({{0.0, 1.0, 0.3}, {1.0, 1.0, 0.0}}, 5.0) == 1.0);
}

TEST_CASE("a score tail refuses what is no probability") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(tail({{0.5}, {1.0, 2.0}}, 0.0), fl::Error);
  CHECK_THROWS_AS(tail({{1.5}, {1.0}}, 0.0), fl::Error);
  CHECK_THROWS_AS(tail({{-0.1}, {1.0}}, 0.0), fl::Error);
  CHECK_THROWS_AS(tail({{nan}, {1.0}}, 0.0), fl::Error);
  CHECK_THROWS_AS(tail({{0.5}, {infinity}}, 0.0), fl::Error);
  CHECK_THROWS_AS(tail({{0.5}, {1.0}}, nan), fl::Error);
  CHECK_THROWS_AS(tail({{0.5}, {1.0}}, infinity), fl::Error);
}
