// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Permuting outcomes within classes: the reference distribution of every claim that failures differ from successes
// (method sections 5.1 and 5.2).

#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// How many permutations, and which.
///
/// Replicate b is drawn from (seed, Stream::permutations, first + b) alone: the result does not depend on threads or on
/// how many replicates there are.
struct PermutationOptions {
  std::int64_t replicates = 9999;
  std::int64_t seed = 0;
  std::int64_t first = 0;
};

/// Draws uniformly random reassignments of the outcomes within each class: every class keeps its number of failures.
///
/// Only classes that `strata` uses take part. Positions are those of `labels`.
/// **Throws** `shape_mismatch`, `label_out_of_range`.
/// **Cost** of a draw: one random word for each member of the smaller outcome group of each class.
class WithinClassPermuter {
 public:
  WithinClassPermuter(std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                      const Strata& strata) {
    require_outcomes("WithinClassPermuter", static_cast<std::int64_t>(labels.size()), labels, failed);
    members_.resize(static_cast<std::size_t>(strata.classes()));
    drawn_.resize(members_.size());
    draws_failures_.resize(members_.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      require_label("WithinClassPermuter", labels[i], strata.classes());
      if (strata.uses(labels[i])) members_[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::int64_t>(i));
    }
    for (std::size_t c = 0; c < members_.size(); ++c) {
      draws_failures_[c] = strata.failures[c] <= strata.successes[c] ? 1 : 0;
      drawn_[c] = members_[c].empty() ? 0 : std::min(strata.failures[c], strata.successes[c]);
    }
  }

  /// Sample positions of class `c`, ascending; empty for a class that is not used.
  [[nodiscard]] std::span<const std::int64_t> members(std::int64_t c) const {
    return members_[static_cast<std::size_t>(c)];
  }
  /// Whether the drawn subset of class `c` stands for its failures (else for its successes): the smaller group is
  /// drawn, the other is the rest.
  [[nodiscard]] bool draws_failures(std::int64_t c) const { return draws_failures_[static_cast<std::size_t>(c)] != 0; }
  [[nodiscard]] std::int64_t classes() const noexcept { return static_cast<std::int64_t>(members_.size()); }

  /// Draws the smaller group of class `c` anew: a uniformly random subset as indices into `members(c)`, in random
  /// order, valid until the next draw. Call it for the classes in ascending order, so that one reader serves a whole
  /// replicate.
  [[nodiscard]] std::span<const std::int32_t> draw(std::int64_t c, core::CounterRandom& random) {
    const auto size = static_cast<std::int64_t>(members_[static_cast<std::size_t>(c)].size());
    const std::int64_t wanted = drawn_[static_cast<std::size_t>(c)];
    order_.resize(static_cast<std::size_t>(size));
    std::iota(order_.begin(), order_.end(), 0);
    for (std::int64_t i = 0; i < wanted; ++i)
      std::swap(order_[static_cast<std::size_t>(i)], order_[static_cast<std::size_t>(i + random.below(size - i))]);
    return std::span<const std::int32_t>(order_).first(static_cast<std::size_t>(wanted));
  }

 private:
  std::vector<std::vector<std::int64_t>> members_;
  std::vector<std::int64_t> drawn_;
  std::vector<char> draws_failures_;
  std::vector<std::int32_t> order_;
};

namespace detail {

inline void require_replicates(const char* where, const PermutationOptions& options) {
  core::require_in(where, "replicates", options.replicates, 1, limits::permutations);
}

}  // namespace detail

/// Stratified differences under permuted outcomes: row b is `stratified_difference` of x with replicate b's outcomes.
///
/// The effect of a direction v in replicate b is v · row b, so one `[B, d]` matrix serves any number of candidate
/// directions; nothing of size N x D is ever formed.
/// **Shapes**: x `[N, d]`, labels and failed `[N]` -> `[replicates, d]`; all zero when no class is used.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for no replicates.
/// **Randomness**: (seed, Stream::permutations, first + b). **Cost**: replicates x (smaller groups) x d additions.
/// Example: `auto null = permuted_differences(whitened, labels, failed, strata, {.replicates = 999, .seed = 7});`
[[nodiscard]] inline Matrix<double> permuted_differences(const Matrix<double>& x, std::span<const std::int64_t> labels,
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

/// From here on a permuted value counts as reaching the observed one: a tie in exact arithmetic stays one whatever the
/// order of the sums.
[[nodiscard]] inline double tie_bar(double observed) noexcept {
  return std::isfinite(observed) ? observed - 1e-9 * std::max(1.0, std::abs(observed)) : observed;
}

}  // namespace detail

/// One-sided p-value of an observed value among permuted ones: (1 + #{null ≥ observed}) / (B + 1), valid for any B
/// (Phipson and Smyth 2010).
///
/// Values that agree to a relative 1e-9 count as equal.
[[nodiscard]] inline double permutation_p(double observed, std::span<const double> null) {
  const double bar = detail::tie_bar(observed);
  std::int64_t reached = 0;
  for (const double value : null) reached += value >= bar ? 1 : 0;
  return static_cast<double>(1 + reached) / static_cast<double>(null.size() + 1);
}

/// The point of a permutation distribution that an observed value must exceed for its `permutation_p` to be at most
/// `alpha`; +∞ when B is too small for `alpha`.
[[nodiscard]] inline double permutation_point(std::vector<double> null, double alpha = 0.05) {
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
