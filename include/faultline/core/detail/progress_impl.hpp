// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/progress.hpp.

#include <faultline/core/progress.hpp>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {

FAULTLINE_INLINE void report_progress(const ProgressCallback& callback, const std::string& stage, std::int64_t done,
                                      std::int64_t total) {
  if (callback) callback(Progress{stage, done, total});
}

}  // namespace v1
}  // namespace faultline
