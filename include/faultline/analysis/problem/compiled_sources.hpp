// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What faultline::compiled holds of the sources: AnalyticGenerator and AnyGenerator with AnyClassifier.

#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/any_generator.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

extern template AnySource make_source(const StyleSpaceSampler<AnalyticGenerator>& sampler,
                                      std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                                      const MethodOptions& method, const std::string& who);
extern template AnySource make_source(const StyleSpaceSampler<AnyGenerator>& sampler,
                                      std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                                      const MethodOptions& method, const std::string& who);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
