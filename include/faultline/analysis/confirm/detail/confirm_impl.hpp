// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/confirm.hpp.

#include <faultline/analysis/confirm/confirm.hpp>

#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/rank.hpp>
#include <faultline/statistics/welch_permutation.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double unbiased_square(double square, double dimensions, double effective) noexcept {
  return std::max(0.0, square - dimensions / effective);
}

FAULTLINE_INLINE double explained_together(std::span<const double> difference,
                                           std::span<const std::vector<double>> directions, double effective) {
  if (directions.empty() || !(effective > 0.0)) return 0.0;
  const auto basis = statistics::orthonormal_basis(directions, 1e-6);
  double inside = 0.0;
  for (const std::vector<double>& v : basis) inside += core::dot(difference, v) * core::dot(difference, v);
  const double total =
      unbiased_square(core::dot(difference, difference), static_cast<double>(difference.size()), effective);
  const double part = unbiased_square(inside, static_cast<double>(basis.size()), effective);
  return total > 0.0 ? std::min(1.0, part / total) : 0.0;
}

FAULTLINE_INLINE Confirmation confirm(const Problem& problem, const Matrix<double>& whitened,
                                      const statistics::Strata& strata, std::span<const FrozenCandidate> candidates,
                                      const MethodOptions& options) {
  Confirmation result;
  if (candidates.empty()) return result;
  const Population& half = problem.confirmation;
  Matrix<double> scores(half.size(), static_cast<std::int64_t>(candidates.size()));
  std::vector<std::int64_t> class_of;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    const auto values = coordinate(whitened, candidates[k].v);
    for (std::int64_t i = 0; i < half.size(); ++i)
      scores(i, static_cast<std::int64_t>(k)) = values[static_cast<std::size_t>(i)];
    class_of.push_back(candidates[k].class_label.value_or(-1));
  }
  const auto tests = statistics::welch_permutation_test(
      scores, half.label, half.failed, strata,
      {.replicates = options.permutations_confirmation, .seed = problem.seed, .first = core::confirmation_first},
      class_of);
  std::vector<double> p;
  for (const statistics::WelchTest& test : tests) p.push_back(test.p);
  const auto adjusted = statistics::holm(p);
  const auto q = statistics::benjamini_hochberg(p);

  for (std::size_t k = 0; k < candidates.size(); ++k) {
    const statistics::Strata these =
        candidates[k].class_label ? statistics::only_class(strata, *candidates[k].class_label) : strata;
    std::vector<double> values(static_cast<std::size_t>(half.size()));
    for (std::int64_t i = 0; i < half.size(); ++i)
      values[static_cast<std::size_t>(i)] = scores(i, static_cast<std::int64_t>(k));
    ConfirmationEffect effect;
    effect.effect = tests[k].statistic.difference;
    effect.t = tests[k].statistic.t;
    effect.auc = statistics::stratified_auc(values, half.label, half.failed, these).auc;
    effect.p = p[k];
    effect.p_adjusted = adjusted[k];
    effect.q = q[k];
    result.effects.push_back(effect);

    const auto difference = statistics::stratified_difference(whitened, half.label, half.failed, these);
    const std::vector<double> alone = candidates[k].v;
    result.explained.push_back(explained_together(difference, std::span(&alone, 1), these.effective_failures));
  }
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
