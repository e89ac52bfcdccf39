// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A gate on why a classifier fails: no single cause may account for more than a share of the failures.

#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/testing/detail/mode_of.hpp>
#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Policy: no cause of failure has an attributable fraction above `fraction`, the share of the failures that would not
/// occur with it at its usual level.
///
/// It characterises the classifier. It fails when the lower limit of a cause lies above `fraction`; it passes when
/// every cause's upper limit does not, nothing that goes with the failures stayed undecided, and a cause of that size
/// would have been found; otherwise it is undecided.
/// **Error rate**: that of the report: a condition that is none is confirmed, anywhere, with probability at most
/// `method.alpha`, and so are effects; a limit of a fraction is wrong with probability .025.
/// To be found means: moving it between −2 and +2 standard deviations changes the failure rate by at least
/// `smallest_detectable`, and a cause of the share f changes it by about f times the rate; below that the gate stays
/// undecided and says how large a cause would have to be.
struct NoCauseAbove {
  double fraction = 0.25;         ///< in (0, 1)
  std::int64_t samples = 10'000;  ///< per split
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  Noise noise = Noise::constant;
  analysis::MethodOptions method = {};
  std::optional<std::int64_t> cutoff = std::nullopt;
  std::int64_t smoke_samples = 1'000;  ///< per split, in a smoke run
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
};

/// What a report says about a policy. **Throws** invalid_argument for a fraction outside (0, 1).
/// Example: `judge_causes(read_report("report/report.json"), {.fraction = 0.5}).passed()`
[[nodiscard]] GateResult judge_causes(const FailureReport& report, const NoCauseAbove& policy);

/// Characterises the classifier and judges the report.
///
/// **Throws**, **Randomness**, **Cost**: those of `characterize`.
/// Example: `REQUIRE_THAT(gate(generator, mine, NoCauseAbove{.fraction = 0.5, .seed = 7}), Holds());`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G> && std::copy_constructible<F>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const NoCauseAbove& policy, const F& criterion = {}) {
  const GateMode mode = detail::mode_of(policy);
  return judge_causes(
      analysis::characterize(
          generator, classifier,
          {.samples = mode == GateMode::smoke ? std::min(policy.samples, policy.smoke_samples) : policy.samples,
           .seed = policy.seed,
           .labels = policy.labels,
           .truncation = policy.truncation,
           .noise = policy.noise,
           .method = policy.method,
           .cutoff = policy.cutoff},
          criterion),
      policy);
}
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const NoCauseAbove& policy, const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/cause_gate_impl.hpp>
#endif
