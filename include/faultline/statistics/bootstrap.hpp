// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Intervals by resampling, for statistics of start latents that have no formula.

#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/interval.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

struct BootstrapOptions {
  std::int64_t replicates = 999;
  double confidence = 0.95;
  std::int64_t seed = 0;
  std::int64_t first = std::int64_t{1} << 51;  ///< address of the first replicate among the permutation draws
};

/// Percentile interval of a statistic of n units, resampled with replacement (Efron 1979).
///
/// `statistic(std::span<const std::int64_t> units)` gets n positions in 0 .. n − 1, some repeatedly, and returns a
/// number that is not NaN (it may be infinite).
/// **Error rate**: approximate; for means of 50 skewed values a 95 % interval covers in about 93 % (simulated in the
/// tests). Use an exact interval where there is one.
/// **Throws** `empty_input` for n < 1; `invalid_argument` for options out of range or a statistic that is NaN.
/// **Randomness**: (seed, Stream::permutations, first + b): the same resamples for every statistic, so differences of
/// statistics are paired.
/// Example: `auto range = bootstrap_interval(64, [&](auto units) { return mean_over(units); }, {.seed = 7});`
template <class Statistic>
[[nodiscard]] Interval bootstrap_interval(std::int64_t n, Statistic&& statistic, const BootstrapOptions& options = {}) {
  constexpr const char* where = "bootstrap_interval";
  if (n < 1) throw Error(ErrorCode::empty_input, where, "expected at least one unit to resample");
  core::require_in(where, "the number of units", n, 1, limits::samples);
  detail::require_confidence(where, options.confidence);
  core::require_in(where, "replicates", options.replicates, 1, limits::permutations);
  std::vector<std::int64_t> units(static_cast<std::size_t>(n));
  std::vector<double> values;
  for (std::int64_t b = 0; b < options.replicates; ++b) {
    core::CounterRandom random(options.seed, core::Stream::permutations, options.first + b);
    for (std::int64_t& unit : units) unit = random.below(n);
    values.push_back(statistic(std::span<const std::int64_t>(units)));
  }
  const double tail = 0.5 * (1.0 - options.confidence);
  return {quantile(values, tail), quantile(values, 1.0 - tail)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
