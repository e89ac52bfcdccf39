// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether the arrays of a population fit together and to the problem.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/sampling/population.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

void check_population(const Problem& problem, const Population& split, const char* name);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/check_population_impl.hpp>
#endif
