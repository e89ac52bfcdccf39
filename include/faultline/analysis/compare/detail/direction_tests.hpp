// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The questions inside a comparison as ordinary problems, so that the steps of the analysis answer them: where does one
// classifier fail, and where is one right and another wrong?

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/confirm/confirm.hpp>
#include <faultline/statistics/multiplicity.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Remembers what was sampled: all questions ask for the same fresh codes.
class SharedSamples {
 public:
  explicit SharedSamples(const ComparisonProblem& problem) : problem_(&problem) {}
  [[nodiscard]] const std::vector<Population>& operator()(std::int64_t first, std::int64_t count) {
    const auto [entry, is_new] = known_.try_emplace({first, count});
    if (is_new) entry->second = problem_->sample(first, count);
    return entry->second;
  }

 private:
  const ComparisonProblem* problem_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Population>> known_;
};

/// The common part of every question: no populations yet.
[[nodiscard]] inline Problem bare_problem(const ComparisonProblem& comparison) {
  Problem problem = comparison.common;
  problem.discovery = problem.confirmation = Population{};
  problem.sample = nullptr;
  problem.answer_edits = nullptr;
  problem.gradient_sum = nullptr;
  return problem;
}

/// Where does this classifier fail?
[[nodiscard]] inline Problem single_problem(const ComparisonProblem& comparison, SharedSamples& samples,
                                            std::size_t who) {
  Problem problem = bare_problem(comparison);
  problem.discovery = comparison.discovery[who];
  problem.confirmation = comparison.confirmation[who];
  problem.sample = [&samples, who](std::int64_t first, std::int64_t count) { return samples(first, count)[who]; };
  problem.answer_edits = [&comparison, who](std::span<const EditedLatent> edits, WantedAnswers wanted) {
    wanted.classifiers = {who};
    return comparison.common.answer_edits(edits, wanted);
  };
  return problem;
}

/// Rows of a population, in order.
[[nodiscard]] inline Population selected(const Population& from, std::span<const std::int64_t> rows) {
  Population to;
  const auto pick = [&](const auto& values, auto& out) {
    for (const std::int64_t i : rows) out.push_back(values[static_cast<std::size_t>(i)]);
  };
  pick(from.index, to.index);
  pick(from.label, to.label);
  pick(from.prediction, to.prediction);
  pick(from.failed, to.failed);
  if (!from.valid.empty()) pick(from.valid, to.valid);
  pick(from.probability, to.probability);
  pick(from.margin, to.margin);
  const auto pick_rows = [&](const Matrix<float>& matrix, Matrix<float>& out) {
    out.resize(static_cast<std::int64_t>(rows.size()), matrix.cols());
    for (std::size_t k = 0; k < rows.size() && matrix.cols() > 0; ++k)
      std::copy(matrix.row_span(rows[k]).begin(), matrix.row_span(rows[k]).end(),
                out.row_span(static_cast<std::int64_t>(k)).begin());
  };
  pick_rows(from.w, to.w);
  pick_rows(from.properties, to.properties);
  return to;
}

/// Positions of the samples that do not fail.
[[nodiscard]] inline std::vector<std::int64_t> passing_rows(const Population& population) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < population.size(); ++i)
    if (population.failed[static_cast<std::size_t>(i)] == 0) rows.push_back(i);
  return rows;
}

/// A population whose outcome is "the one right, the other wrong".
[[nodiscard]] inline Population discordant(const std::vector<Population>& outcomes, std::size_t right,
                                           std::size_t wrong) {
  Population population = outcomes[wrong];
  for (std::size_t i = 0; i < population.failed.size(); ++i)
    population.failed[i] = outcomes[right].failed[i] == 0 && outcomes[wrong].failed[i] != 0 ? 1 : 0;
  return population;
}

/// Where is one classifier right and the other wrong?
///
/// The outcome of a sample or an edited code is 1 when `right` is right and `wrong` is wrong. The halves hold only what
/// `right` gets right, so that the directions compare "one right, one wrong" with "both right". Compared with all other
/// samples, a fault of `right` alone would do as well: where it fails it cannot be the one that is right, so the
/// opposite of its fault would be found as a fault of `wrong`, which errs there no more than elsewhere. Fresh codes for
/// interventions are not selected at all.
[[nodiscard]] inline Problem ordered_problem(const ComparisonProblem& comparison, SharedSamples& samples,
                                             std::size_t right, std::size_t wrong) {
  Problem problem = bare_problem(comparison);
  problem.discovery =
      selected(discordant(comparison.discovery, right, wrong), passing_rows(comparison.discovery[right]));
  problem.confirmation =
      selected(discordant(comparison.confirmation, right, wrong), passing_rows(comparison.confirmation[right]));
  problem.sample = [&samples, right, wrong](std::int64_t first, std::int64_t count) {
    return discordant(samples(first, count), right, wrong);
  };
  problem.answer_edits = [&comparison, right, wrong](std::span<const EditedLatent> edits, WantedAnswers wanted) {
    wanted.classifiers = {right, wrong};
    EditAnswers answers = comparison.common.answer_edits(edits, wanted);
    const ClassifierAnswers other = std::move(answers.classifiers.back());
    answers.classifiers.pop_back();
    ClassifierAnswers& own = answers.classifiers.front();
    for (std::size_t i = 0; i < own.failed.size(); ++i) {
      own.failed[i] = own.failed[i] == 0 && other.failed[i] != 0 ? 1 : 0;
      own.probability[i] = own.failed[i] != 0 ? 0.0f : 1.0f;  // the outcome has no probability of its own
      own.log_odds[i] = own.failed[i] != 0 ? -20.0f : 20.0f;
    }
    own.prediction = other.prediction;
    return answers;
  };
  return problem;
}

/// Samples whose outcome is "any classifier fails": what start codes must not do.
[[nodiscard]] inline Problem anybody_problem(const ComparisonProblem& comparison, SharedSamples& samples) {
  Problem problem = bare_problem(comparison);
  problem.sample = [&samples](std::int64_t first, std::int64_t count) {
    const std::vector<Population>& outcomes = samples(first, count);
    Population population = outcomes.front();
    for (const Population& other : outcomes)
      for (std::size_t i = 0; i < population.failed.size(); ++i) population.failed[i] |= other.failed[i];
    return population;
  };
  return problem;
}

/// A question with its candidates, tested on the confirmation half.
struct DirectionTest {
  Problem problem;
  statistics::Strata strata, fresh_strata;
  Matrix<double> whitened;  ///< of the discovery half of this question
  Candidates candidates;
  Confirmation confirmation;  ///< adjusted for this question alone
  bool enough = false;        ///< effective failures in both halves
};

/// Chooses and tests directions; nothing but counts where there are too few failures.
[[nodiscard]] inline DirectionTest run_direction_test(Problem problem, const statistics::Whitening& whitening,
                                                      const NamedPool& pool, const MethodOptions& options) {
  DirectionTest contest;
  contest.problem = std::move(problem);
  const Population& discovery = contest.problem.discovery;
  const Population& confirmation = contest.problem.confirmation;
  contest.strata = statistics::count_outcomes(discovery.label, discovery.failed, contest.problem.classes);
  contest.fresh_strata = statistics::count_outcomes(confirmation.label, confirmation.failed, contest.problem.classes);
  contest.enough = std::min(contest.strata.effective_failures, contest.fresh_strata.effective_failures) >=
                   options.minimum_effective_failures;
  if (!contest.enough) return contest;
  contest.whitened = statistics::whiten(whitening, discovery.w, discovery.label);
  contest.candidates = choose_candidates(pool, contest.problem, whitening, contest.whitened, contest.strata, options);
  contest.confirmation = confirm(contest.problem, statistics::whiten(whitening, confirmation.w, confirmation.label),
                                 contest.fresh_strata, contest.candidates.frozen, options);
  return contest;
}

/// Candidates whose adjusted p-value reaches alpha.
[[nodiscard]] inline std::vector<std::size_t> confirmed_candidates(const DirectionTest& contest, double alpha) {
  std::vector<std::size_t> confirmed;
  for (std::size_t k = 0; k < contest.confirmation.effects.size(); ++k)
    if (contest.confirmation.effects[k].p_adjusted <= alpha) confirmed.push_back(k);
  return confirmed;
}

/// Makes the adjusted p-values hold for all questions together.
inline void adjust_together(std::span<DirectionTest> contests) {
  std::vector<double> p;
  for (const DirectionTest& contest : contests)
    for (const ConfirmationEffect& effect : contest.confirmation.effects) p.push_back(effect.p);
  const std::vector<double> adjusted = statistics::holm(p), q = statistics::benjamini_hochberg(p);
  std::size_t at = 0;
  for (DirectionTest& contest : contests) {
    for (ConfirmationEffect& effect : contest.confirmation.effects) {
      effect.p_adjusted = adjusted[at];
      effect.q = q[at++];
    }
  }
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
