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

extern template Provenance draw_gate_samples(const AnalyticGenerator& generator, AnyClassifier& classifier,
                                             const GatePopulation& population, std::span<GateWatcher* const> watchers);
extern template Provenance draw_gate_samples(const AnyGenerator& generator, AnyClassifier& classifier,
                                             const GatePopulation& population, std::span<GateWatcher* const> watchers);

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
