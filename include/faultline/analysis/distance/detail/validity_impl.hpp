// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/validity.hpp.

#include <faultline/analysis/distance/validity.hpp>

#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

namespace detail {

/// What the judge says where the outcome flips along a direction.
[[nodiscard]] inline std::vector<std::uint8_t> judge_flips(const Problem& problem, const Direction& direction,
                                                           const StartLatents& pool,
                                                           std::span<const std::size_t> numbers) {
  std::vector<BoundarySearch> searches;
  const Edit step = Edit::in_w(direction.w);
  for (const std::size_t number : numbers) searches.push_back(flip_search({pool[number].w, pool[number].label}, step));
  search_boundaries(problem.answer_edits, pointers_to(searches), distance_rules());
  std::vector<EditedLatent> flips;
  for (const BoundarySearch& search : searches)
    if (search.found[0].crossed()) flips.push_back(search.path.at(search.found[0].far_end()));
  std::vector<std::uint8_t> agrees;
  answer_in_blocks(problem, flips, {.judge = true}, [&](std::size_t, const EditAnswers& answers) {
    for (std::size_t i = 0; i < answers.judge_agrees.size(); ++i)
      if (answers.first().failed[i] != 0) agrees.push_back(answers.judge_agrees[i]);
  });
  return agrees;
}

}  // namespace detail

FAULTLINE_INLINE Validity validity_of_counts(std::int64_t agreed, std::int64_t flips, double confidence) {
  const statistics::Interval interval = statistics::clopper_pearson(agreed, flips, confidence);
  const ValidityDecision decision = interval.lower > 0.5   ? ValidityDecision::mostly_valid
                                    : interval.upper < 0.5 ? ValidityDecision::mostly_invalid
                                                           : ValidityDecision::undecided;
  return {Share{static_cast<double>(agreed) / static_cast<double>(flips), interval.lower, interval.upper}, flips,
          decision};
}

FAULTLINE_INLINE Validity validity_of(std::span<const std::uint8_t> judge_agrees) {
  if (judge_agrees.empty()) return {};
  const std::int64_t agreed = std::count_if(judge_agrees.begin(), judge_agrees.end(), [](auto a) { return a != 0; });
  return validity_of_counts(agreed, static_cast<std::int64_t>(judge_agrees.size()), 0.95);
}

FAULTLINE_INLINE void decide_validity(const FindingContext& context, std::span<Finding> findings) {
  const Problem& problem = context.problem;
  const double confidence = 1.0 - 0.05 / static_cast<double>(validity_analyses.size());
  for (Finding& finding : findings) {
    if (!finding.validity.agreement) continue;
    std::int64_t flips = finding.validity.flips;
    auto agreed =
        static_cast<std::int64_t>(std::llround(finding.validity.agreement->estimate * static_cast<double>(flips)));
    MethodOptions options = context.options;
    for (const std::int64_t interim : validity_analyses) {
      if (interim > 1) {
        const auto known = static_cast<std::size_t>(options.threshold_latents);
        options.threshold_latents = interim * context.options.threshold_latents;
        StartLatents pool(problem, options);
        const std::vector<std::size_t>& numbers = pool.of(finding.direction.class_label);
        if (numbers.size() <= known) break;  // the class has no more
        const std::vector<std::uint8_t> agrees =
            detail::judge_flips(problem, finding.direction, pool, std::span(numbers).subspan(known));
        flips += static_cast<std::int64_t>(agrees.size());
        agreed += std::count_if(agrees.begin(), agrees.end(), [](auto a) { return a != 0; });
      }
      finding.validity = validity_of_counts(agreed, flips, confidence);
      if (finding.validity.decision != ValidityDecision::undecided || problem.is_spent(budget_share::all)) break;
    }
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
