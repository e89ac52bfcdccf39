// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/log_beta.hpp.

#include <faultline/statistics/log_beta.hpp>
#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <limits>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE double log_beta(double a, double b) noexcept {
  if (!(a > 0.0) || !(b > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  constexpr detail::DistributionPolicy policy{};
  return boost::math::lgamma(a, policy) + boost::math::lgamma(b, policy) - boost::math::lgamma(a + b, policy);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
