// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Scanning StyleSpace: the causal effect of single channels on the classifier, screened by one gradient for all of them
// and then measured exactly where it matters.

#include <faultline/analysis/scan/detail/effect_meter.hpp>
#include <faultline/analysis/scan/detail/successive_elimination.hpp>
#include <faultline/analysis/scan/scan_start.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/interval.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// First-order effects of all channels.
struct Screening {
  /// `[N, D]` effect of each channel on each start latent, by extrapolation of the log odds
  Matrix<double> predicted;
  std::vector<double> effect;  ///< `[D]` mean over the latents
  ScanCost cost;
};

/// The measured effect of one channel.
struct ChannelEffect {
  StyleChannel channel;
  double effect = 0.0;          ///< mean over the latents
  double standard_error = 0.0;  ///< of that mean, the latents being a sample of all latents
  std::int64_t latents = 0;
};

/// One channel of a ranking.
struct ScannedChannel {
  StyleChannel channel;
  double predicted = 0.0;  ///< by the screen
  /// Of the mean over the start latents, measured or, with fewer latents measured, estimated
  double effect = 0.0;
  /// For the mean over the start latents, simultaneous over all examined channels; a point when all latents were
  /// measured
  statistics::Interval interval;
  std::int64_t latents = 0;  ///< measured
};

/// How `strongest_channels` looks for them.
struct ScanOptions {
  std::int64_t keep = 20;       ///< length of the ranking
  std::int64_t candidates = 0;  ///< channels that the screen puts forward; 0: twice `keep`
  std::int64_t control = 12;    ///< random channels of the rest, examined all the same
  double alpha = 0.05;
  std::int64_t batch_size = 64;
  std::int64_t seed = 0;  ///< of the order of latents and of the control sample
};

/// Channels by their effect.
struct StrongestChannels {
  std::vector<ScannedChannel> channels;  ///< up to `keep`, the strongest first
  /// Candidates and control channels that are not among them, the strongest first
  std::vector<ScannedChannel> dropped;
  std::int64_t latents = 0;  ///< N
  /// Channels that neither the screen put forward nor the control sample drew
  std::int64_t unexamined = 0;
  std::int64_t control = 0;  ///< channels drawn from the rest ...
  /// ... of which so many made it into the ranking: what the screen missed
  std::int64_t control_kept = 0;
  /// Estimate of the channels missed: the control's share times the unexamined ones
  double missed = 0.0;
  double missed_upper = 0.0;  ///< its one-sided 95 % bound
  /// Largest |effect| in the control sample, to be compared with the last in the ranking
  double largest_control = 0.0;
  double alpha = 0.05;
  ScanCost cost;
};

[[nodiscard]] double logistic(double x) noexcept;

/// p(y) after the shift down less p(y) after the shift up, log odds taken as linear; where p(1 − p) is too small to
/// divide by, p itself, within its range.
[[nodiscard]] double extrapolated_effect(double log_odds, double slope, double shift) noexcept;

template <class Meter>
[[nodiscard]] Screening screen_with(Meter& meter, const ScanStart& start) {
  std::vector<double> log_odds;
  const Matrix<float> slopes = meter.slopes(log_odds);
  Screening result;
  result.predicted.resize(slopes.rows(), slopes.cols());
  result.effect.assign(start.shift.size(), 0.0);
  for (std::int64_t i = 0; i < slopes.rows(); ++i) {
    for (std::int64_t k = 0; k < slopes.cols(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      result.predicted(i, k) = extrapolated_effect(log_odds[static_cast<std::size_t>(i)],
                                                   static_cast<double>(slopes(i, k)), start.shift[at]);
      result.effect[at] += result.predicted(i, k) / static_cast<double>(slopes.rows());
    }
  }
  return result;
}

void check_scan_options(const ScanOptions& options);

/// The first-order effect of every channel on p(y), from one gradient per start latent.
///
/// The effect of a channel is that of shifting it both ways, e = p(y | s − shift) − p(y | s + shift): positive when
/// moving up hurts.
/// **Formula**: with ℓ the log odds of p and ℓ' = ∂p/∂s_k / (p (1 − p)): e ≈ σ(ℓ − ℓ' shift) − σ(ℓ + ℓ' shift); even
/// terms cancel in e. Noise is constant.
/// **Throws** shape_mismatch, empty_input, invalid_argument, and what the classifier's calls throw. **Cost**: per
/// latent one pass, one gradient (two passes), two classifier images. Example: `Screening first = screen(generator,
/// classifier, start); first.effect[k]`
template <DifferentiableGenerator G, DifferentiableClassifier C>
[[nodiscard]] Screening screen(const G& generator, C& classifier, const ScanStart& start,
                               std::int64_t batch_size = 64) {
  detail::EffectMeter<G, C> meter("screen", generator, classifier, start, batch_size);
  Screening result = screen_with(meter, start);
  result.cost = meter.cost();
  return result;
}
template <DifferentiableGenerator G, DifferentiableClassifier C>
Screening screen(const G&&, C&, const ScanStart&, std::int64_t = 64) = delete;

/// The exact effect of chosen channels on every start latent: that of `screen`, measured by intervention.
///
/// Prefixes are shared, so a channel of a late layer costs little and a ToRGB channel hardly anything (see
/// `EditSession`). `cost`, if given, is filled.
/// **Throws** shape_mismatch, empty_input, invalid_argument (channels outside the layout), and what the classifier's
/// calls throw.
/// **Cost**: two edits and two classifier images per latent and channel. Example: `scan(generator, classifier, start,
/// channels)[0].effect`
template <StyleGenerator G, Classifier C>
[[nodiscard]] std::vector<ChannelEffect> scan(const G& generator, C& classifier, const ScanStart& start,
                                              std::span<const std::int64_t> channels, std::int64_t batch_size = 64,
                                              ScanCost* cost = nullptr) {
  core::require_in("scan", "batch_size", batch_size, 2, limits::batch);
  detail::EffectMeter<G, C> meter("scan", generator, classifier, start, batch_size);
  std::vector<ChannelEffect> result;
  const auto n = static_cast<double>(start.s.rows());
  for (const std::int64_t channel : channels)
    result.push_back({generator.layout().locate(channel), 0.0, 0.0, start.s.rows()});
  std::vector<detail::LatentChannel> pairs;
  for (const std::int64_t channel : channels)
    for (std::int64_t i = 0; i < start.s.rows(); ++i) pairs.push_back({i, channel});
  const std::vector<double> effects = meter.effects(pairs);
  for (std::size_t k = 0; k < result.size(); ++k) {
    const auto own = std::span(effects).subspan(k * static_cast<std::size_t>(start.s.rows()),
                                                static_cast<std::size_t>(start.s.rows()));
    const double mean = std::accumulate(own.begin(), own.end(), 0.0) / n;
    double squares = 0.0;
    for (const double e : own) squares += (e - mean) * (e - mean);
    result[k].effect = mean;
    result[k].standard_error = n > 1.0 ? std::sqrt(squares / (n - 1.0) / n) : std::abs(mean);
  }
  if (cost != nullptr) *cost = meter.cost();
  return result;
}
template <StyleGenerator G, Classifier C>
std::vector<ChannelEffect> scan(const G&&, C&, const ScanStart&, std::span<const std::int64_t>, std::int64_t = 64,
                                ScanCost* = nullptr) = delete;

/// The channels with the largest |effect| on the start latents, without scanning all of them.
///
/// A gradient per latent screens all channels; the first `candidates` and a random control sample of the rest are
/// measured by intervention, latent after latent, each only until intervals say that it is among the strongest or not
/// (`detail::eliminate`). The control sample says how much the screen missed: effects that a gradient does not show,
/// such as those that both directions share, are missed by design.
/// **Error rate**: a candidate is ranked or dropped wrongly, against the mean over the same start latents, with
/// probability at most about alpha (see `detail::eliminate`); what no candidate is, is covered by `missed`.
/// **Randomness**: (seed, Stream::start_latents, 2^41 + 2 000 000 and the next). **Throws** as `screen`;
/// `invalid_argument` for options out of range.
/// **Cost**: the screen, and at most two edits per latent and examined channel; see `cost`.
/// Example: `StrongestChannels ranking = strongest_channels(generator, classifier, scan_start(sampler));
/// ranking.channels.front().effect`
template <DifferentiableGenerator G, DifferentiableClassifier C>
[[nodiscard]] StrongestChannels strongest_channels(const G& generator, C& classifier, const ScanStart& start,
                                                   const ScanOptions& options = {}) {
  check_scan_options(options);
  detail::EffectMeter<G, C> meter("strongest_channels", generator, classifier, start, options.batch_size);
  const Screening screening = screen_with(meter, start);

  std::vector<std::int64_t> order(screening.effect.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::abs(screening.effect[static_cast<std::size_t>(a)]) >
           std::abs(screening.effect[static_cast<std::size_t>(b)]);
  });
  const std::size_t candidates =
      std::min(order.size(), static_cast<std::size_t>(options.candidates > 0 ? options.candidates : 2 * options.keep));
  const std::size_t control = std::min(order.size() - candidates, static_cast<std::size_t>(options.control));
  core::CounterRandom random(options.seed, core::Stream::start_latents, detail::scan_draws_first + 1);
  core::shuffle(std::span(order).subspan(candidates), random);
  const std::vector<std::int64_t> examined(order.begin(),
                                           order.begin() + static_cast<std::ptrdiff_t>(candidates + control));

  Matrix<double> predicted(screening.predicted.rows(), static_cast<std::int64_t>(examined.size()));
  for (std::int64_t i = 0; i < predicted.rows(); ++i)
    for (std::size_t k = 0; k < examined.size(); ++k)
      predicted(i, static_cast<std::int64_t>(k)) = screening.predicted(i, examined[k]);
  const auto measured =
      detail::eliminate(predicted, examined, {options.keep, options.alpha, options.seed},
                        [&](std::span<const detail::LatentChannel> pairs) { return meter.effects(pairs); });

  StrongestChannels ranking;
  ranking.latents = start.s.rows();
  ranking.alpha = options.alpha;
  ranking.control = static_cast<std::int64_t>(control);
  ranking.unexamined = static_cast<std::int64_t>(order.size() - examined.size());
  for (std::size_t k = 0; k < examined.size(); ++k) {
    const ScannedChannel channel{generator.layout().locate(examined[k]),
                                 screening.effect[static_cast<std::size_t>(examined[k])], measured[k].effect,
                                 measured[k].interval, measured[k].latents};
    (measured[k].kept ? ranking.channels : ranking.dropped).push_back(channel);
    if (k < candidates) continue;
    ranking.control_kept += measured[k].kept ? 1 : 0;
    ranking.largest_control = std::max(ranking.largest_control, std::abs(measured[k].effect));
  }
  for (auto* list : {&ranking.channels, &ranking.dropped})
    std::stable_sort(list->begin(), list->end(), [](const ScannedChannel& a, const ScannedChannel& b) {
      return std::abs(a.effect) > std::abs(b.effect);
    });
  const auto rest = static_cast<double>(ranking.unexamined);
  if (control > 0) ranking.missed = rest * static_cast<double>(ranking.control_kept) / static_cast<double>(control);
  ranking.missed_upper =
      control > 0 ? rest * statistics::clopper_pearson_upper(ranking.control_kept, ranking.control) : rest;
  ranking.cost = meter.cost();
  return ranking;
}
template <DifferentiableGenerator G, DifferentiableClassifier C>
StrongestChannels strongest_channels(const G&&, C&, const ScanStart&, const ScanOptions& = {}) = delete;

}  // namespace analysis

using analysis::scan;
using analysis::screen;
using analysis::strongest_channels;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/scan/detail/scan_impl.hpp>
#endif
