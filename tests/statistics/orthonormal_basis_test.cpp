// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>

#include <support/catch2.hpp>

#include <cstdint>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("a basis is orthonormal and spans the directions in their order") {
  const Sample sample = make_sample(3, 6, 20, 1, 0.2);
  std::vector<std::vector<double>> directions;
  for (std::int64_t i = 0; i < 6; ++i)
    directions.emplace_back(sample.x.row_span(i).begin(), sample.x.row_span(i).end());
  directions[3] = directions[1];  // adds nothing
  for (std::size_t j = 0; j < 20; ++j)
    directions[4][j] = directions[0][j] + 1e-9 * directions[4][j];  // hardly anything
  const auto basis = fl::statistics::orthonormal_basis(directions, 1e-6);
  REQUIRE(basis.size() == 4);
  for (std::size_t a = 0; a < basis.size(); ++a)
    for (std::size_t b = 0; b < basis.size(); ++b)
      CHECK(fl::core::dot(basis[a], basis[b]) == Approx(a == b ? 1.0 : 0.0).margin(1e-14));
  CHECK(fl::core::dot(basis[0], directions[0]) == Approx(fl::core::as_vector(directions[0]).norm()));
  for (const auto& direction : directions) {
    std::vector<double> rest = direction;
    fl::statistics::project_off(rest, std::span<const std::vector<double>>(basis));
    CHECK(fl::core::as_vector(rest).norm() < 1e-7);
  }
  CHECK(fl::statistics::orthonormal_basis({}, 1e-6).empty());
}

TEST_CASE("what is left off nearly parallel directions is orthogonal to rounding") {
  const Sample sample = make_sample(4, 2, 50, 1, 0.2);
  std::vector<std::vector<double>> directions;
  for (std::int64_t i = 0; i < 2; ++i)
    directions.emplace_back(sample.x.row_span(i).begin(), sample.x.row_span(i).end());
  for (std::size_t j = 0; j < 50; ++j) directions[1][j] = directions[0][j] + 1e-7 * directions[1][j];
  const auto basis = fl::statistics::orthonormal_basis(directions, 1e-12);
  REQUIRE(basis.size() == 2);
  CHECK(std::abs(fl::core::dot(basis[0], basis[1])) < 1e-15);
}

TEST_CASE("the nearest orthonormal rows") {
  const Sample sample = make_sample(5, 4, 9, 1, 0.2);
  const fl::Matrix<double> near = fl::statistics::nearest_orthonormal(sample.x);
  CHECK((near * near.transpose() - Eigen::MatrixXd::Identity(4, 4)).norm() < 1e-12);
  // The polar factor: near · xᵀ is symmetric and positive
  const Eigen::MatrixXd factor = near * sample.x.transpose();
  CHECK((factor - factor.transpose()).norm() < 1e-12);
  CHECK(fl::statistics::detail::symmetric_eigenpairs(fl::Matrix<double>(factor)).values.minCoeff() > 0.0);
  CHECK((fl::statistics::nearest_orthonormal(near) - near).norm() < 1e-12);
}
