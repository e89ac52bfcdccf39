// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The package is found, its headers compile, and what is behind them links: the size of an interval that Boost
// computes.
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/version.hpp>

#include <cstdio>

int main() {
  const auto interval = faultline::statistics::clopper_pearson(5, 100, 0.95);
  const faultline::Matrix<float> matrix(2, 3);
  std::printf("faultline %s: 5 of 100 is a rate in [%.3f, %.3f]\n", faultline::version_string, interval.lower,
              interval.upper);
  return interval.lower > 0.01 && interval.upper < 0.12 && matrix.cols() == 3 ? 0 : 1;
}
