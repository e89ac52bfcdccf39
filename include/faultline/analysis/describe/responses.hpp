// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What samples say about conditions beside the tests: failure rates against their properties, and against two of them.

#include <faultline/analysis/confirm/cause_fractions.hpp>
#include <faultline/analysis/confirm/find_conditions.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Fills `response` of findings: failure rate of the valid samples of both splits (of its class, for a class's
/// condition) against every property of the condition.
void attach_responses(const Problem& problem, std::span<Finding> findings);

/// Two conditions of which something is said together: a confirmed interaction, or two causes.
struct TitledPair {
  std::string first, second;            ///< titles
  std::vector<std::string> properties;  ///< two, or none
};

/// Failures and samples in cells of two properties, with as many samples in each row and each column: the map of method
/// section 7. Nothing where a property is not measured.
void fill_property_map(const Problem& problem, InteractionFinding& interaction, std::int64_t cells = 6);

/// Conditions under which images are no longer valid, sought and tested as those of failures are: they are the
/// generator's. `response` is the share of invalid samples. Nothing without a judge, and with too few samples of either
/// kind.
/// **Error rate**: as `find_conditions`.
[[nodiscard]] std::vector<Finding> generator_conditions(const Problem& problem,
                                                        const Matrix<double>& discovery_whitened,
                                                        const Matrix<double>& confirmation_whitened,
                                                        const ReadingVectors& reading_vectors,
                                                        const ConditionOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/responses_impl.hpp>
#endif
