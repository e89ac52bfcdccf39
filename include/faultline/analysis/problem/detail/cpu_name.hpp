// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The processor's name: kernels differ between processors, so bit equality is promised on one type only and the report
// says which.

#include <faultline/config.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The model name the Linux kernel states, or "unknown".
[[nodiscard]] std::string cpu_name();

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/cpu_name_impl.hpp>
#endif
