// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/figure_data.hpp.

#include <faultline/render/figure_data.hpp>

#include <faultline/analysis/paper/paper_distance.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE Matrix<float> styles_of(const Problem& problem, const Matrix<float>& w) {
  if (w.cols() != problem.style_matrix.cols())
    throw Error(ErrorCode::shape_mismatch, "styles_of",
                "expected latents of dimension " + std::to_string(problem.style_matrix.cols()) + ", got " +
                    std::to_string(w.cols()));
  const Matrix<double> wide = w.cast<double>();
  const Matrix<double> s = statistics::detail::product_transposed(wide, problem.style_matrix);
  Matrix<float> styles(s.rows(), s.cols());
  for (std::int64_t i = 0; i < s.rows(); ++i)
    for (std::int64_t k = 0; k < s.cols(); ++k)
      styles(i, k) = static_cast<float>(s(i, k) + problem.style_bias[static_cast<std::size_t>(k)]);
  return styles;
}

FAULTLINE_INLINE std::vector<std::int64_t> random_channels(const Problem& problem,
                                                           std::span<const analysis::RankedChannel> without,
                                                           std::int64_t count) {
  std::vector<std::int64_t> channels;
  for (std::int64_t k = 0; k < problem.style_matrix.rows(); ++k)
    if (std::none_of(without.begin(), without.end(),
                     [&](const analysis::RankedChannel& ranked) { return ranked.channel.flat == k; }))
      channels.push_back(k);
  core::CounterRandom random(problem.seed, core::Stream::start_latents, core::pilot_first);
  core::shuffle(std::span(channels), random);
  channels.resize(std::min(channels.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0))));
  return channels;
}

FAULTLINE_INLINE std::vector<ChannelHistogram> channel_histograms(const Problem& problem, const Population& population,
                                                                  std::span<const std::int64_t> channels) {
  for (const std::int64_t k : channels)
    if (k < 0 || k >= problem.style_matrix.rows())
      throw Error(ErrorCode::invalid_argument, "channel_histograms", "there is no style channel " + std::to_string(k));
  std::vector<ChannelHistogram> histograms;
  analysis::visit_channels(problem, population, channels, [&](std::int64_t channel, std::span<const double> values) {
    ChannelHistogram histogram;
    const StyleChannel place = problem.layout.locate(channel);
    histogram.title = problem.layout.layers()[static_cast<std::size_t>(place.layer)].name + ":" +
                      std::to_string(place.channel) + " (index " + std::to_string(channel) + ")";
    for (std::size_t i = 0; i < values.size(); ++i)
      (population.failed[i] != 0 ? histogram.failed : histogram.passed).push_back(values[i]);
    const auto mean = [](std::span<const double> of) {
      double sum = 0.0;
      for (const double value : of) sum += value;
      return of.empty() ? 0.0 : sum / static_cast<double>(of.size());
    };
    const double centre = mean(values);
    double square = 0.0;
    for (const double value : values) square += (value - centre) * (value - centre);
    const double deviation = values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0.0;
    if (!histogram.failed.empty() && !histogram.passed.empty())
      histogram.effect = analysis::ratio(mean(histogram.failed) - mean(histogram.passed), deviation);
    histogram.auc = statistics::rank_auc(values, population.failed).auc;
    histograms.push_back(std::move(histogram));
  });
  return histograms;
}

FAULTLINE_INLINE std::vector<DegradationColumn> degradation_columns(const Problem& problem,
                                                                    std::span<const analysis::RankedChannel> channels,
                                                                    const DegradationOptions& options,
                                                                    std::span<const std::string> class_names) {
  const std::vector<paper::WellCentre> centres = paper::well_centres(problem);
  const auto centre = std::find_if(centres.begin(), centres.end(),
                                   [&](const paper::WellCentre& c) { return c.label == options.class_label; });
  if (centre == centres.end())
    throw Error(ErrorCode::label_out_of_range, "degradation_columns",
                "class " + std::to_string(options.class_label) + " has no well-classified samples");
  const std::vector<std::optional<double>> distances = paper::paper_distances(problem, *centre, channels);
  const auto name = [&](std::int64_t label) {
    return label >= 0 && label < static_cast<std::int64_t>(class_names.size())
               ? class_names[static_cast<std::size_t>(label)]
               : std::to_string(label);
  };
  std::vector<DegradationColumn> columns;
  std::vector<analysis::EditedLatent> edits;  // column by column
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const analysis::RankedChannel& channel = channels[c];
    const double reference = distances[c].value_or(paper::paper_largest_step);
    columns.push_back({.title = channel.layer_name + ":" + std::to_string(channel.channel.channel),
                       .index = channel.channel.flat,
                       .sign = channel.sign,
                       .reference = reference,
                       .reached = distances[c].has_value(),
                       .cells = {}});
    const Edit edit =
        Edit::of_channel(channel.channel.flat, channel.sign < 0 ? -channel.sigma_total : channel.sigma_total);
    for (const double share : options.shares) edits.push_back({{centre->w, centre->label}, edit.at(share * reference)});
  }
  analysis::answer_in_blocks(
      problem, edits, {.images = true}, [&](std::size_t first, const analysis::EditAnswers& answers) {
        const analysis::ClassifierAnswers& said = answers.first();
        for (std::size_t k = 0; k < said.failed.size(); ++k)
          columns[(first + k) / options.shares.size()].cells.push_back(
              {to_picture(answers.images.image(static_cast<std::int64_t>(k)), answers.images.shape(),
                          options.image_pixels),
               static_cast<double>(said.probability[k]), name(said.prediction[k]), said.failed[k] != 0});
      });
  return columns;
}

FAULTLINE_INLINE std::optional<std::int64_t> degradation_class(const Problem& problem) {
  const statistics::Strata strata =
      statistics::count_outcomes(problem.discovery.label, problem.discovery.failed, problem.classes);
  std::optional<std::int64_t> best;
  double highest = -1.0;
  for (const paper::WellCentre& centre : paper::well_centres(problem)) {
    const auto label = static_cast<std::size_t>(centre.label);
    const double rate = static_cast<double>(strata.failures[label]) /
                        static_cast<double>(strata.failures[label] + strata.successes[label]);
    if (centre.probability > 0.5 && rate > highest) highest = rate, best = centre.label;
  }
  return best;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
