// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The logarithm of the beta function, and the policy under which Boost.Math computes: apart from the distributions,
// which take a second more to compile, because a test with a gate needs no more than this.

#include <faultline/config.hpp>

#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/gamma.hpp>

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
[[nodiscard]] double log_beta(double a, double b) noexcept;

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/log_beta_impl.hpp>
#endif
