// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Failures as interventions count them: on valid images.

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Whether each edit fails on a valid image, and whether its image is valid.
struct ValidFailures {
  std::vector<double> failed;
  std::vector<std::uint8_t> valid;
};

/// Asks the classifier, and the judge if there is one.
[[nodiscard]] inline ValidFailures answer_valid(const Problem& problem, std::span<const EditedLatent> edits) {
  ValidFailures result;
  answer_in_blocks(problem, edits, {.judge = problem.has_judge}, [&](std::size_t, const EditAnswers& answers) {
    const auto& failed = answers.first().failed;
    for (std::size_t i = 0; i < failed.size(); ++i) {
      const bool valid = answers.judge_agrees.empty() || answers.judge_agrees[i] != 0;
      result.valid.push_back(valid ? 1 : 0);
      result.failed.push_back(failed[i] != 0 && valid ? 1.0 : 0.0);
    }
  });
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
