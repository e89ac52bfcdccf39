// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/mcnemar.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;

namespace {

double log_factorial(std::int64_t n) { return std::lgamma(static_cast<double>(n) + 1.0); }

/// Probability of `a` and `b` of n samples in two cells with probabilities p and q, the rest elsewhere.
double trinomial(std::int64_t a, std::int64_t b, std::int64_t n, double p, double q) {
  const auto term = [](std::int64_t k, double rate) { return k == 0 ? 0.0 : static_cast<double>(k) * std::log(rate); };
  if ((a > 0 && p <= 0.0) || (b > 0 && q <= 0.0) || (n - a - b > 0 && p + q >= 1.0)) return 0.0;
  return std::exp(log_factorial(n) - log_factorial(a) - log_factorial(b) - log_factorial(n - a - b) + term(a, p) +
                  term(b, q) + term(n - a - b, 1.0 - p - q));
}

/// The exact test by adding up the probabilities of all outcomes of fair coins that are at least as uneven.
double by_enumeration(std::int64_t a, std::int64_t b) {
  const std::int64_t n = a + b;
  double p = 0.0;
  for (std::int64_t k = 0; k <= n; ++k)
    if (std::abs(2 * k - n) >= std::abs(a - b)) p += trinomial(k, n - k, n, 0.5, 0.5);
  return p;
}

}  // namespace

TEST_CASE("pairs are counted sample by sample") {
  const std::vector<std::uint8_t> first{0, 1, 0, 1, 2, 0};
  const std::vector<std::uint8_t> second{0, 0, 1, 1, 0, 0};
  const fl::statistics::PairedCounts counts = fl::statistics::count_pairs(first, second);
  CHECK(counts == fl::statistics::PairedCounts{2, 2, 1, 1});
  CHECK(counts.total() == 6);
  CHECK_THROWS_AS(fl::statistics::count_pairs(first, std::vector<std::uint8_t>{0}), fl::Error);
}

TEST_CASE("the exact test equals the enumeration of all fair coins") {
  for (std::int64_t a = 0; a <= 40; ++a) {
    for (std::int64_t b = 0; b <= 40; b += 3) {
      INFO(a << " and " << b);
      CHECK(fl::statistics::test_pairs({100, a, b, 7}).p == Approx(by_enumeration(a, b)).epsilon(1e-9));
    }
  }
}

TEST_CASE("the exact test keeps its level whatever the rates: all outcomes enumerated") {
  for (const std::int64_t n : {5, 20, 60, 150}) {
    for (const double discordance : {0.02, 0.1, 0.3, 0.6, 1.0}) {
      double rejected = 0.0;
      for (std::int64_t a = 0; a <= n; ++a)
        for (std::int64_t b = 0; a + b <= n; ++b)
          if (fl::statistics::mcnemar_exact(a, b) <= 0.05)
            rejected += trinomial(a, b, n, discordance / 2, discordance / 2);
      INFO("n " << n << " discordance " << discordance);
      CHECK(rejected <= 0.05 + 1e-12);
    }
  }
}

TEST_CASE("the interval of the difference covers it at all rates: all outcomes enumerated") {
  double lowest = 1.0;
  double total = 0.0;
  std::int64_t cells = 0;
  for (const std::int64_t n : {4, 8, 16, 32, 64, 128, 256}) {
    std::vector<fl::statistics::PairedTest> tests;
    for (std::int64_t a = 0; a <= n; ++a)
      for (std::int64_t b = 0; a + b <= n; ++b) tests.push_back(fl::statistics::test_pairs({n - a - b, a, b, 0}));
    for (const double p : {0.0, 0.001, 0.005, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5}) {
      for (const double q : {0.0, 0.001, 0.005, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5}) {
        double covered = 0.0;
        for (const fl::statistics::PairedTest& test : tests)
          if (test.lower <= p - q && p - q <= test.upper)
            covered += trinomial(test.counts.only_first_fails, test.counts.only_second_fails, n, p, q);
        lowest = std::min(lowest, covered);
        total += covered;
        ++cells;
        INFO("n " << n << " p " << p << " q " << q);
        CHECK(covered >= 0.95 - 1e-9);
      }
    }
  }
  CHECK(cells == 7 * 81);
  CHECK(lowest < 0.965);  // exact enough not to be needlessly wide
  CHECK(total / static_cast<double>(cells) < 0.995);
}

TEST_CASE("difference and interval know their special cases") {
  const fl::statistics::PairedTest none = fl::statistics::test_pairs({});
  CHECK(none.p == 1.0);
  CHECK(none.difference == 0.0);
  CHECK(none.lower == -1.0);
  CHECK(none.upper == 1.0);
  const fl::statistics::PairedTest same = fl::statistics::test_pairs({900, 0, 0, 100});
  CHECK(same.p == 1.0);
  CHECK(same.difference == 0.0);
  CHECK(same.lower > -0.006);
  CHECK(same.upper < 0.006);
  const fl::statistics::PairedTest some = fl::statistics::test_pairs({950, 38, 6, 6});
  const fl::statistics::PairedTest swapped = fl::statistics::test_pairs({950, 6, 38, 6});
  CHECK(some.difference == Approx(0.032));
  CHECK(some.lower == -swapped.upper);
  CHECK(some.upper == -swapped.lower);
  CHECK(some.lower > 0.015);
  CHECK(some.upper < 0.05);
  CHECK(some.p < 1e-5);
}

TEST_CASE("paired tests refuse impossible counts and confidences") {
  CHECK_THROWS_AS(fl::statistics::test_pairs({-1, 0, 0, 0}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::test_pairs({0, 0, 0, -1}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::test_pairs({1, 1, 1, 1}, 1.0), fl::Error);
}
