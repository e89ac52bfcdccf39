// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What faultline::compiled holds of gates: AnalyticGenerator and AnyGenerator with AnyClassifier.

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/any_generator.hpp>
#include <faultline/testing/gate.hpp>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

extern template GateResult run_gate(const AnalyticGenerator& generator, AnyClassifier& classifier,
                                    const FailureRateBelow& policy, const classify::AnyCriterion& criterion);
extern template GateResult run_gate(const AnyGenerator& generator, AnyClassifier& classifier,
                                    const FailureRateBelow& policy, const classify::AnyCriterion& criterion);

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
