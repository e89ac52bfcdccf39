// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of testing/.
#include <faultline/testing/detail/against_baseline_impl.hpp>
#include <faultline/testing/detail/baseline_impl.hpp>
#include <faultline/testing/detail/cause_gate_impl.hpp>
#include <faultline/testing/detail/compiled_gates.hpp>
#include <faultline/testing/detail/distance_at_least_impl.hpp>
#include <faultline/testing/detail/failure_pictures_impl.hpp>
#include <faultline/testing/detail/failure_rate_along_impl.hpp>
#include <faultline/testing/detail/gate_plan_impl.hpp>
#include <faultline/testing/detail/gate_report_impl.hpp>
#include <faultline/testing/detail/corpus_entry_impl.hpp>
#include <faultline/testing/detail/failure_corpus_impl.hpp>
#include <faultline/testing/detail/gate_result_impl.hpp>
#include <faultline/testing/detail/gate_suite_impl.hpp>
#include <faultline/testing/detail/per_class_watcher_impl.hpp>
#include <faultline/testing/detail/rate_watcher_impl.hpp>
#include <faultline/testing/detail/shrink_failure_impl.hpp>
#include <faultline/testing/detail/statement_results_impl.hpp>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

template Provenance draw_gate_samples(const AnalyticGenerator& generator, AnyClassifier& classifier,
                                      const GatePopulation& population, std::span<GateWatcher* const> watchers);
template Provenance draw_gate_samples(const AnyGenerator& generator, AnyClassifier& classifier,
                                      const GatePopulation& population, std::span<GateWatcher* const> watchers);

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
