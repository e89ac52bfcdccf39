// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From an analysis to what the figures of figures.hpp are drawn from.

#include <faultline/analysis/detail/paper_search.hpp>
#include <faultline/analysis/detail/start_codes.hpp>
#include <faultline/analysis/problem.hpp>
#include <faultline/analysis/rank.hpp>
#include <faultline/render/figures.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Styles s = A w + b of latents, `[N, D]`.
///
/// **Throws** `shape_mismatch`. **Cost**: N D d multiplications, N D doubles while it works.
[[nodiscard]] inline Matrix<float> styles_of(const Problem& problem, const Matrix<float>& w) {
  if (w.cols() != problem.style_matrix.cols()) throw Error(ErrorCode::shape_mismatch, "styles_of", "expected latents of dimension " + std::to_string(problem.style_matrix.cols()) + ", got " + std::to_string(w.cols()));
  Matrix<double> s = detail::multiply_transposed(detail::converted<double>(w), problem.style_matrix);
  for (std::int64_t i = 0; i < s.rows(); ++i)
    for (std::int64_t k = 0; k < s.cols(); ++k) s(i, k) += problem.style_bias[static_cast<std::size_t>(k)];
  return detail::converted<float>(s);
}

/// `count` different channels at random, none of them among `without`; fewer when there are no more. **Randomness**: the problem's seed, stream 5.
[[nodiscard]] inline std::vector<std::int64_t> random_channels(const Problem& problem, std::span<const RankedChannel> without, std::int64_t count) {
  std::vector<std::int64_t> channels;
  for (std::int64_t k = 0; k < problem.style_matrix.rows(); ++k)
    if (std::none_of(without.begin(), without.end(), [&](const RankedChannel& ranked) { return ranked.channel.flat == k; })) channels.push_back(k);
  CounterRandom random(problem.seed, Stream::codes, pilot_first);
  shuffle(std::span(channels), random);
  channels.resize(std::min(channels.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0))));
  return channels;
}

/// Figure 4: the values of channels in a population, with d and AUC measured there, all classes together.
///
/// **Throws** `invalid_argument` for a channel that does not exist. **Cost**: N d multiplications and a sort per channel.
/// Example: `channel_histograms(problem, problem.confirmation, random_channels(problem, report.paper_top, 3))`
[[nodiscard]] inline std::vector<ChannelHistogram> channel_histograms(const Problem& problem, const Population& population, std::span<const std::int64_t> channels) {
  for (const std::int64_t k : channels)
    if (k < 0 || k >= problem.style_matrix.rows()) throw Error(ErrorCode::invalid_argument, "channel_histograms", "there is no style channel " + std::to_string(k));
  std::vector<ChannelHistogram> histograms;
  detail::visit_channels(problem, population, channels, [&](std::int64_t channel, std::span<const double> values) {
    ChannelHistogram histogram;
    const StyleChannel place = problem.layout.locate(channel);
    histogram.title = problem.layout.layers()[static_cast<std::size_t>(place.layer)].name + ":" + std::to_string(place.channel) + " (index " + std::to_string(channel) + ")";
    for (std::size_t i = 0; i < values.size(); ++i) (population.failed[i] != 0 ? histogram.failed : histogram.passed).push_back(values[i]);
    const auto mean = [](std::span<const double> of) {
      double sum = 0.0;
      for (const double value : of) sum += value;
      return of.empty() ? 0.0 : sum / static_cast<double>(of.size());
    };
    const double centre = mean(values);
    double square = 0.0;
    for (const double value : values) square += (value - centre) * (value - centre);
    const double deviation = values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0.0;
    if (!histogram.failed.empty() && !histogram.passed.empty()) histogram.effect = detail::ratio(mean(histogram.failed) - mean(histogram.passed), deviation);
    histogram.auc = rank_auc(values, population.failed).auc;
    histograms.push_back(std::move(histogram));
  });
  return histograms;
}

/// Which image figure 5 moves and how it is drawn.
struct DegradationOptions {
  std::int64_t class_label = 0;
  std::vector<double> shares = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5};  ///< rows
  std::int64_t image_pixels = 96;
};

/// Figure 5: the WELL centre of a class (mean w of its successes in the discovery half) moved along each of the channels alone, in their direction of failure.
///
/// The reference shift is the paper's distance to failure, in standard deviations of all samples, see `CentreDistance::paper`; where p(y) never falls to .5 it is the largest step of that search, 100.
/// **Throws** `label_out_of_range` for a class without successes; `degenerate_statistics` when p(y) is .5 or less at its centre already. **Cost**: about 40 + shares images per channel.
/// Example: `degradation_figure("the WELL centre of class 3", options.shares, degradation_columns(problem, report.paper_top, options))`
[[nodiscard]] inline std::vector<DegradationColumn> degradation_columns(const Problem& problem, std::span<const RankedChannel> channels, const DegradationOptions& options,
                                                                        std::span<const std::string> class_names = {}) {
  constexpr const char* where = "degradation_columns";
  const std::vector<detail::SuccessCentre> centres = detail::success_centres(problem);
  const auto centre = std::find_if(centres.begin(), centres.end(), [&](const detail::SuccessCentre& c) { return c.label == options.class_label; });
  if (centre == centres.end()) throw Error(ErrorCode::label_out_of_range, where, "class " + std::to_string(options.class_label) + " has no well-classified samples");
  EditRequest unmoved;
  unmoved.w.resize(1, static_cast<std::int64_t>(centre->w.size()));
  std::copy(centre->w.begin(), centre->w.end(), unmoved.w.row(0).begin());
  unmoved.label = {centre->label};
  const EditResult start = problem.evaluate(unmoved);

  std::vector<detail::Line> lines;
  std::vector<DegradationColumn> columns;
  for (const RankedChannel& channel : channels) {
    detail::Line line;
    line.ray = {.start = centre->w, .label = centre->label, .step = {}, .channel = channel.channel.flat, .unit = channel.sign < 0 ? -channel.sigma_total : channel.sigma_total};
    line.probability0 = static_cast<double>(start.probability[0]);
    line.failed0 = start.failed[0] != 0;
    if (!line.starts_above_half()) throw Error(ErrorCode::degenerate_statistics, where, "the centre of class " + std::to_string(options.class_label) + " has p(y) = " + std::to_string(line.probability0) + " unmoved, there is no distance to .5");
    lines.push_back(std::move(line));
    columns.push_back({.title = channel.layer_name + ":" + std::to_string(channel.channel.channel), .index = channel.channel.flat, .sign = channel.sign, .reference = 0.0, .reached = true, .cells = {}});
  }
  detail::scan_grid(problem, lines);
  std::vector<detail::Line*> searched;
  for (detail::Line& line : lines) searched.push_back(&line);
  detail::paper_search(problem, searched);

  std::vector<detail::Move> moves;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c].reached = lines[c].paper.has_value();
    columns[c].reference = lines[c].paper.value_or(detail::paper_reach);
    columns[c].cells.resize(options.shares.size());
    for (const double share : options.shares) moves.push_back({&lines[c].ray, share * columns[c].reference});
  }
  const auto name = [&](std::int64_t label) { return label >= 0 && label < static_cast<std::int64_t>(class_names.size()) ? class_names[static_cast<std::size_t>(label)] : std::to_string(label); };
  detail::evaluate_moves(problem, moves, {.images = true}, [&](std::span<const std::size_t> which, const EditResult& result) {
    for (std::size_t k = 0; k < which.size(); ++k) {
      const auto i = static_cast<std::int64_t>(k);
      columns[which[k] / options.shares.size()].cells[which[k] % options.shares.size()] = {to_picture(result.images.image(i), result.images.shape(), options.image_pixels), static_cast<double>(result.probability[k]),
                                                                                           name(result.prediction[k]), result.failed[k] != 0};
    }
  });
  return columns;
}

/// The class whose failure rate is highest among those whose WELL centre has p(y) above .5: where a degradation grid has most to show. Empty when there is none.
///
/// **Cost**: one image per class.
[[nodiscard]] inline std::optional<std::int64_t> degradation_class(const Problem& problem) {
  const std::vector<detail::SuccessCentre> centres = detail::success_centres(problem);
  if (centres.empty()) return std::nullopt;
  EditRequest request;
  request.w.resize(static_cast<std::int64_t>(centres.size()), problem.discovery.w.cols());
  for (std::size_t c = 0; c < centres.size(); ++c) {
    std::copy(centres[c].w.begin(), centres[c].w.end(), request.w.row(static_cast<std::int64_t>(c)).begin());
    request.label.push_back(centres[c].label);
  }
  const EditResult result = problem.evaluate(request);
  const Strata strata = count_outcomes(problem.discovery.label, problem.discovery.failed, problem.classes);
  std::optional<std::int64_t> best;
  double highest = -1.0;
  for (std::size_t c = 0; c < centres.size(); ++c) {
    const auto label = static_cast<std::size_t>(centres[c].label);
    const double rate = static_cast<double>(strata.failures[label]) / static_cast<double>(strata.failures[label] + strata.successes[label]);
    if (result.probability[c] > 0.5f && rate > highest) highest = rate, best = centres[c].label;
  }
  return best;
}

}  // namespace v1
}  // namespace faultline
