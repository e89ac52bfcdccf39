// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/detail/symmetric_eigen.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;

namespace {

/// Largest error of A = Σ λ u uᵀ and of U Uᵀ = I.
double worst_error(const fl::Matrix<double>& a, const fl::detail::SymmetricEigen& eigen) {
  const std::int64_t n = a.rows();
  double worst = 0.0;
  fl::Matrix<double> scaled = eigen.vectors;
  for (std::int64_t i = 0; i < n; ++i)
    for (double& value : scaled.row_span(i)) value *= eigen.values[static_cast<std::size_t>(i)];
  const auto back = fl::detail::transposed_multiply(eigen.vectors, scaled);
  const auto gram = fl::detail::multiply_transposed(eigen.vectors, eigen.vectors);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      worst = std::max(worst, std::abs(back(i, j) - a(i, j)));
      worst = std::max(worst, std::abs(gram(i, j) - (i == j ? 1.0 : 0.0)));
    }
  }
  for (std::size_t i = 1; i < eigen.values.size(); ++i) CHECK(eigen.values[i - 1] >= eigen.values[i]);
  return worst;
}

fl::Matrix<double> random_symmetric(std::int64_t n, std::int64_t seed, std::int64_t rank) {
  fl::Matrix<double> x(rank, n);
  fl::CounterRandom random(seed, fl::Stream::codes, 0);
  for (double& value : x.values()) value = random.normal() / std::sqrt(static_cast<double>(rank));
  fl::Matrix<double> a(n, n);
  fl::detail::add_gram(x, a);
  return a;
}

}  // namespace

TEST_CASE("a symmetric matrix is put together again from its eigenvectors", "[statistics][dense]") {
  for (const std::int64_t n : {1, 2, 3, 5, 17, 64, 130}) {
    const auto full = random_symmetric(n, n, 2 * n);
    CHECK(worst_error(full, fl::detail::symmetric_eigen(full)) < 1e-12);
    const auto deficient = random_symmetric(n, n, (n + 1) / 2);  // many equal eigenvalues: zeros
    CHECK(worst_error(deficient, fl::detail::symmetric_eigen(deficient)) < 1e-12);
  }
}

TEST_CASE("known eigenvalues", "[statistics][dense]") {
  fl::Matrix<double> a(3, 3);
  a(0, 0) = 2, a(1, 1) = 2, a(2, 2) = 3;
  a(0, 1) = a(1, 0) = 1;
  const auto eigen = fl::detail::symmetric_eigen(a);
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
  const auto waves = fl::detail::symmetric_eigen(second);
  for (std::int64_t k = 1; k <= n; ++k)
    CHECK(waves.values[static_cast<std::size_t>(n - k)] ==
          Approx(2.0 - 2.0 * std::cos(static_cast<double>(k) * 3.14159265358979324 / static_cast<double>(n + 1)))
              .epsilon(1e-12));
}

TEST_CASE("diagonal, zero, tiny, huge and graded matrices", "[statistics][dense]") {
  fl::Matrix<double> zero(4, 4);
  CHECK(worst_error(zero, fl::detail::symmetric_eigen(zero)) == 0.0);
  fl::Matrix<double> diagonal(3, 3);
  diagonal(0, 0) = -1.0, diagonal(1, 1) = 5.0, diagonal(2, 2) = 2.0;
  const auto eigen = fl::detail::symmetric_eigen(diagonal);
  CHECK(eigen.values == std::vector<double>{5.0, 2.0, -1.0});
  CHECK(eigen.vectors(0, 1) == 1.0);
  for (const double scale : {1e-150, 1e150}) {
    auto scaled = random_symmetric(12, 3, 24);
    for (double& value : scaled.values()) value *= scale;
    const auto plain = fl::detail::symmetric_eigen(random_symmetric(12, 3, 24));
    const auto big = fl::detail::symmetric_eigen(scaled);
    for (std::size_t i = 0; i < 12; ++i) CHECK(big.values[i] / scale == Approx(plain.values[i]).epsilon(1e-11));
  }
  fl::Matrix<double> graded(20, 20);
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t j = 0; j < 20; ++j)
      graded(i, j) = std::pow(0.3, static_cast<double>(i + j)) * (i == j ? 2.0 : 1.0);
  CHECK(worst_error(graded, fl::detail::symmetric_eigen(graded)) < 1e-13);
}

TEST_CASE("an entry that is not finite is refused", "[statistics][dense]") {
  fl::Matrix<double> a(2, 2, 1.0);
  a(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(fl::detail::symmetric_eigen(a), fl::Error);
}

TEST_CASE("products agree with plain loops", "[statistics][dense]") {
  fl::CounterRandom random(1, fl::Stream::codes, 1);
  fl::Matrix<double> a(7, 5), b(5, 9), c(11, 5);
  for (auto* m : {&a, &b, &c})
    for (double& value : m->values()) value = random.normal();
  const auto ab = fl::detail::multiply(a, b);
  const auto ac = fl::detail::multiply_transposed(a, c);
  const auto aa = fl::detail::transposed_multiply(a, a);
  const auto forms = fl::detail::quadratic_forms(a, fl::detail::transposed_multiply(c, c));
  for (std::int64_t i = 0; i < 7; ++i) {
    double form = 0.0;
    for (std::int64_t j = 0; j < 9; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < 5; ++k) sum += a(i, k) * b(k, j);
      CHECK(ab(i, j) == Approx(sum));
    }
    for (std::int64_t j = 0; j < 11; ++j) {
      CHECK(ac(i, j) == Approx(fl::detail::dot(a.row_span(i), c.row_span(j))));
      form += ac(i, j) * ac(i, j);
    }
    CHECK(forms[static_cast<std::size_t>(i)] == Approx(form));
  }
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 5; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < 7; ++k) sum += a(k, i) * a(k, j);
      CHECK(aa(i, j) == Approx(sum));
    }
}
