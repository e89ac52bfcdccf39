// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/detectable.hpp.

#include <faultline/analysis/confirm/detectable.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/natural_spline.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// A condition of slope β: what it explains, and what moving it does.
struct SlopeEffect {
  double deviance = 0.0;       ///< explained per sample
  double null_deviance = 0.0;  ///< per sample
  double worse = 0.0;          ///< P(fails at +2 and not at −2), outcomes independent given z
  double better = 0.0;         ///< the reverse
};

/// Mean of f(z) over a standard normal, by the trapezium rule on [−8, 8].
template <class F>
[[nodiscard]] double normal_mean(const F& f) {
  constexpr int points = 321;
  constexpr double step = 16.0 / (points - 1);
  double sum = 0.0, weights = 0.0;
  for (int i = 0; i < points; ++i) {
    const double z = -8.0 + step * i, weight = std::exp(-0.5 * z * z);
    sum += weight * f(z);
    weights += weight;
  }
  return sum / weights;
}

[[nodiscard]] inline SlopeEffect slope_effect(double beta, double rate) {
  const auto risk = [beta](double a, double z) { return 1.0 / (1.0 + std::exp(-(a + beta * z))); };
  double low = -200.0, high = 200.0;
  for (int k = 0; k < 80; ++k) {
    const double a = 0.5 * (low + high);
    (normal_mean([&](double z) { return risk(a, z); }) < rate ? low : high) = a;
  }
  const double a = 0.5 * (low + high);
  const auto entropy = [](double p) {
    const double q = 1.0 - p;
    return -2.0 * ((p > 0.0 ? p * std::log(p) : 0.0) + (q > 0.0 ? q * std::log(q) : 0.0));
  };
  SlopeEffect effect;
  effect.null_deviance = entropy(rate);
  effect.deviance = effect.null_deviance - normal_mean([&](double z) { return entropy(risk(a, z)); });
  effect.worse = normal_mean([&](double z) { return risk(a, z + 2.0) * (1.0 - risk(a, z - 2.0)); });
  effect.better = normal_mean([&](double z) { return risk(a, z - 2.0) * (1.0 - risk(a, z + 2.0)); });
  return effect;
}

}  // namespace detail

FAULTLINE_INLINE std::optional<DetectableEffect> smallest_detectable(const PowerSetting& setting,
                                                                     const ConditionOptions& conditions,
                                                                     const EffectOptions& effects, double power) {
  if (setting.discovery < 1 || setting.confirmation < 1 || setting.candidates < 1 || !(power > 0.0 && power < 1.0))
    throw Error(ErrorCode::invalid_argument, "smallest_detectable",
                "expected samples and candidates from 1 on and a power between 0 and 1");
  if (!(setting.rate > 0.0 && setting.rate < 1.0)) return std::nullopt;
  const auto freedom = static_cast<double>(statistics::spline_columns);
  // the statistic from which Bonferroni over all candidates accepts
  double low = 0.0, high = 1'000.0;
  for (int k = 0; k < 80; ++k) {
    const double x = 0.5 * (low + high);
    const double tail = statistics::chi_squared_upper_tail(freedom, x) * static_cast<double>(setting.candidates);
    (tail > conditions.alpha ? low : high) = x;
  }
  const double selected_from = 0.5 * (low + high), z = statistics::normal_quantile(1.0 - conditions.alpha);
  const double min_effect =
      std::clamp(effects.relative_effect * setting.rate, effects.smallest_effect, effects.largest_effect);

  const auto reported = [&](const detail::SlopeEffect& effect) {
    const double first = effect.deviance * static_cast<double>(setting.discovery),
                 second = effect.deviance * static_cast<double>(setting.confirmation);
    // a noncentral χ² is nearly normal in its root (Sankaran 1959, first order)
    const double spread = std::sqrt(2.0 * (freedom + 2.0 * first));
    const double p_selected = statistics::normal_cdf((freedom + first - selected_from) / spread);
    const double shape = first / (first + freedom - 1.0);  // of the direction of the estimated spline
    const double p_confirmed = statistics::normal_cdf(std::sqrt(second * shape) - z);
    const double share = effect.deviance / effect.null_deviance,
                 share_error = 2.0 * std::sqrt(std::max(second, 1e-12)) /
                               (effect.null_deviance * static_cast<double>(setting.confirmation));
    const double p_large = statistics::normal_cdf((share - conditions.least_share) / share_error);
    // the intervention, on a million imagined latents: how many decide it
    constexpr double imagined = 1e6;
    statistics::ValueCounts values;
    values.add(1.0, std::llround(imagined * effect.worse));
    values.add(-1.0, std::llround(imagined * effect.better));
    values.add(0.0, std::llround(imagined * (1.0 - effect.worse - effect.better)));
    if (!(values.mean() > min_effect)) return 0.0;
    const auto needed = statistics::forecast_samples(values, min_effect, conditions.alpha);
    if (!needed || *needed > effects.latents) return 0.0;
    return p_selected * std::min(p_confirmed, p_large);
  };
  double small = 0.0, large = 20.0;
  if (reported(detail::slope_effect(large, setting.rate)) < power) return std::nullopt;
  for (int k = 0; k < 40; ++k) {
    const double beta = 0.5 * (small + large);
    (reported(detail::slope_effect(beta, setting.rate)) < power ? small : large) = beta;
  }
  const detail::SlopeEffect effect = detail::slope_effect(large, setting.rate);
  return DetectableEffect{effect.worse - effect.better, effect.deviance / effect.null_deviance, power};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
