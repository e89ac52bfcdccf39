// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle: a failure analysis without templates. Two populations, the affine style map, and callbacks into
// generator and classifier; every step of the method is an ordinary function on this.

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/concepts/deferred_scores.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Everything the steps of the analysis need. Built once by the thin template layer.
struct Problem {
  StyleLayout layout;
  std::int64_t classes = 0;        ///< number of generator classes; 1 (label 0) when unconditional
  Matrix<double> style_matrix;     ///< A of s = A w + b, [D, w_dim]
  std::vector<double> style_bias;  ///< b, [D]
  std::vector<std::string> property_names;
  std::vector<std::string> property_units = {};  ///< as an axis has them: "px"; empty: none has one
  /// 0 for a property that gives names and side effects only; empty: all are candidates
  std::vector<std::uint8_t> property_candidates = {};
  /// 0 for a property that follows others by what it is (`Property::specific`); empty: none does
  std::vector<std::uint8_t> property_specific = {};
  bool has_judge = false;
  std::int64_t seed = 0;

  Population discovery;
  Population confirmation;

  /// Classified samples of the sampler's seed with indices first .. first + count - 1 (discovery, confirmation and
  /// intervention latents alike).
  std::function<Population(std::int64_t first, std::int64_t count)> sample;
  /// Answers edits of latents: synthesises them in fixed padded batches and asks the classifier, or those of the
  /// comparison that are wanted.
  AnswerEdits answer_edits;
  /// Sum over the rows of d p(y) / d s, [D], at unedited latents w with labels; empty when generator or classifier has
  /// no gradient.
  std::function<std::vector<double>(const Matrix<float>& w, std::span<const std::int64_t> labels)> gradient_sum;
  /// Share of the budget that is spent, see `BudgetClock`; empty without a budget.
  std::function<double()> budget_used = nullptr;

  /// Classifiers whose scores are made elsewhere, for requests that take several calls; nothing of them may decide
  /// anything before the request has ended.
  std::vector<DeferredScores*> deferred = {};

  /// Unit of a property by its position; empty where it has none.
  [[nodiscard]] std::string unit_of(std::int64_t property) const {
    return property_units.empty() ? std::string() : property_units[static_cast<std::size_t>(property)];
  }

  /// Whether a step that may go on up to this share of the budget has to end.
  [[nodiscard]] bool is_spent(double share) const { return budget_used && budget_used() >= share; }
};

/// Answers block by block, of which scores that are made elsewhere are asked for at once; see the function of that
/// name.
template <class Sink>
void answer_in_blocks(const Problem& problem, std::span<const EditedLatent> edits, const WantedAnswers& wanted,
                      const Sink& sink) {
  classify::ScoreRequest request(problem.deferred);
  answer_in_blocks(problem.answer_edits, edits, wanted, sink);
  request.end();
}

}  // namespace analysis

using analysis::Problem;

}  // namespace v1
}  // namespace faultline
