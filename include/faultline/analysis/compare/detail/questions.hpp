// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The questions inside a comparison as ordinary problems, so that the steps of the analysis answer them: where does one
// classifier fail, and where is one right and another wrong?

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/sampling/population.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Remembers what was sampled: all questions ask for the same held-out latents.
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

/// A population whose outcome is "the one right, the other wrong" and whose valid samples are those that the one gets
/// right, on images that the judge reads.
[[nodiscard]] inline Population discordant(const std::vector<Population>& outcomes, std::size_t right,
                                           std::size_t wrong) {
  Population population = outcomes[wrong];
  population.valid.assign(population.failed.size(), 0);
  for (std::size_t i = 0; i < population.failed.size(); ++i) {
    const bool is_right = outcomes[right].failed[i] == 0;
    population.failed[i] = is_right && outcomes[wrong].failed[i] != 0 ? 1 : 0;
    population.valid[i] = is_right && outcomes[wrong].is_valid(i) ? 1 : 0;
  }
  return population;
}

/// Where is one classifier right and the other wrong?
///
/// The outcome of a sample or an edited latent is 1 when `right` is right and `wrong` is wrong. Only what `right` gets
/// right counts as valid, so that the reference is "both right". Compared with all other samples, a fault of `right`
/// alone would do as well: where it fails it cannot be the one that is right, so the opposite of its fault would be
/// found as a fault of `wrong`, which errs there no more than elsewhere. Held-out latents are not selected at all.
[[nodiscard]] inline Problem ordered_problem(const ComparisonProblem& comparison, SharedSamples& samples,
                                             std::size_t right, std::size_t wrong) {
  Problem problem = bare_problem(comparison);
  problem.discovery = discordant(comparison.discovery, right, wrong);
  problem.confirmation = discordant(comparison.confirmation, right, wrong);
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

/// Samples whose outcome is "any classifier fails": what start latents must not do.
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

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
