// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/paper_method.hpp.

#include <faultline/analysis/paper/paper_method.hpp>

#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/analysis/paper/detail/paper_shifts.hpp>
#include <faultline/analysis/paper/property_spread.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE void check_paper_options(const PaperOptions& options, std::int64_t batch_size) {
  constexpr const char* where = "PaperOptions";
  core::require_in(where, "top", options.top, 1, limits::latents);
  core::require_in(where, "gradients", options.gradients, 0, limits::samples);
  core::require_in(where, "effect_latents", options.effect_latents, 0, limits::latents);
  core::require_in(where, "random_channels", options.random_channels, 0, limits::latents);
  core::require_in(where, "batch_size", batch_size, 1, limits::batch);
  check_corner_case_options(options.corner_cases);
  check_attfind_options(options.attfind);
}

FAULTLINE_INLINE std::vector<analysis::ChannelRanking> paper_rankings(const Problem& problem,
                                                                      std::span<const double> pooled,
                                                                      std::span<const double> theta,
                                                                      std::span<const double> gradient,
                                                                      const std::optional<AttFindResult>& attfind) {
  std::vector<std::int64_t> all(pooled.size());
  for (std::size_t k = 0; k < all.size(); ++k) all[k] = static_cast<std::int64_t>(k);
  std::vector<analysis::ChannelRanking> rankings{
      {"pooled difference", all, {pooled.begin(), pooled.end()}},
      {"stratified difference", all,
       analysis::channel_scores(problem, problem.discovery, analysis::ChannelScore::NormalizedDifference)}};
  if (!gradient.empty()) rankings.push_back({"gradient", all, {gradient.begin(), gradient.end()}});
  std::vector<double> auc = analysis::channel_scores(problem, problem.discovery, analysis::ChannelScore::RankAuc);
  for (double& value : auc) value -= 0.5;
  rankings.push_back({"rank AUC", all, std::move(auc)});
  rankings.push_back({"theta", all, {theta.begin(), theta.end()}});
  if (attfind && attfind->images > 0) rankings.push_back({"AttFind", attfind->channels, attfind_scores(*attfind)});
  return rankings;
}

FAULTLINE_INLINE void measure_paper_effects(const Problem& problem, std::span<const double> sigma,
                                            const PaperOptions& options, std::int64_t batch_size, PaperReport& report) {
  analysis::HeldOutLatents held_out(problem, batch_size);
  const auto positions = held_out.first(options.effect_latents, std::nullopt, options.effect_latents);
  report.effect_latents = static_cast<std::int64_t>(positions.size());
  if (positions.empty()) return;
  std::vector<std::int64_t> random(sigma.size());
  for (std::size_t k = 0; k < random.size(); ++k) random[k] = static_cast<std::int64_t>(k);
  std::erase_if(random, [&](std::int64_t k) { return !(sigma[static_cast<std::size_t>(k)] > 0.0); });
  core::CounterRandom draw(problem.seed, core::Stream::start_latents, core::pilot_first - 1);
  core::shuffle(std::span(random), draw);
  random.resize(std::min(random.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, options.random_channels))));

  std::vector<std::int64_t> channels;
  std::vector<double> units;
  for (const PaperChannel& row : report.top)
    channels.push_back(row.ranked.channel.flat), units.push_back(row.ranked.sign * row.ranked.sigma_total);
  std::vector<analysis::EditedLatent> edits;
  const auto add = [&](const Edit& edit) {
    for (const std::int64_t i : positions)
      edits.push_back(
          {{held_out.latents().w.row_span(i), held_out.latents().label[static_cast<std::size_t>(i)]}, edit});
  };
  for (std::size_t k = 0; k < channels.size(); ++k) add(Edit::of_channel(channels[k], units[k]));
  add(Edit::of_channels(channels, units));
  for (const std::int64_t k : random) add(Edit::of_channel(k, sigma[static_cast<std::size_t>(k)]));
  const auto effects = analysis::effects_along(problem, edits, positions.size());
  const auto plain = [](const analysis::EditEffect& c) { return ShiftEffect{c.mean, c.lower, c.probability}; };
  for (std::size_t k = 0; k < channels.size(); ++k) report.top[k].effect = plain(effects[k]);
  report.together = plain(effects[channels.size()]);
  for (std::size_t k = 0; k < random.size(); ++k)
    report.random_channel_effects.push_back(effects[channels.size() + 1 + k].mean);
}

FAULTLINE_INLINE PaperReport paper_method(const Problem& problem, const PaperOptions& options, std::int64_t batch_size,
                                          const ProgressCallback& progress) {
  check_paper_options(options, batch_size);
  const Population& split = problem.discovery;
  if (split.size() == 0) throw Error(ErrorCode::empty_input, "paper_method", "the discovery split has no samples");
  const statistics::Strata strata = statistics::count_outcomes(split.label, split.failed, problem.classes);

  PaperReport report;
  report.layers = problem.layout.layers();
  const statistics::Interval interval = statistics::clopper_pearson(split.failures(), split.size());
  report.failure_rate = {static_cast<double>(split.failures()) / static_cast<double>(split.size()),
                         interval.lower,
                         interval.upper,
                         split.failures(),
                         split.size(),
                         0.95};
  report.properties = property_spreads(problem, split);
  report.classes = detail::paper_classes(strata);
  if (split.failures() == 0 || split.failures() == split.size()) {
    report.note = split.failures() == 0
                      ? "No sample fails, so there is nothing to rank and nowhere to go."
                      : "Every sample fails, so there is nothing to rank and no class has a centre to start from.";
    return report;
  }

  report_progress(progress, "rankings", 0, 1);
  const auto moments = analysis::style_moments(problem, split, strata);
  const auto dimension = moments.sigma_total.size();
  std::vector<double> pooled(dimension), theta(dimension);
  for (std::size_t k = 0; k < dimension; ++k) {
    pooled[k] = analysis::ratio(moments.pooled_difference[k], moments.sigma_total[k]);
    theta[k] = analysis::ratio(moments.pooled_difference[k], moments.sigma_failures[k]);
  }
  const auto gradient = options.gradients > 0
                            ? analysis::gradient_scores(problem, split, moments.sigma_total, options.gradients)
                            : std::vector<double>{};
  auto order = analysis::top_channels(pooled, analysis::ChannelScore::NormalizedDifferencePooled,
                                      std::max(options.top, options.corner_cases.pool));
  std::erase_if(order, [&](std::int64_t k) { return !(moments.sigma_total[static_cast<std::size_t>(k)] > 0.0); });
  const auto ranked = analysis::ranked_rows(problem, split, strata, moments, order, pooled, gradient);
  std::vector<ChannelShift> pool;
  for (const analysis::RankedChannel& row : ranked) pool.push_back({row.channel.flat, row.sign * row.sigma_total});
  for (std::size_t k = 0; k < std::min(ranked.size(), static_cast<std::size_t>(options.top)); ++k)
    report.top.push_back({ranked[k], theta[static_cast<std::size_t>(ranked[k].channel.flat)], {}});
  if (!gradient.empty())
    report.top_by_gradient = analysis::ranked_rows(
        problem, split, strata, moments,
        analysis::top_channels(gradient, analysis::ChannelScore::Gradient, options.top), gradient, gradient);
  report_progress(progress, "rankings", 1, 1);

  detail::shift_centres(problem, std::span(pool).first(report.top.size()), report.classes, progress);
  for (CornerCase& one : corner_cases(problem, pool, options.corner_cases, progress))
    report.classes[static_cast<std::size_t>(one.class_label)].corner_cases.push_back(std::move(one));
  for (PaperClass& one : report.classes) detail::write_note(one, options.corner_cases.reach);

  report_progress(progress, "edits by 2 standard deviations", 0, 1);
  measure_paper_effects(problem, moments.sigma_total, options, batch_size, report);
  report_progress(progress, "edits by 2 standard deviations", 1, 1);
  if (options.attfind.images > 0)
    report.attfind =
        attfind(problem, attfind_channels(problem, options.attfind), options.attfind, batch_size, progress);
  report.agreement =
      analysis::ranking_agreement(paper_rankings(problem, pooled, theta, gradient, report.attfind), options.top);
  return report;
}

}  // namespace paper

}  // namespace v1
}  // namespace faultline
