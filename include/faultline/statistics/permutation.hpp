// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Permuting outcomes within classes: the reference distribution of every claim that failures differ from successes
// (method sections 5.1 and 5.2).

#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
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

void require_replicates(const char* where, const PermutationOptions& options);

}  // namespace detail

/// Stratified differences under permuted outcomes: row b is `stratified_difference` of x with replicate b's outcomes.
///
/// The effect of a direction v in replicate b is v · row b, so one `[B, d]` matrix serves any number of candidate
/// directions; nothing of size N x D is ever formed.
/// **Shapes**: x `[N, d]`, labels and failed `[N]` -> `[replicates, d]`; all zero when no class is used.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for no replicates.
/// **Randomness**: (seed, Stream::permutations, first + b). **Cost**: replicates x (smaller groups) x d additions.
/// Example: `auto null = permuted_differences(whitened, labels, failed, strata, {.replicates = 999, .seed = 7});`
[[nodiscard]] Matrix<double> permuted_differences(const Matrix<double>& x, std::span<const std::int64_t> labels,
                                                  std::span<const std::uint8_t> failed, const Strata& strata,
                                                  const PermutationOptions& options);

namespace detail {

/// From here on a permuted value counts as reaching the observed one: a tie in exact arithmetic stays one whatever the
/// order of the sums.
[[nodiscard]] double tie_critical_value(double observed) noexcept;

}  // namespace detail

/// One-sided p-value of an observed value among permuted ones: (1 + #{null ≥ observed}) / (B + 1), valid for any B
/// (Phipson and Smyth 2010).
///
/// Values that agree to a relative 1e-9 count as equal.
[[nodiscard]] double permutation_p(double observed, std::span<const double> null);

/// The point of a permutation distribution that an observed value must exceed for its `permutation_p` to be at most
/// `alpha`; +∞ when B is too small for `alpha`.
[[nodiscard]] double permutation_point(std::vector<double> null, double alpha = 0.05);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/permutation_impl.hpp>
#endif
