// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/statistics/detail/cholesky.hpp>
#include <faultline/statistics/detail/symmetric_eigen.hpp>

#include <core/temporary_directory.hpp>
#include <statistics/support.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;

TEST_CASE("a positive definite system is solved whatever its size") {
  for (const std::int64_t n : {1, 2, 63, 64, 65, 150}) {
    const auto sample = faultline_test::make_sample(n, 2 * n, n, 2, 0.5);
    fl::Matrix<double> a(n, n);
    fl::detail::add_gram(sample.x, a);
    std::vector<double> truth;
    for (std::int64_t i = 0; i < n; ++i) truth.push_back(std::sin(static_cast<double>(i)));
    const std::vector<double> b = fl::detail::matrix_vector(a, truth), x = fl::detail::solve_positive(a, b);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == Approx(truth[i]).margin(1e-8));
  }
}

TEST_CASE("a matrix that is not positive definite is refused") {
  fl::Matrix<double> a(2, 2, 1.0);
  a(0, 1) = a(1, 0) = 2.0;
  const std::vector<double> b{1.0, 1.0};
  CHECK(faultline_tests::error_code([&] { (void)fl::detail::solve_positive(a, b); }) ==
        fl::ErrorCode::degenerate_statistics);
  a(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(faultline_tests::error_code([&] { (void)fl::detail::solve_positive(a, b); }) ==
        fl::ErrorCode::degenerate_statistics);
}
