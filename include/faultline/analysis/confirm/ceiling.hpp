// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How much of the failures is systematic at all: what every property and a quadratic rule in w reach together (method
// section 5.2).

#include <faultline/analysis/conditions/term.hpp>
#include <faultline/statistics/deviance_gain.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Share of the null deviance of the confirmation split that all admitted properties and a quadratic rule in w explain
/// together, the same for every report: what conditions are measured against.
///
/// **Formula**: logistic regression of the outcome, fitted on the discovery split, on a spline of every property, the
/// terms that were selected, and a spline of the quadratic discriminant of failures against successes in w̃ (shrunken
/// covariances; scores of the discovery split from folds that leave the sample out); its prediction is entered on the
/// confirmation split with an amplitude of its own, as conditions are.
/// **Shapes**: `admitted` `[P]`, empty: all. **Throws** as `fit_logistic`; `degenerate_statistics` where a split has
/// one outcome alone. **Randomness**: none. **Cost**: N (4 P + 4)² multiplications a step, N r² for the discriminant.
[[nodiscard]] statistics::DevianceGain systematic_share(const ConditionSample& discovery,
                                                        const ConditionSample& confirmation,
                                                        std::span<const std::uint8_t> admitted,
                                                        std::span<const Term> terms = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/ceiling_impl.hpp>
#endif
