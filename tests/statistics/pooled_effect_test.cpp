// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/statistics/pooled_effect.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <vector>

namespace fl = faultline;

TEST_CASE("effects are pooled by their weights") {
  const std::vector<double> effects{1.0, 4.0}, weights{3.0, 1.0};
  const fl::statistics::PooledEffect pooled = fl::statistics::pool_effects(effects, weights);
  CHECK(pooled.weight == 4.0);
  CHECK(pooled.mean == Approx(1.75));
  CHECK(pooled.scatter == Approx(3.0 * 0.75 * 0.75 + 2.25 * 2.25));
  CHECK(fl::statistics::pool_effects({}, {}).mean == 0.0);
  const std::vector<double> nothing{0.0, 0.0};
  CHECK(fl::statistics::pool_effects(effects, nothing).mean == 0.0);
  CHECK(faultline_tests::error_code([&] { (void)fl::statistics::pool_effects(effects, {}); }) ==
        fl::ErrorCode::shape_mismatch);
}

TEST_CASE("random effects by moments, worked by hand") {
  // ω = 4, 4, 2: mean .6, Q = 4 · .36 + 4 · .16 + 2 · .04 = 2.16, below or above its expectation of 2
  const std::vector<double> effects{0.0, 1.0, 0.8}, variances{0.25, 0.25, 0.5};
  const double mean = (4.0 * 0.0 + 4.0 * 1.0 + 2.0 * 0.8) / 10.0;
  const double q = 4.0 * mean * mean + 4.0 * (1.0 - mean) * (1.0 - mean) + 2.0 * (0.8 - mean) * (0.8 - mean);
  const double between = (q - 2.0) / (10.0 - 36.0 / 10.0);
  REQUIRE(between > 0.0);
  const double a = 1.0 / (0.25 + between), b = 1.0 / (0.5 + between);
  const fl::statistics::RandomEffects together = fl::statistics::random_effects(effects, variances);
  CHECK(together.deviation == Approx(std::sqrt(between)));
  CHECK(together.mean == Approx((a * 1.0 + b * 0.8) / (2.0 * a + b)));
  CHECK(together.error == Approx(1.0 / std::sqrt(2.0 * a + b)));
}

TEST_CASE("equal effects have no deviation, one has its own error, none have nothing") {
  const std::vector<double> equal{0.5, 0.5}, variances{0.1, 0.4};
  CHECK(fl::statistics::random_effects(equal, variances).deviation == 0.0);
  CHECK(fl::statistics::random_effects(equal, variances).error == Approx(1.0 / std::sqrt(12.5)));
  const std::vector<double> one{2.0}, variance{0.25};
  CHECK(fl::statistics::random_effects(one, variance).mean == 2.0);
  CHECK(fl::statistics::random_effects(one, variance).error == Approx(0.5));
  CHECK(fl::statistics::random_effects(one, variance).deviation == 0.0);
  CHECK(fl::statistics::random_effects({}, {}).error == 0.0);
  CHECK(faultline_tests::error_code([&] { (void)fl::statistics::random_effects(one, {}); }) ==
        fl::ErrorCode::shape_mismatch);
}
