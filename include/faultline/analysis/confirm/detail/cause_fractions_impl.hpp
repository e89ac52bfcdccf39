// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/cause_fractions.hpp.

#include <faultline/analysis/confirm/cause_fractions.hpp>

#include <faultline/analysis/confirm/cause_settings.hpp>
#include <faultline/analysis/problem/valid_failures.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/mcnemar.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Moves every two causes by +2 towards failure and asks whether they do more together than their log odds add up to.
inline void measure_beyond_additive(const Problem& problem, const Population& population,
                                    std::span<const ConditionEdit> planned, std::span<const std::size_t> causes,
                                    std::span<CausePair> pairs, std::span<statistics::ValueCounts> sums) {
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const ConditionEdit &a = planned[causes[pairs[p].first]], &b = planned[causes[pairs[p].second]];
    if (a.shape != ConditionShape::one_sided || b.shape != ConditionShape::one_sided) continue;
    const Eigen::VectorXd step_a = 2.0 * a.sign * core::as_vector(a.steps.row_span(0)),
                          step_b = 2.0 * b.sign * core::as_vector(b.steps.row_span(0));
    std::vector<EditedLatent> edits;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      const StartLatent start{population.w.row_span(i), population.label[static_cast<std::size_t>(i)]};
      edits.push_back({start});
      for (const Eigen::VectorXd& step : {step_a, step_b, Eigen::VectorXd(step_a + step_b)})
        edits.push_back({start, Edit::in_w(core::to_list(step))});
    }
    std::vector<float> odds;
    answer_in_blocks(problem, edits, {}, [&](std::size_t, const EditAnswers& answers) {
      odds.insert(odds.end(), answers.first().log_odds.begin(), answers.first().log_odds.end());
    });
    for (std::size_t i = 0; i + 3 < odds.size(); i += 4) {
      const bool both = odds[i + 3] < 0.0f, additive = odds[i + 1] + odds[i + 2] - odds[i] < 0.0f;
      sums[p].add((both ? 1.0 : 0.0) - (additive ? 1.0 : 0.0));
    }
  }
}

}  // namespace detail

FAULTLINE_INLINE CauseFractions attribute_failures(const Problem& problem, const statistics::Whitening& whitening,
                                                   const ConditionSample& discovery, const Conditions& found,
                                                   std::span<const ConditionEdit> planned,
                                                   std::span<const std::size_t> causes, const EffectOptions& options) {
  CauseFractions result;
  result.each.resize(causes.size());
  if (causes.empty()) return result;
  const CauseSettings settings(whitening, discovery, found, planned, causes);
  std::vector<std::size_t> every;
  std::vector<Matrix<double>> single, paired;
  for (std::size_t k = 0; k < causes.size(); ++k) {
    every.push_back(k);
    single.push_back(settings.together(std::span(&every.back(), 1)));
  }
  single.push_back(settings.together(every));
  for (std::size_t a = 0; a < std::min(causes_in_pairs, causes.size()); ++a)
    for (std::size_t b = a + 1; b < std::min(causes_in_pairs, causes.size()); ++b) {
      result.pairs.push_back({a, b});
      const std::size_t both[] = {a, b};
      paired.push_back(causes.size() == 2 ? single.back() : settings.together(both));
    }

  // outcomes of the latents as they are, with each cause set, with all set; of some of them with two set
  std::vector<std::uint8_t> before;
  std::vector<std::vector<std::uint8_t>> after(single.size()), after_pair(paired.size());
  std::vector<statistics::ValueCounts> beyond(paired.size());
  classify::ScoreRequest request(problem.deferred);  // no answer decides what is asked
  const std::int64_t chunk = 4 * options.batch_size;
  for (std::int64_t done = 0; done < options.fraction_latents; done += chunk) {
    if (done > 0 && problem.is_spent(budget_share::fractions)) break;
    const Population population =
        problem.sample(core::fraction_first + done, std::min(chunk, options.fraction_latents - done));
    const Matrix<double> whitened = statistics::whiten(whitening, population.w, population.label);
    const bool with_pairs = done < options.fraction_latents / 2;
    std::vector<EditedLatent> edits;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      before.push_back(population.failed[at] != 0 && population.is_valid(at) ? 1 : 0);
      const StartLatent start{population.w.row_span(i), population.label[at]};
      for (const auto* duals : {&single, &paired})
        if (duals == &single || with_pairs)
          for (const Matrix<double>& dual : *duals)
            edits.push_back({start, settings.set(dual, whitened.row_span(i), start.label)});
    }
    const ValidFailures answers = answer_valid(problem, edits);
    std::size_t at = 0;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      for (auto& outcomes : after) outcomes.push_back(answers.failed[at++] != 0.0 ? 1 : 0);
      if (with_pairs)
        for (auto& outcomes : after_pair) outcomes.push_back(answers.failed[at++] != 0.0 ? 1 : 0);
    }
    if (done < options.fraction_latents / 8)
      detail::measure_beyond_additive(problem, population, planned, causes, result.pairs, beyond);
  }
  request.end();
  const auto fraction = [&](const std::vector<std::uint8_t>& outcomes) {
    return statistics::attributable_fraction(statistics::count_pairs(before, outcomes));
  };
  for (std::size_t k = 0; k < causes.size(); ++k) result.each[k] = fraction(after[k]);
  result.together = fraction(after.back());
  result.latents = static_cast<std::int64_t>(before.size());
  result.failures = std::count_if(before.begin(), before.end(), [](auto f) { return f != 0; });
  for (std::size_t p = 0; p < paired.size(); ++p) {
    const std::size_t n = after_pair[p].size();
    const auto first = [n](const std::vector<std::uint8_t>& all) { return std::span(all).first(n); };
    result.pairs[p].overlap = statistics::attributable_overlap(first(before), first(after[result.pairs[p].first]),
                                                               first(after[result.pairs[p].second]), after_pair[p]);
    if (beyond[p].size() == 0) continue;
    result.pairs[p].beyond_additive =
        statistics::AttributableFraction{beyond[p].mean(), statistics::betting_interval(beyond[p])};
  }
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
