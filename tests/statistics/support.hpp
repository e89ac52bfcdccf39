// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Made-up populations for the statistics tests, addressed by a trial number like everything random in the library.

#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/binomial.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace faultline_test {

struct Sample {
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> failed;
  faultline::Matrix<double> x;
};

/// Labels uniform over `classes`, failures with probability rate (class c: rate · (1 + c / classes)), coordinates
/// standard normal, shifted by `shift` in failures.
inline Sample make_sample(std::int64_t trial, std::int64_t n, std::int64_t dimension, std::int64_t classes, double rate,
                          double shift = 0.0) {
  faultline::core::CounterRandom random(11, faultline::core::Stream::subsets, trial);
  Sample sample{{}, {}, faultline::Matrix<double>(n, dimension)};
  for (std::int64_t i = 0; i < n; ++i) {
    sample.labels.push_back(random.below(classes));
    sample.failed.push_back(
        random.uniform() < rate * (1.0 + static_cast<double>(sample.labels.back()) / static_cast<double>(classes)) ? 1
                                                                                                                   : 0);
    for (double& value : sample.x.row_span(i)) value = random.normal() + (sample.failed.back() != 0 ? shift : 0.0);
  }
  return sample;
}

inline std::vector<double> column(const faultline::Matrix<double>& x, std::int64_t j) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < x.rows(); ++i) values.push_back(x(i, j));
  return values;
}

/// The most events a test at `level` may show in `trials` runs: exceeded by a right implementation with probability
/// below 1e-6.
inline std::int64_t most_events(std::int64_t trials, double level) {
  std::int64_t k = 0;
  while (faultline::statistics::binomial_upper_tail(k + 1, trials, level) > 1e-6) ++k;
  return k;
}

/// The fewest events that still agree with an event rate of `level`: a right implementation shows fewer with
/// probability below 1e-6.
inline std::int64_t fewest_events(std::int64_t trials, double level) {
  std::int64_t k = trials;
  while (k > 0 && faultline::statistics::binomial_lower_tail(k - 1, trials, level) > 1e-6) --k;
  return k;
}

}  // namespace faultline_test
