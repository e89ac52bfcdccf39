// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/distributions.hpp.

#include <faultline/statistics/distributions.hpp>

#include <faultline/statistics/log_beta.hpp>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <cmath>
#include <limits>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

using NormalDistribution = boost::math::normal_distribution<double, DistributionPolicy>;
using BetaDistribution = boost::math::beta_distribution<double, DistributionPolicy>;

}  // namespace detail

FAULTLINE_INLINE double beta_cdf(double a, double b, double x) noexcept {
  if (!(a > 0.0) || !(b > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  return boost::math::cdf(detail::BetaDistribution(a, b), x);
}

FAULTLINE_INLINE double beta_quantile(double a, double b, double p) noexcept {
  if (p <= 0.0) return 0.0;
  if (p >= 1.0) return 1.0;
  return boost::math::quantile(detail::BetaDistribution(a, b), p);
}

FAULTLINE_INLINE double normal_cdf(double x) noexcept { return boost::math::cdf(detail::NormalDistribution(), x); }

FAULTLINE_INLINE double normal_upper_tail(double x) noexcept {
  return boost::math::cdf(boost::math::complement(detail::NormalDistribution(), x));
}

FAULTLINE_INLINE double normal_quantile(double p) noexcept {
  return boost::math::quantile(detail::NormalDistribution(), p);
}

FAULTLINE_INLINE double chi_squared_upper_tail(double freedom, double x) noexcept {
  if (!(freedom > 0.0) || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 0.0) return 1.0;
  return boost::math::gamma_q(0.5 * freedom, 0.5 * x, detail::DistributionPolicy{});
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
