// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/deviance_gain.hpp.

#include <faultline/statistics/deviance_gain.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>

#include <cmath>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE DevianceGain deviance_gain(std::span<const double> small, std::span<const double> large,
                                            std::span<const double> null, double confidence) {
  constexpr const char* where = "deviance_gain";
  detail::require_confidence(where, confidence);
  if (large.size() != small.size() || null.size() != small.size()) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected three deviances of each sample, got " + std::to_string(small.size()) + ", " +
                    std::to_string(large.size()) + " and " + std::to_string(null.size()));
  }
  if (small.size() < 2) throw Error(ErrorCode::empty_input, where, "expected at least two samples");
  double gained = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < small.size(); ++i) {
    if (!std::isfinite(small[i]) || !std::isfinite(large[i]) || !std::isfinite(null[i])) {
      throw Error(ErrorCode::invalid_argument, where,
                  "expected finite deviances, got another at position " + std::to_string(i));
    }
    gained += small[i] - large[i];
    total += null[i];
  }
  if (!(total > 0.0))
    throw Error(ErrorCode::degenerate_statistics, where, "the null model has no deviance to take a share of");
  DevianceGain result;
  result.share = gained / total;
  double squares = 0.0;
  for (std::size_t i = 0; i < small.size(); ++i) {
    const double rest = small[i] - large[i] - result.share * null[i];
    squares += rest * rest;
  }
  const auto n = static_cast<double>(small.size());
  result.error = std::sqrt(n / (n - 1.0) * squares) / total;
  const double arm = normal_quantile(0.5 * (1.0 + confidence)) * result.error;
  result.interval = {result.share - arm, result.share + arm};
  return result;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
