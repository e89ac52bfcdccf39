// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle: two classified populations in, a report out (method sections 4 to 6, 8 and 9). No templates, no
// generator, no classifier.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Carries out the method on a problem: rates, conditions, confirmation, intervention, distances, names, verdict.
///
/// **Shapes**: `problem.discovery` and `problem.confirmation` hold classified samples with labels in 0 .. classes − 1;
/// `answer_edits` is called with edited latents.
/// **Error rates**: a run on a classifier whose failures depend on nothing in w reports a cause with probability at
/// most `alpha` (Holm over all frozen conditions; the screening before and the intervention after it only lower that).
/// Rates carry exact 95 % intervals. The paper's table and rankings of channels carry no claim.
/// **Throws** `invalid_argument` for options out of range, `empty_input`, `shape_mismatch`, `label_out_of_range`; what
/// the callbacks throw; where the classifier fails after the samples, `Interrupted<FailureReport>` with all that needs
/// no more of its answers. Too few failures are a verdict, not an error.
/// **Randomness**: (problem.seed, streams permutations and start_latents); the same problem and options give the same
/// report, whatever the number of threads.
/// **Cost**: beyond the populations, images for intervention (see `measure_effects`), distances and profiles of the
/// findings; distances along properties alone when nothing is confirmed. Provenance and cost counters are the caller's,
/// who knows the models. Example: `FailureReport report = analyze(problem, {});`
[[nodiscard]] FailureReport analyze(const Problem& problem, const MethodOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/detail/analyze_impl.hpp>
#endif
