// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../support.hpp"

#include <faultline/statistics/detail/symmetric_eigen.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

/// Largest deviation of V from orthonormal and of Vᵀ Λ V from the matrix, relative to its size.
double worst_error(const fl::Matrix<double>& a) {
  const auto eigen = fl::detail::symmetric_eigen(a);
  const std::int64_t n = a.rows();
  double scale = 1e-300;
  double worst = 0.0;
  for (const double value : a.values()) scale = std::max(scale, std::abs(value));
  for (std::int64_t i = 0; i < n; ++i) {
    if (i > 0 && eigen.values[static_cast<std::size_t>(i)] > eigen.values[static_cast<std::size_t>(i - 1)]) return 1.0;
    for (std::int64_t j = 0; j < n; ++j) {
      double product = i == j ? -1.0 : 0.0;
      double rebuilt = -a(i, j);
      for (std::int64_t k = 0; k < n; ++k) {
        product += eigen.vectors(i, k) * eigen.vectors(j, k);
        rebuilt += eigen.vectors(k, i) * eigen.values[static_cast<std::size_t>(k)] * eigen.vectors(k, j);
      }
      worst = std::max({worst, std::abs(product), std::abs(rebuilt) / scale});
    }
  }
  return worst;
}

fl::Matrix<double> random_symmetric(std::int64_t n, std::int64_t trial) {
  fl::CounterRandom random(41, fl::Stream::subsets, trial);
  fl::Matrix<double> a(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) a(i, j) = a(j, i) = random.normal();
  }
  return a;
}

}  // namespace

TEST_CASE("eigenvectors are orthonormal and rebuild the matrix") {
  for (const std::int64_t n : {1, 2, 3, 10, 64, 150}) CHECK(worst_error(random_symmetric(n, n)) < 1e-12);
}

TEST_CASE("repeated, vanishing and widely spread eigenvalues are no trouble") {
  CHECK(worst_error(fl::Matrix<double>(5, 5)) == 0.0);
  CHECK(worst_error(fl::Matrix<double>(30, 30, 2.0)) < 1e-13);  // rank one, 29 zeros
  fl::Matrix<double> identity(20, 20);
  fl::Matrix<double> spread(40, 40);
  fl::Matrix<double> coupled(12, 12);
  for (std::int64_t i = 0; i < 20; ++i) identity(i, i) = 3.0;
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t j = 0; j < 40; ++j) spread(i, j) = std::pow(10.0, -0.2 * static_cast<double>(i + j)) * (1.0 + (i == j ? 1.0 : 0.0));
  }
  for (std::int64_t i = 0; i < 12; ++i) {
    coupled(i, i) = 1.0;
    if (i % 2 == 0) coupled(i, i + 1) = coupled(i + 1, i) = 0.5;
  }
  CHECK(worst_error(identity) == 0.0);
  CHECK(worst_error(spread) < 1e-13);
  CHECK(worst_error(coupled) < 1e-14);
  fl::Matrix<double> tiny = random_symmetric(8, 99);
  for (double& value : tiny.values()) value *= 1e-150;
  CHECK(worst_error(tiny) < 1e-12);
}

TEST_CASE("the second difference matrix has its known eigenvalues") {
  constexpr std::int64_t n = 50;
  fl::Matrix<double> a(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    a(i, i) = 2.0;
    if (i > 0) a(i, i - 1) = a(i - 1, i) = -1.0;
  }
  const auto eigen = fl::detail::symmetric_eigen(a);
  for (std::int64_t k = 0; k < n; ++k) {
    CHECK(eigen.values[static_cast<std::size_t>(n - 1 - k)] == Approx(2.0 - 2.0 * std::cos(3.14159265358979323846 * static_cast<double>(k + 1) / static_cast<double>(n + 1))).epsilon(1e-12));
  }
  for (std::int64_t k = 0; k < n; ++k) {
    double largest = 0.0;
    for (const double value : eigen.vectors.row(k)) largest = std::abs(value) > std::abs(largest) ? value : largest;
    CHECK(largest > 0.0);
  }
}

TEST_CASE("a matrix that is not finite is refused") {
  fl::Matrix<double> a(3, 3, 1.0);
  a(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(fl::detail::symmetric_eigen(a), fl::Error);
}
