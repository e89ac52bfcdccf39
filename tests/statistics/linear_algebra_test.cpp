// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <cmath>
#include <cstdint>

namespace fl = faultline;
namespace detail = fl::statistics::detail;

namespace {

fl::Matrix<double> random_matrix(std::int64_t rows, std::int64_t cols, std::int64_t seed) {
  fl::Matrix<double> x(rows, cols);
  fl::core::CounterRandom random(seed, fl::core::Stream::start_latents, 0);
  for (double& value : x.values()) value = random.normal();
  return x;
}
double largest(const fl::Matrix<double>& difference) { return difference.cwiseAbs().maxCoeff(); }

}  // namespace

TEST_CASE("products of matrices and vectors are Eigen's", "[statistics]") {
  const auto a = random_matrix(7, 4, 1), b = random_matrix(4, 5, 2), c = random_matrix(7, 3, 3);
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(4, -1.0, 2.0), y = Eigen::VectorXd::LinSpaced(7, 0.5, 3.0);
  CHECK(largest(detail::product(a, b) - a * b) < 1e-14);
  CHECK(largest(detail::transposed_product(a, c) - a.transpose() * c) < 1e-14);
  CHECK(largest(detail::product_transposed(a, a) - a * a.transpose()) < 1e-14);
  CHECK((detail::product(a, x) - a * x).cwiseAbs().maxCoeff() < 1e-14);
  CHECK((detail::transposed_product(a, y.segment(0, 7)) - a.transpose() * y).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(detail::transposed(a) == fl::Matrix<double>(a.transpose()));
  CHECK(detail::as_row(x) == fl::Matrix<double>(x.transpose()));
  CHECK(largest(detail::scaled_rows(y, a) - y.asDiagonal() * a) < 1e-14);
}

TEST_CASE("rows of a matrix are looked at and written to in place", "[statistics]") {
  fl::Matrix<double> a = random_matrix(6, 3, 4);
  const fl::Matrix<double> before = a;
  CHECK(fl::Matrix<double>(detail::rows_of(before, 2, 3)) == fl::Matrix<double>(before.middleRows(2, 3)));
  detail::rows_of(a, 1, 2) = detail::rows_of(before, 4, 2);
  CHECK(a.row(1) == before.row(4));
  CHECK(a.row(2) == before.row(5));
  CHECK(a.row(3) == before.row(3));
}

TEST_CASE("squares are weighted with either sign, in as many parts as there are", "[statistics]") {
  const auto x = random_matrix(5000, 3, 5);
  Eigen::VectorXd weight(5000);
  for (Eigen::Index i = 0; i < weight.size(); ++i) weight[i] = std::sin(static_cast<double>(i));
  weight[7] = 0.0;
  const fl::Matrix<double> expected = x.transpose() * weight.asDiagonal() * x;
  const auto squares = detail::weighted_squares(x, weight);
  CHECK(largest(squares - expected) < 1e-10);
  CHECK(squares == detail::transposed(squares));
}

TEST_CASE("symmetric systems are solved from their lower triangle", "[statistics]") {
  const auto x = random_matrix(20, 6, 6);
  fl::Matrix<double> a = detail::transposed_product(x, x);
  detail::add_to_diagonal(a, 0.1);
  const Eigen::VectorXd b = Eigen::VectorXd::LinSpaced(6, 1.0, 2.0);
  CHECK((a * detail::symmetric_inverse(a) - Eigen::MatrixXd::Identity(6, 6)).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((a * detail::solve_symmetric(a, b) - b).cwiseAbs().maxCoeff() < 1e-12);
  fl::Matrix<double> lower = a;
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = i + 1; j < 6; ++j) lower(i, j) = 0.0;
  CHECK((detail::solve_symmetric(lower, b) - detail::solve_symmetric(a, b)).norm() == 0.0);
}

TEST_CASE("the pseudoinverse gives the least solution of least squares", "[statistics]") {
  const auto a = random_matrix(5, 5, 7);
  CHECK((a * detail::pseudoinverse(a) - Eigen::MatrixXd::Identity(5, 5)).cwiseAbs().maxCoeff() < 1e-9);
  // of rank 2: the four conditions of Moore and Penrose
  const fl::Matrix<double> singular = random_matrix(5, 2, 8) * random_matrix(2, 4, 9);
  const fl::Matrix<double> inverse = detail::pseudoinverse(singular);
  CHECK(largest(singular * inverse * singular - singular) < 1e-9);
  CHECK(largest(inverse * singular * inverse - inverse) < 1e-9);
  const fl::Matrix<double> left = singular * inverse, right = inverse * singular;
  CHECK(largest(left - left.transpose()) < 1e-9);
  CHECK(largest(right - right.transpose()) < 1e-9);
  CHECK(largest(detail::pseudoinverse(fl::Matrix<double>(3, 3))) == 0.0);
}

TEST_CASE("dual rows move along one row each", "[statistics]") {
  const auto g = random_matrix(3, 8, 10);
  CHECK(largest(fl::Matrix<double>(g * detail::dual_rows(g).transpose()) - Eigen::MatrixXd::Identity(3, 3)) < 1e-10);
}
