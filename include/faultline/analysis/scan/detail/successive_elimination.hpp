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

/// Leading latents and the numbers of latents at which interim analyses are made.
struct EliminationSchedule {
  std::int64_t leading = 0;            ///< latents that predictions move most, measured first
  std::vector<std::int64_t> analyses;  ///< ascending, the last one is the number of latents

  explicit EliminationSchedule(std::int64_t latents) : leading(latents / 4) {
    for (const std::int64_t sixteenths : {5, 7, 11, 16}) {
      const std::int64_t interim = sixteenths * latents / 16;
      // Fewer than four random latents say nothing about their spread
      if (interim == latents || interim - leading >= 4) analyses.push_back(interim);
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
/// t for r̄ with the correction 1 − m / M for a finite set, at alpha / (2 · channels · analyses before the last), the
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

  struct Candidate {
    std::size_t at;
    double leading = 0.0, others_predicted = 0.0;
    std::vector<double> measured = {}, residuals = {};
    double variance = 0.0, weakest = 0.0, strongest = 0.0;  ///< of |effect|
  };
  std::vector<Candidate> candidates;
  for (std::size_t k = 0; k < all; ++k) {
    Candidate candidate{k};
    for (std::int64_t i = schedule.leading; i < latents; ++i)
      candidate.others_predicted += predicted(order[static_cast<std::size_t>(i)], static_cast<std::int64_t>(k));
    candidates.push_back(std::move(candidate));
  }
  const double tail =
      plan.alpha / (2.0 * static_cast<double>(std::max<std::size_t>(1, all * (schedule.analyses.size() - 1))));
  const auto total = static_cast<double>(latents), others = static_cast<double>(latents - schedule.leading);
  std::int64_t done = 0, kept = 0;
  for (const std::int64_t interim : schedule.analyses) {
    if (candidates.empty()) break;
    std::vector<LatentChannel> wanted;
    for (const Candidate& candidate : candidates)
      for (std::int64_t i = done; i < interim; ++i)
        wanted.push_back({order[static_cast<std::size_t>(i)], channels[candidate.at]});
    const std::vector<double> effects = measure(wanted);
    std::size_t next = 0;
    std::vector<double> variances;
    const auto sampled = static_cast<double>(interim - schedule.leading);
    for (Candidate& candidate : candidates) {
      for (std::int64_t i = done; i < interim; ++i) {
        const double effect = effects[next++];
        candidate.measured.push_back(effect);
        if (i < schedule.leading) candidate.leading += effect;
        else
          candidate.residuals.push_back(
              effect - predicted(order[static_cast<std::size_t>(i)], static_cast<std::int64_t>(candidate.at)));
      }
      EliminationResult& result = results[candidate.at];
      result.latents = interim;
      if (interim == latents) {
        result.effect = std::accumulate(candidate.measured.begin(), candidate.measured.end(), 0.0) / total;
        continue;
      }
      const double mean = std::accumulate(candidate.residuals.begin(), candidate.residuals.end(), 0.0) / sampled;
      candidate.variance = 0.0;
      for (const double r : candidate.residuals) candidate.variance += (r - mean) * (r - mean);
      candidate.variance /= sampled - 1.0;
      variances.push_back(candidate.variance);
      result.effect = (candidate.leading + candidate.others_predicted + others * mean) / total;
    }
    const double usual = variances.empty() ? 0.0 : statistics::median(variances);
    const double quantile = interim == latents ? 0.0 : student_quantile(tail, sampled - 1.0);
    for (Candidate& candidate : candidates) {
      EliminationResult& result = results[candidate.at];
      double width = 0.0;
      if (interim < latents) {
        const double variance =
            std::max(candidate.variance, (6.0 * usual + (sampled - 1.0) * candidate.variance) / (5.0 + sampled));
        width = quantile * std::sqrt(variance / sampled * (1.0 - sampled / others)) * others / total;
      }
      result.interval = {result.effect - width, result.effect + width};
      candidate.weakest = std::max(0.0, std::abs(result.effect) - width);
      candidate.strongest = std::abs(result.effect) + width;
    }
    done = interim;

    const auto open = static_cast<std::size_t>(std::max<std::int64_t>(0, plan.keep - kept));
    if (interim == latents) {
      std::stable_sort(candidates.begin(), candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.strongest > b.strongest; });
      for (std::size_t k = 0; k < std::min(open, candidates.size()); ++k) results[candidates[k].at].kept = true;
      break;
    }
    std::vector<double> weakest, strongest;
    for (const Candidate& candidate : candidates) {
      weakest.push_back(candidate.weakest);
      strongest.push_back(candidate.strongest);
    }
    std::sort(weakest.rbegin(), weakest.rend());
    std::sort(strongest.rbegin(), strongest.rend());
    const double drop_below = open == 0                ? std::numeric_limits<double>::infinity()
                              : open <= weakest.size() ? weakest[open - 1]
                                                       : -1.0;
    const double keep_above = open < strongest.size() ? strongest[open] : -1.0;
    std::vector<Candidate> left;
    for (Candidate& candidate : candidates) {
      if (candidate.strongest < drop_below) continue;
      if (candidate.weakest > keep_above) {
        results[candidate.at].kept = true;
        ++kept;
        continue;
      }
      left.push_back(std::move(candidate));
    }
    candidates = std::move(left);
  }
  return results;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
