// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/describe_run.hpp.

#include <faultline/analysis/problem/describe_run.hpp>

#include <faultline/classify/scoring.hpp>
#include <faultline/version.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::string compiler_name() {
#if defined(__clang__)
  return "Clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
#elif defined(__GNUC__)
  return "GCC " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
         std::to_string(__GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
