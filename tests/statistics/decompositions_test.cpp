// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;

namespace {

/// Largest error of A = Σ λ u uᵀ and of U Uᵀ = I.
double worst_error(const fl::Matrix<double>& a, const fl::statistics::detail::Eigenpairs& pairs) {
  for (Eigen::Index i = 1; i < pairs.values.size(); ++i) CHECK(pairs.values[i - 1] >= pairs.values[i]);
  const Eigen::MatrixXd u = pairs.vectors;
  return std::max((u.transpose() * pairs.values.asDiagonal() * u - a).cwiseAbs().maxCoeff(),
                  (u * u.transpose() - Eigen::MatrixXd::Identity(a.rows(), a.rows())).cwiseAbs().maxCoeff());
}

fl::Matrix<double> random_symmetric(std::int64_t n, std::int64_t seed, std::int64_t rank) {
  fl::Matrix<double> x(rank, n);
  fl::core::CounterRandom random(seed, fl::core::Stream::start_latents, 0);
  for (double& value : x.values()) value = random.normal() / std::sqrt(static_cast<double>(rank));
  return x.transpose() * x;
}

}  // namespace

TEST_CASE("a symmetric matrix is put together again from its eigenvectors", "[statistics]") {
  for (const std::int64_t n : {1, 2, 3, 5, 17, 64, 130}) {
    const auto full = random_symmetric(n, n, 2 * n);
    CHECK(worst_error(full, fl::statistics::detail::symmetric_eigenpairs(full)) < 1e-12);
    const auto deficient = random_symmetric(n, n, (n + 1) / 2);  // many equal eigenvalues: zeros
    CHECK(worst_error(deficient, fl::statistics::detail::symmetric_eigenpairs(deficient)) < 1e-12);
  }
}

TEST_CASE("known eigenvalues", "[statistics]") {
  fl::Matrix<double> a(3, 3);
  a(0, 0) = 2, a(1, 1) = 2, a(2, 2) = 3;
  a(0, 1) = a(1, 0) = 1;
  const auto eigen = fl::statistics::detail::symmetric_eigenpairs(a);
  CHECK(eigen.values[0] == Approx(3.0));
  CHECK(eigen.values[1] == Approx(3.0));
  CHECK(eigen.values[2] == Approx(1.0));
  CHECK(std::abs(eigen.vectors(2, 0)) == Approx(std::sqrt(0.5)));
  CHECK(eigen.vectors(2, 0) == Approx(-eigen.vectors(2, 1)));

  // The second difference of n points has the eigenvalues 2 - 2 cos(k π / (n + 1)).
  const std::int64_t n = 40;
  fl::Matrix<double> second(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    second(i, i) = 2.0;
    if (i > 0) second(i, i - 1) = second(i - 1, i) = -1.0;
  }
  const auto waves = fl::statistics::detail::symmetric_eigenpairs(second);
  for (std::int64_t k = 1; k <= n; ++k)
    CHECK(waves.values[n - k] ==
          Approx(2.0 - 2.0 * std::cos(static_cast<double>(k) * 3.14159265358979324 / static_cast<double>(n + 1)))
              .epsilon(1e-12));
}

TEST_CASE("diagonal, zero, tiny, huge and graded matrices", "[statistics]") {
  fl::Matrix<double> zero(4, 4);
  CHECK(worst_error(zero, fl::statistics::detail::symmetric_eigenpairs(zero)) == 0.0);
  fl::Matrix<double> diagonal(3, 3);
  diagonal(0, 0) = -1.0, diagonal(1, 1) = 5.0, diagonal(2, 2) = 2.0;
  const auto eigen = fl::statistics::detail::symmetric_eigenpairs(diagonal);
  CHECK(eigen.values == Eigen::Vector3d(5.0, 2.0, -1.0));
  CHECK(eigen.vectors(0, 1) == 1.0);
  for (const double scale : {1e-150, 1e150}) {
    auto scaled = random_symmetric(12, 3, 24);
    for (double& value : scaled.values()) value *= scale;
    const auto plain = fl::statistics::detail::symmetric_eigenpairs(random_symmetric(12, 3, 24));
    const auto big = fl::statistics::detail::symmetric_eigenpairs(scaled);
    for (Eigen::Index i = 0; i < 12; ++i) CHECK(big.values[i] / scale == Approx(plain.values[i]).epsilon(1e-11));
  }
  fl::Matrix<double> graded(20, 20);
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t j = 0; j < 20; ++j)
      graded(i, j) = std::pow(0.3, static_cast<double>(i + j)) * (i == j ? 2.0 : 1.0);
  CHECK(worst_error(graded, fl::statistics::detail::symmetric_eigenpairs(graded)) < 1e-13);
}

TEST_CASE("an entry that is not finite is refused", "[statistics]") {
  fl::Matrix<double> a(2, 2, 1.0);
  a(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(fl::statistics::detail::symmetric_eigenpairs(a), fl::Error);
}

TEST_CASE("a function of a symmetric matrix acts on its eigenvalues") {
  const auto a = random_symmetric(6, 5, 12);
  const auto invert = [](double value) { return 1.0 / value; };
  CHECK((fl::statistics::detail::spectral_function(a, 1e-12, invert) * a - Eigen::MatrixXd::Identity(6, 6)).norm() <
        1e-10);
  const auto root = fl::statistics::detail::spectral_function(a, 0.0, [](double value) { return std::sqrt(value); });
  CHECK((root * root - a).norm() < 1e-12);
  // The pseudoinverse of what has no full rank, by its defining equations
  const auto b = random_symmetric(6, 5, 2);
  const auto pseudo = fl::statistics::detail::spectral_function(b, 1e-10, invert);
  CHECK((b * pseudo * b - b).norm() < 1e-12);
  CHECK((pseudo * b * pseudo - pseudo).norm() < 1e-9);
  CHECK(fl::statistics::detail::spectral_function(fl::Matrix<double>(3, 3), 1e-8, invert) == fl::Matrix<double>(3, 3));
}

TEST_CASE("a direction is turned so that its largest entry is positive") {
  std::vector<double> v{1.0, -3.0, 2.0}, equal{-2.0, 2.0}, none;
  fl::statistics::detail::fix_sign(v);
  CHECK(v == std::vector<double>{-1.0, 3.0, -2.0});
  fl::statistics::detail::fix_sign(equal);
  CHECK(equal == std::vector<double>{2.0, -2.0});
  fl::statistics::detail::fix_sign(none);
  CHECK(none.empty());
}
