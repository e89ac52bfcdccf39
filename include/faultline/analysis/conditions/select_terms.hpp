// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which terms the model of failures is made of: forward selection on the discovery split (method.md: Conditions).

#include <faultline/analysis/conditions/term.hpp>
#include <faultline/statistics/logistic_regression.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How the candidates that pass the screen are compared.
enum class Comparing {
  score_test,        ///< by the screen itself: no further fit
  likelihood,        ///< by the deviance that their fits gain, less twice their columns (Akaike)
  cross_validation,  ///< by the deviance that they gain on samples left out
};

/// When a term is accepted, and how many there may be.
struct SelectionOptions {
  double alpha = 0.05;   ///< a term's score test must reach this after Bonferroni over all candidates
  double least_z = 1.5;  ///< and its gain in deviance this many standard errors
  std::int64_t folds = 5;
  std::int64_t properties = 16;        ///< at most so many conditions made of properties
  std::int64_t subspaces = 3;          ///< and so many directions or subspaces
  std::int64_t class_subspaces = 2;    ///< of which so many in one class each
  double least_direction_gain = 0.05;  ///< a direction must explain this share of what is explained so far
  std::int64_t class_outcomes = 10;    ///< failures and successes that a class needs for terms of its own
  std::int64_t seed = 0;
  bool directions = true;  ///< whether directions that no property names are sought
  Comparing comparing = Comparing::likelihood;
};

/// The terms in the order in which they were accepted, and the model that they are.
struct SelectedTerms {
  std::vector<Term> terms;
  std::vector<double> gains;    ///< of each term over those before it, in units of deviance, as compared
  statistics::LogisticFit fit;  ///< on the samples of the selection
  double null_deviance = 0.0;   ///< of the class intercepts alone
  std::int64_t candidates = 0;  ///< properties, projections, classes and pairs that were compared
};

/// Selects terms that failures go with.
///
/// Phase 1: properties by value and by projection, for all classes and for one, and pairs; screened by score tests, the
/// best compared as the options say. A simpler term of the same property is preferred when its gain is at
/// least .7 of the best. Phase 2, when nothing of phase 1 is accepted: directions and subspaces of w̃, off what is
/// selected.
/// **Shapes**: `admitted` `[P]`, 0 for a property that is no candidate; empty: all are.
/// **Throws** `invalid_argument` for options out of range; `shape_mismatch`; `empty_input` without samples.
/// **Randomness**: folds from (seed, stream 7, 0). **Cost**: per accepted term one score test of every candidate, N·4·p
/// each, and some 7 · 5 fits.
[[nodiscard]] SelectedTerms select_terms(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                         std::span<const std::uint8_t> admitted, const SelectionOptions& options = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/select_terms_impl.hpp>
#endif
