// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/guarded_call.hpp.

#include <faultline/classify/guarded_call.hpp>
#include <cfenv>
#include <cmath>
#include <limits>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

FAULTLINE_INLINE void require_ieee_arithmetic(const std::string& where) {
  volatile double nan = std::numeric_limits<double>::quiet_NaN(), large = 1e30, small = 1.0;
  const double x = nan, a = large, b = small;
  if (!std::isnan(x) || x == x)
    throw Error(ErrorCode::invalid_argument, where,
                "this file was compiled with a flag that assumes there is no NaN; compile it without");
  if ((a + b) - a != 0.0)
    throw Error(ErrorCode::invalid_argument, where,
                "this file was compiled with a flag that reorders sums; compile it without");
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
