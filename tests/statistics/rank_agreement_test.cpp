// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;

namespace {

/// tau-b by looking at every pair.
double brute_tau(const std::vector<double>& x, const std::vector<double>& y) {
  double agreement = 0.0, untied_x = 0.0, untied_y = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double dx = x[i] - x[j], dy = y[i] - y[j];
      agreement += dx * dy > 0.0 ? 1.0 : dx * dy < 0.0 ? -1.0 : 0.0;
      untied_x += dx != 0.0 ? 1.0 : 0.0;
      untied_y += dy != 0.0 ? 1.0 : 0.0;
    }
  }
  return agreement / std::sqrt(untied_x * untied_y);
}

}  // namespace

TEST_CASE("tau-b equals the count of all pairs, with and without ties") {
  for (std::int64_t trial = 0; trial < 200; ++trial) {
    fl::core::CounterRandom random(5, fl::core::Stream::permutations, trial);
    const auto n = static_cast<std::size_t>(2 + random.below(60));
    const auto levels_x = 1 + random.below(12), levels_y = 1 + random.below(200);
    std::vector<double> x, y;
    for (std::size_t i = 0; i < n; ++i) {
      x.push_back(static_cast<double>(random.below(levels_x)));
      y.push_back(static_cast<double>(random.below(levels_y)) + (trial % 3 == 0 ? 4.0 * x.back() : 0.0));
    }
    INFO("trial " << trial << ", " << n << " values");
    const double truth = brute_tau(x, y), tau = fl::statistics::kendall_tau_b(x, y);
    if (std::isnan(truth)) CHECK(std::isnan(tau));
    else CHECK(tau == Approx(truth).margin(1e-13));
    if (!std::isnan(truth)) CHECK(fl::statistics::kendall_tau_b(y, x) == Approx(truth).margin(1e-13));
  }
}

TEST_CASE("tau-b of equal, reversed and unrelated orders") {
  std::vector<double> up(3000), down(3000), noise(3000);
  fl::core::CounterRandom random(6, fl::core::Stream::permutations, 0);
  for (std::size_t i = 0; i < up.size(); ++i)
    up[i] = static_cast<double>(i), down[i] = -up[i], noise[i] = random.uniform();
  CHECK(fl::statistics::kendall_tau_b(up, up) == 1.0);
  CHECK(fl::statistics::kendall_tau_b(up, down) == -1.0);
  // The standard deviation without relation is sqrt(2 (2n + 5) / (9 n (n - 1))) = .0122; five of them.
  CHECK(std::abs(fl::statistics::kendall_tau_b(up, noise)) < 0.061);
  CHECK(fl::statistics::kendall_tau_b(std::vector<double>{1, 2, 3}, std::vector<double>{1, 3, 2}) == Approx(1.0 / 3.0));
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(fl::statistics::kendall_tau_b(std::vector<double>{-infinity, 0, infinity}, std::vector<double>{1, 2, 3}) ==
        1.0);
}

TEST_CASE("tau-b says where it is undefined and refuses what has no order") {
  const std::vector<double> one{1.0}, constant{2.0, 2.0, 2.0}, varied{1.0, 2.0, 3.0};
  CHECK(std::isnan(fl::statistics::kendall_tau_b(one, one)));
  CHECK(std::isnan(fl::statistics::kendall_tau_b({}, {})));
  CHECK(std::isnan(fl::statistics::kendall_tau_b(constant, varied)));
  CHECK(std::isnan(fl::statistics::kendall_tau_b(varied, constant)));
  CHECK_THROWS_AS(fl::statistics::kendall_tau_b(one, varied), fl::Error);
  CHECK_THROWS_AS(fl::statistics::kendall_tau_b(varied, std::vector<double>{1.0, std::nan(""), 2.0}), fl::Error);
}

TEST_CASE("the overlap of the first k") {
  const std::vector<std::int64_t> a{4, 7, 1, 9}, b{7, 4, 2, 8};
  CHECK(fl::statistics::jaccard_top(a, a, 3) == 1.0);
  CHECK(fl::statistics::jaccard_top(a, b, 1) == 0.0);
  CHECK(fl::statistics::jaccard_top(a, b, 2) == 1.0);
  CHECK(fl::statistics::jaccard_top(a, b, 3) == Approx(2.0 / 4.0));
  CHECK(fl::statistics::jaccard_top(a, b, 100) == Approx(2.0 / 6.0));
  CHECK(fl::statistics::jaccard_top(a, {}, 2) == 0.0);
  CHECK(fl::statistics::jaccard_top({}, {}, 2) == 0.0);
  CHECK_THROWS_AS(fl::statistics::jaccard_top(a, b, 0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::jaccard_top(std::vector<std::int64_t>{3, 3}, b, 2), fl::Error);
}

TEST_CASE("the overlap equals a brute-force count of members") {
  for (std::int64_t trial = 0; trial < 100; ++trial) {
    fl::core::CounterRandom random(8, fl::core::Stream::permutations, trial);
    std::vector<std::int64_t> a(30), b(30);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = b[i] = static_cast<std::int64_t>(i);
    fl::core::shuffle(std::span<std::int64_t>(a), random);
    fl::core::shuffle(std::span<std::int64_t>(b), random);
    const std::int64_t k = 1 + random.below(35);
    const auto size = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(k, 30));
    double shared = 0.0;
    for (auto i = a.begin(); i != a.begin() + size; ++i)
      shared += static_cast<double>(std::count(b.begin(), b.begin() + size, *i));
    CHECK(fl::statistics::jaccard_top(a, b, k) == Approx(shared / (2.0 * static_cast<double>(size) - shared)));
  }
}

TEST_CASE("rho is the correlation of ranks, ties at their mean") {
  using fl::statistics::spearman_rho;
  const std::vector<double> up = {1, 2, 3, 4, 5}, down = {5, 4, 3, 2, 1}, bent = {1, 4, 9, 16, 1e300};
  CHECK(spearman_rho(up, up) == Approx(1.0));
  CHECK(spearman_rho(up, down) == Approx(-1.0));
  CHECK(spearman_rho(up, bent) == Approx(1.0));
  // without ties it is 1 - 6 sum d^2 / (n (n^2 - 1)): d = 0, 1, -1, 1, -1
  CHECK(spearman_rho(up, std::vector<double>{1, 3, 2, 5, 4}) == Approx(1.0 - 6.0 * 4.0 / (5.0 * 24.0)));
  // ranks 1.5, 1.5, 3, 4 against 1, 2, 3.5, 3.5: covariance 4, variances 4.5 and 4.5
  CHECK(spearman_rho(std::vector<double>{7, 7, 8, 9}, std::vector<double>{1, 2, 3, 3}) == Approx(4.0 / 4.5));
  CHECK(std::isnan(spearman_rho(std::vector<double>{}, std::vector<double>{})));
  CHECK(std::isnan(spearman_rho(std::vector<double>{1}, std::vector<double>{1})));
  CHECK(std::isnan(spearman_rho(up, std::vector<double>(5, 2.0))));
  CHECK_THROWS_AS(spearman_rho(up, std::vector<double>{1, 2}), fl::Error);
  CHECK_THROWS_AS(spearman_rho(up, std::vector<double>{1, 2, 3, 4, std::nan("")}), fl::Error);
}
