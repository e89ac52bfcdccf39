// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/rate_plan.hpp.

#include <faultline/statistics/rate_plan.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/log_beta.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// Follows P(count = k, still undecided) through the looks of a RateMonitor.
class RateForecast {
 public:
  RateForecast(double bound, double rate, const RateSequenceOptions& options)
      : bound_(bound), rate_(rate), options_(options) {}

  /// Adds `step` samples to every undecided run.
  void advance(std::int64_t step) {
    const std::vector<double> added = binomial_masses(step);
    std::vector<double> next(mass_.size() + added.size() - 1, 0.0);
    for (std::size_t i = 0; i < mass_.size(); ++i) {
      if (mass_[i] < 1e-18) continue;  // all that is ever dropped here stays far below the digits reported
      for (std::size_t j = 0; j < added.size(); ++j) next[i + j] += mass_[i] * added[j];
    }
    std::size_t skip = 0;
    while (skip + 1 < next.size() && next[skip] < 1e-18) ++skip;
    next.erase(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(skip));
    while (next.size() > 1 && next.back() < 1e-18) next.pop_back();
    mass_ = std::move(next);
    first_ += static_cast<std::int64_t>(skip);
    samples_ += step;
  }

  /// Takes a look: the runs that decide leave.
  void look(RatePlan& plan) {
    const auto decision = [&](std::size_t i) {
      return decide_rate(first_ + static_cast<std::int64_t>(i), samples_, bound_, options_.alpha_per_side);
    };
    const auto leave = [&](std::size_t i, double& where) {
      where += mass_[i];
      mass_[i] = 0.0;
    };
    // Deciding counts lie at both ends, so only those and their neighbours are tested.
    for (std::size_t i = 0; i < mass_.size() && decision(i) == RateDecision::below; ++i) leave(i, plan.below);
    for (std::size_t i = mass_.size(); i-- > 0 && decision(i) == RateDecision::above;) leave(i, plan.above);
  }

  [[nodiscard]] double undecided() const {
    double sum = 0.0;
    for (const double m : mass_) sum += m;
    return sum;
  }

 private:
  [[nodiscard]] std::vector<double> binomial_masses(std::int64_t n) const {
    std::vector<double> masses(static_cast<std::size_t>(n) + 1, 0.0);
    if (rate_ <= 0.0 || rate_ >= 1.0) {
      masses[rate_ <= 0.0 ? 0 : static_cast<std::size_t>(n)] = 1.0;
      return masses;
    }
    for (std::int64_t k = 0; k <= n; ++k) {
      const auto a = static_cast<double>(k);
      const auto b = static_cast<double>(n - k);
      masses[static_cast<std::size_t>(k)] =
          std::exp(-log_beta(a + 1.0, b + 1.0) - std::log(a + b + 1.0) + a * std::log(rate_) + b * std::log1p(-rate_));
    }
    return masses;
  }

  double bound_;
  double rate_;
  RateSequenceOptions options_;
  std::vector<double> mass_{1.0};
  std::int64_t first_ = 0;  // count of mass_[0]
  std::int64_t samples_ = 0;
};

}  // namespace detail

FAULTLINE_INLINE RatePlan plan_rate_test(double bound, double true_rate, std::int64_t budget,
                                         const RateSequenceOptions& options) {
  constexpr const char* where = "plan_rate_test";
  detail::require_sequence(where, bound, options);
  if (!(true_rate >= 0.0 && true_rate <= 1.0))
    throw Error(ErrorCode::invalid_argument, where, "expected a true rate in [0, 1], got " + std::to_string(true_rate));
  core::require_in(where, "budget", budget, 1, limits::samples);
  RatePlan plan;
  detail::RateForecast forecast(bound, true_rate, options);
  double alive = 1.0;
  std::int64_t done = 0;
  for (std::int64_t n = detail::look_after(0, options); n <= budget; n = detail::look_after(n, options)) {
    plan.expected += alive * static_cast<double>(n - done);
    forecast.advance(n - done);
    done = n;
    forecast.look(plan);
    alive = forecast.undecided();
    if (plan.median == 0 && alive <= 0.5) plan.median = n;
    if (plan.ninetieth == 0 && alive <= 0.1) plan.ninetieth = n;
    if (alive < 1e-12) break;
  }
  plan.expected += alive * static_cast<double>(std::max<std::int64_t>(0, budget - done));
  plan.undecided = std::clamp(1.0 - plan.below - plan.above, 0.0, 1.0);
  return plan;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
