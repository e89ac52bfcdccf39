// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of testing/.
#include <faultline/testing/detail/compiled_gates.hpp>
#include <faultline/testing/detail/corpus_entry_impl.hpp>
#include <faultline/testing/detail/failure_corpus_impl.hpp>
#include <faultline/testing/detail/gate_suite_impl.hpp>
#include <faultline/testing/detail/shrink_failure_impl.hpp>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

template GateResult run_gate(const AnalyticGenerator& generator, AnyClassifier& classifier,
                             const FailureRateBelow& policy, const classify::AnyCriterion& criterion);
template GateResult run_gate(const AnyGenerator& generator, AnyClassifier& classifier, const FailureRateBelow& policy,
                             const classify::AnyCriterion& criterion);

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
