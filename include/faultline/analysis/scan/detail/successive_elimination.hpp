// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which channels have the largest mean effect? Measured latent by latent, so that most channels are dropped, or sure of
// their place, long before all latents have been spent on them (successive accepts and rejects: Bubeck, Wang and
// Viswanathan, "Multiple identifications in multi-armed bandits", ICML 2013; here with intervals for a finite set of
// latents).

#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/interval.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The effect of one channel on one start latent, to be measured.
struct LatentChannel {
  std::int64_t latent = 0;
  std::int64_t channel = 0;  ///< flat index
};

/// Measured effects, in the order asked for.
using MeasureEffects = std::function<std::vector<double>(std::span<const LatentChannel>)>;

/// How a channel ends: among the strongest or not, decided by intervals or, when all latents were measured, by the
/// numbers themselves.
struct EliminationResult {
  double effect = 0.0;  ///< of the mean over all latents, estimated
  /// For the mean over all latents, simultaneous over channels and rounds; a point when all were measured
  statistics::Interval interval = {-1.0, 1.0};
  std::int64_t latents = 0;  ///< measured
  bool kept = false;
};

struct EliminationPlan {
  std::int64_t keep = 20;
  double alpha = 0.05;
  std::int64_t seed = 0;
};

/// First draws of a scan: the order of its latents, then its control sample.
inline constexpr std::int64_t scan_draws_first = core::intervention_first + 2'000'000;

/// The x with P(T > x) = tail for Student's t with `freedom` degrees of freedom; from the beta quantile, tail below one
/// half.
[[nodiscard]] inline double student_quantile(double tail, double freedom) {
  const double x = statistics::beta_quantile(0.5 * freedom, 0.5, 2.0 * tail);
  return x > 0.0 ? std::sqrt(freedom * (1.0 - x) / x) : std::numeric_limits<double>::infinity();
}

/// Leading latents and the numbers of latents at which the elimination is looked at.
struct EliminationSchedule {
  std::int64_t leading = 0;         ///< latents that predictions move most, measured first
  std::vector<std::int64_t> looks;  ///< ascending, the last one is the number of latents

  explicit EliminationSchedule(std::int64_t latents) : leading(latents / 4) {
    for (const std::int64_t sixteenths : {5, 7, 11, 16}) {
      const std::int64_t look = sixteenths * latents / 16;
      // Fewer than four random latents say nothing about their spread
      if (look == latents || look - leading >= 4) looks.push_back(look);
    }
  }
};

/// Finds the channels with the largest |mean effect over all latents|.
///
/// **Shapes**: `predicted` `[latents, channels]`, any prediction of each effect; `channels` their flat indices; one
/// result per channel.
/// **Formula**: the quarter of the latents that predictions move most is measured first, the others follow in random
/// order. With m of the M others measured, mean effect = (Σ leading e + Σ others ĝ + M r̄) / N, r̄ the mean of e − ĝ
/// over the m: unbiased whatever the predictions ĝ are worth, and the closer they are the narrower. Interval: Student's
/// t for r̄ with the correction 1 − m / M for a finite set, at alpha / (2 · channels · looks before the last), the
/// variance never taken below its average with six parts of the median over channels, so that a few equal values do not
/// pass for certainty. A channel is kept when its smallest |effect| exceeds the largest of all but the `keep`
/// strongest, dropped in the opposite case, and measured no further; after the last latent nothing is left to decide.
/// **Error rate**: if residuals behave like a sample for which the t interval holds, some channel is kept or dropped
/// wrongly with probability at most alpha; a rare effect (one of many latents, which no prediction shows) can escape
/// it. Simulated in the tests for normal, heavy-tailed and rare residuals.
/// **Randomness**: the order of the latents, from (seed, Stream::start_latents, 2^41 + 2 000 000).
[[nodiscard]] inline std::vector<EliminationResult> eliminate(const Matrix<double>& predicted,
                                                              std::span<const std::int64_t> channels,
                                                              const EliminationPlan& plan,
                                                              const MeasureEffects& measure) {
  const std::int64_t latents = predicted.rows();
  const std::size_t all = channels.size();
  std::vector<EliminationResult> results(all);
  const EliminationSchedule schedule(latents);

  std::vector<double> moved(static_cast<std::size_t>(latents), 0.0);
  for (std::int64_t i = 0; i < latents; ++i)
    for (const double value : predicted.row_span(i)) moved[static_cast<std::size_t>(i)] += value * value;
  std::vector<std::int64_t> order(moved.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return moved[static_cast<std::size_t>(a)] > moved[static_cast<std::size_t>(b)];
  });
  core::CounterRandom random(plan.seed, core::Stream::start_latents, scan_draws_first);
  core::shuffle(std::span(order).subspan(static_cast<std::size_t>(schedule.leading)), random);

  struct Runner {
    std::size_t at;
    double leading = 0.0, others_predicted = 0.0;
    std::vector<double> measured = {}, residuals = {};
    double variance = 0.0, weakest = 0.0, strongest = 0.0;  ///< of |effect|
  };
  std::vector<Runner> running;
  for (std::size_t k = 0; k < all; ++k) {
    Runner runner{k};
    for (std::int64_t i = schedule.leading; i < latents; ++i)
      runner.others_predicted += predicted(order[static_cast<std::size_t>(i)], static_cast<std::int64_t>(k));
    running.push_back(std::move(runner));
  }
  const double tail =
      plan.alpha / (2.0 * static_cast<double>(std::max<std::size_t>(1, all * (schedule.looks.size() - 1))));
  const auto total = static_cast<double>(latents), others = static_cast<double>(latents - schedule.leading);
  std::int64_t done = 0, kept = 0;
  for (const std::int64_t look : schedule.looks) {
    if (running.empty()) break;
    std::vector<LatentChannel> wanted;
    for (const Runner& runner : running)
      for (std::int64_t i = done; i < look; ++i)
        wanted.push_back({order[static_cast<std::size_t>(i)], channels[runner.at]});
    const std::vector<double> effects = measure(wanted);
    std::size_t next = 0;
    std::vector<double> variances;
    const auto sampled = static_cast<double>(look - schedule.leading);
    for (Runner& runner : running) {
      for (std::int64_t i = done; i < look; ++i) {
        const double effect = effects[next++];
        runner.measured.push_back(effect);
        if (i < schedule.leading) runner.leading += effect;
        else
          runner.residuals.push_back(
              effect - predicted(order[static_cast<std::size_t>(i)], static_cast<std::int64_t>(runner.at)));
      }
      EliminationResult& result = results[runner.at];
      result.latents = look;
      if (look == latents) {
        result.effect = std::accumulate(runner.measured.begin(), runner.measured.end(), 0.0) / total;
        continue;
      }
      const double mean = std::accumulate(runner.residuals.begin(), runner.residuals.end(), 0.0) / sampled;
      runner.variance = 0.0;
      for (const double r : runner.residuals) runner.variance += (r - mean) * (r - mean);
      runner.variance /= sampled - 1.0;
      variances.push_back(runner.variance);
      result.effect = (runner.leading + runner.others_predicted + others * mean) / total;
    }
    const double usual = variances.empty() ? 0.0 : statistics::median(variances);
    const double quantile = look == latents ? 0.0 : student_quantile(tail, sampled - 1.0);
    for (Runner& runner : running) {
      EliminationResult& result = results[runner.at];
      double width = 0.0;
      if (look < latents) {
        const double variance =
            std::max(runner.variance, (6.0 * usual + (sampled - 1.0) * runner.variance) / (5.0 + sampled));
        width = quantile * std::sqrt(variance / sampled * (1.0 - sampled / others)) * others / total;
      }
      result.interval = {result.effect - width, result.effect + width};
      runner.weakest = std::max(0.0, std::abs(result.effect) - width);
      runner.strongest = std::abs(result.effect) + width;
    }
    done = look;

    const auto open = static_cast<std::size_t>(std::max<std::int64_t>(0, plan.keep - kept));
    if (look == latents) {
      std::stable_sort(running.begin(), running.end(),
                       [](const Runner& a, const Runner& b) { return a.strongest > b.strongest; });
      for (std::size_t k = 0; k < std::min(open, running.size()); ++k) results[running[k].at].kept = true;
      break;
    }
    std::vector<double> weakest, strongest;
    for (const Runner& runner : running) {
      weakest.push_back(runner.weakest);
      strongest.push_back(runner.strongest);
    }
    std::sort(weakest.rbegin(), weakest.rend());
    std::sort(strongest.rbegin(), strongest.rend());
    const double bar_to_drop = open == 0                ? std::numeric_limits<double>::infinity()
                               : open <= weakest.size() ? weakest[open - 1]
                                                        : -1.0;
    const double bar_to_keep = open < strongest.size() ? strongest[open] : -1.0;
    std::vector<Runner> left;
    for (Runner& runner : running) {
      if (runner.strongest < bar_to_drop) continue;
      if (runner.weakest > bar_to_keep) {
        results[runner.at].kept = true;
        ++kept;
        continue;
      }
      left.push_back(std::move(runner));
    }
    running = std::move(left);
  }
  return results;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
