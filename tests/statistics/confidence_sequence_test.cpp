// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/log_beta.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("the mixture ratio is a likelihood ratio: its mean over all outcomes is one") {
  for (const double rate : {0.02, 0.5, 0.9}) {
    for (const std::int64_t n : {1, 10, 200}) {
      double mean = 0.0;
      for (std::int64_t k = 0; k <= n; ++k) {
        const auto a = static_cast<double>(k);
        const auto b = static_cast<double>(n - k);
        const double log_mass = -fl::statistics::log_beta(a + 1.0, b + 1.0) - std::log(a + b + 1.0) +
                                a * std::log(rate) + b * std::log1p(-rate);
        mean += std::exp(log_mass + fl::statistics::log_mixture_ratio(k, n, rate));
      }
      CHECK(mean == Approx(1.0).epsilon(1e-10));
    }
  }
}

TEST_CASE("sequence limits solve their defining equation, exclude symmetrically and match the decision") {
  for (const std::int64_t n : {64, 500, 3000}) {
    for (std::int64_t k = 0; k <= n; k += n / 8) {
      const fl::statistics::Interval interval = fl::statistics::rate_sequence_interval(k, n, 0.025);
      const fl::statistics::Interval mirror = fl::statistics::rate_sequence_interval(n - k, n, 0.025);
      CHECK(interval.lower == Approx(1.0 - mirror.upper).margin(1e-12));
      if (k > 0) CHECK(fl::statistics::log_mixture_ratio(k, n, interval.lower) == Approx(std::log(40.0)).epsilon(1e-7));
      if (k < n) CHECK(fl::statistics::log_mixture_ratio(k, n, interval.upper) == Approx(std::log(40.0)).epsilon(1e-7));
      CHECK(interval.contains(static_cast<double>(k) / static_cast<double>(n)));
    }
  }
  CHECK(fl::statistics::rate_sequence_interval(0, 0) == fl::statistics::Interval{0.0, 1.0});
  CHECK(fl::statistics::rate_sequence_interval(0, 320, 0.05).upper < 0.02);
  CHECK(fl::statistics::rate_sequence_interval(0, 319, 0.05).upper > 0.02);
}

TEST_CASE("limits that are intersected over interim analyses cover the true rate at all times") {
  // 10 000 runs of 1 600 samples, looked at every 64: ever wrong at most 5 % (two sides at .025), up to a bound of
  // probability 1e-6.
  std::int64_t wrong = 0;
  for (std::int64_t trial = 0; trial < 10000; ++trial) {
    fl::core::CounterRandom random(22, fl::core::Stream::subsets, trial);
    fl::statistics::Interval both;
    std::int64_t failures = 0;
    for (std::int64_t n = 1; n <= 1600; ++n) {
      failures += random.uniform() < 0.08 ? 1 : 0;
      if (n < 128 || n % 64 != 0) continue;
      const fl::statistics::Interval now = fl::statistics::rate_sequence_interval(failures, n);
      both = {std::max(both.lower, now.lower), std::min(both.upper, now.upper)};
    }
    if (!both.contains(0.08)) ++wrong;
  }
  CHECK(wrong <= most_events(10000, 0.05));
}

TEST_CASE("evidence about a bound is the smallest mixture ratio over the rates it speaks against") {
  for (const std::int64_t n : {1, 64, 300}) {
    for (std::int64_t k = 0; k <= n; k += std::max<std::int64_t>(1, n / 9)) {
      for (const double bound : {0.02, 0.3, 0.9}) {
        double least = std::exp(700.0), most = least;  // over a grid of rates
        for (int i = 1; i < 20'000; ++i) {
          const double rate = i / 20'000.0, ratio = std::exp(fl::statistics::log_mixture_ratio(k, n, rate));
          if (rate >= bound - 1e-9) least = std::min(least, ratio);
          if (rate <= bound + 1e-9) most = std::min(most, ratio);
        }
        const fl::statistics::RateEvidence evidence = fl::statistics::rate_evidence(k, n, bound);
        INFO("k " << k << " n " << n << " bound " << bound);
        // (the smallest of all may lie between two rates of the grid, or at 0 or 1)
        CHECK(evidence.against_at_least == Approx(least).epsilon(0.02));
        CHECK(evidence.against_at_least <= least * (1 + 1e-9));
        CHECK(evidence.against_at_most == Approx(most).epsilon(0.02));
        CHECK(evidence.against_at_most <= most * (1 + 1e-9));
        // What an interval excludes is what the evidence speaks against.
        if (std::max(evidence.against_at_least, evidence.against_at_most) > 40.0 * (1 + 1e-6))
          CHECK_FALSE(fl::statistics::rate_sequence_interval(k, n, 0.025).contains(bound));
      }
    }
  }
  const fl::statistics::RateEvidence none = fl::statistics::rate_evidence(0, 0, 0.1);
  CHECK(none.against_at_least == 1.0);
  CHECK(none.against_at_most == 1.0);
  CHECK(std::isfinite(fl::statistics::rate_evidence(1'000'000, 1'000'000, 1e-6).against_at_most));
}

TEST_CASE("sequences refuse impossible counts, bounds and levels") {
  CHECK_THROWS_AS(fl::statistics::log_mixture_ratio(3, 2, 0.1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::log_mixture_ratio(1, 2, 0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_sequence_interval(-1, 2), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_sequence_interval(1, 2, 1.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_evidence(3, 2, 0.1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_evidence(1, 2, 1.0), fl::Error);
}
