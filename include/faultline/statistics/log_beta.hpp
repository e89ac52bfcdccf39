// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The logarithm of the beta function, and the policy under which Boost.Math computes: apart from the distributions,
// which take a second more to compile, because a test with a gate needs no more than this.

#include <faultline/config.hpp>

#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <limits>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

// In long double, which Boost.Math would take by itself, the last bits would differ between processors, and a tail
// would take several times as long; they are exact to about 1e-14 relative without it.
using DistributionPolicy =
    boost::math::policies::policy<boost::math::policies::promote_float<false>,
                                  boost::math::policies::promote_double<false>,
                                  boost::math::policies::domain_error<boost::math::policies::ignore_error>,
                                  boost::math::policies::pole_error<boost::math::policies::ignore_error>,
                                  boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
                                  boost::math::policies::evaluation_error<boost::math::policies::ignore_error>>;

}  // namespace detail

/// log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b), for a, b > 0; NaN otherwise.
[[nodiscard]] inline double log_beta(double a, double b) noexcept {
  if (!(a > 0.0) || !(b > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  constexpr detail::DistributionPolicy policy{};
  return boost::math::lgamma(a, policy) + boost::math::lgamma(b, policy) - boost::math::lgamma(a + b, policy);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
