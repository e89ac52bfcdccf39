// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/find_conditions.hpp.

#include <faultline/analysis/confirm/find_conditions.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE TestedConditions find_conditions(const ConditionSample& discovery, const ConditionSample& confirmation,
                                                  const ReadingVectors& reading_vectors,
                                                  std::span<const std::uint8_t> admitted, std::int64_t seed,
                                                  const ConditionOptions& options) {
  TestedConditions result;
  SelectionOptions selecting = options.selection;
  selecting.seed = seed;
  const SelectedTerms selection = select_terms(discovery, reading_vectors, admitted, selecting);
  result.candidates = selection.candidates;
  const Conditions found = gather_conditions(discovery, reading_vectors, selection);
  if (found.conditions.empty()) return result;

  ConditionTests tests =
      confirm_conditions(confirmation, found, freeze_shapes(discovery, found), seed, options.permutations);
  std::vector<double> stable(found.conditions.size(), 0.0);
  if (options.half_samples > 0)
    stable = stability(discovery, reading_vectors, admitted, found, selecting, options.half_samples);
  result.together = tests.together;
  const auto holds = [&](const ConditionTest& test) {
    return test.p_adjusted <= options.alpha && test.gain.share >= options.least_share;
  };
  for (std::size_t k = 0; k < found.conditions.size(); ++k) {
    const bool confirmed = holds(tests.conditions[k]);
    const bool minor = confirmed && tests.conditions[k].gain.share < options.least_part * tests.together.share;
    result.conditions.push_back({found.conditions[k], std::move(tests.conditions[k]), stable[k], confirmed, minor});
  }
  for (std::size_t k = 0; k < found.interactions.size(); ++k) {
    const bool confirmed = holds(tests.interactions[k]);
    result.interactions.push_back({found.interactions[k], std::move(tests.interactions[k]), confirmed});
  }
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
