// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/permutation.hpp.

#include <faultline/statistics/permutation.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

FAULTLINE_INLINE void require_replicates(const char* where, const PermutationOptions& options) {
  core::require_in(where, "replicates", options.replicates, 1, limits::permutations);
}

}  // namespace detail

FAULTLINE_INLINE Matrix<double> permuted_differences(const Matrix<double>& x, std::span<const std::int64_t> labels,
                                                     std::span<const std::uint8_t> failed, const Strata& strata,
                                                     const PermutationOptions& options) {
  require_outcomes("permuted_differences", x.rows(), labels, failed);
  detail::require_replicates("permuted_differences", options);
  WithinClassPermuter permuter(labels, failed, strata);
  Matrix<double> result(options.replicates, x.cols());
  if (!(strata.effective_failures > 0.0)) return result;
  const auto d = static_cast<std::size_t>(x.cols());

  // With class sums S_c and failure sums F_c the numerator is Σ F_c − m_c / (m_c + n_c) S_c, or the negative of it with
  // successes in place of failures.
  std::vector<double> expected(d, 0.0);
  for (std::int64_t c = 0; c < permuter.classes(); ++c) {
    const auto m = static_cast<double>(strata.failures[static_cast<std::size_t>(c)]);
    const auto n = static_cast<double>(strata.successes[static_cast<std::size_t>(c)]);
    const double share = permuter.draws_failures(c) ? m / (m + n) : -n / (m + n);
    for (const std::int64_t i : permuter.members(c)) {
      const auto row = x.row_span(i);
      for (std::size_t j = 0; j < d; ++j) expected[j] += share * row[j];
    }
  }
  for (std::int64_t b = 0; b < options.replicates; ++b) {
    core::CounterRandom random(options.seed, core::Stream::permutations, options.first + b);
    double* out = result.row_span(b).data();
    for (std::int64_t c = 0; c < permuter.classes(); ++c) {
      const auto members = permuter.members(c);
      const double sign = permuter.draws_failures(c) ? 1.0 : -1.0;
      for (const std::int32_t position : permuter.draw(c, random)) {
        const double* row = x.row_span(members[static_cast<std::size_t>(position)]).data();
        for (std::size_t j = 0; j < d; ++j) out[j] += sign * row[j];
      }
    }
    for (std::size_t j = 0; j < d; ++j) out[j] = (out[j] - expected[j]) / strata.effective_failures;
  }
  return result;
}

namespace detail {

FAULTLINE_INLINE double tie_critical_value(double observed) noexcept {
  return std::isfinite(observed) ? observed - 1e-9 * std::max(1.0, std::abs(observed)) : observed;
}

}  // namespace detail

FAULTLINE_INLINE double permutation_p(double observed, std::span<const double> null) {
  const double critical = detail::tie_critical_value(observed);
  std::int64_t reached = 0;
  for (const double value : null) reached += value >= critical ? 1 : 0;
  return static_cast<double>(1 + reached) / static_cast<double>(null.size() + 1);
}

FAULTLINE_INLINE double permutation_point(std::vector<double> null, double alpha) {
  const auto total = static_cast<double>(null.size() + 1);
  // This many may be as large as the observed one
  const auto reached = static_cast<std::int64_t>(std::floor(alpha * total + 1e-9)) - 1;
  if (reached < 0) return std::numeric_limits<double>::infinity();
  std::sort(null.begin(), null.end(), std::greater<>());
  return reached < static_cast<std::int64_t>(null.size()) ? null[static_cast<std::size_t>(reached)]
                                                          : -std::numeric_limits<double>::infinity();
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
