// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The ranges of the method's options, refused before any work.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/core/ranges.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

void check_options(const MethodOptions& options);

/// Throws invalid_argument for a budget, where nothing heeds one.
void refuse_budget(const char* where, const MethodOptions& options);

/// The number of samples of a split; none is empty_input.
void check_samples(const char* where, std::int64_t samples);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/check_options_impl.hpp>
#endif
