// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/compare/accuracy_distance.hpp.

#include <faultline/analysis/compare/accuracy_distance.hpp>

#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/quantiles.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE AccuracyAxis accuracy_axis(const ComparisonProblem& problem, std::int64_t channels) {
  constexpr const char* where = "accuracy_axis";
  if (channels < 1)
    throw Error(ErrorCode::invalid_argument, where, "expected at least one channel, got " + std::to_string(channels));
  const Population& chosen = problem.discovery.front();
  const std::int64_t d = chosen.w.cols();
  const Matrix<double>& a = problem.common.style_matrix;

  std::set<std::int64_t> together;
  std::vector<double> sigma;
  for (const Population& split : problem.discovery) {
    if (split.failures() == 0 || split.failures() == split.size()) continue;  // ranks nothing
    const statistics::Strata strata = statistics::count_outcomes(split.label, split.failed, problem.common.classes);
    const StyleMoments moments = style_moments(problem.common, split, strata);
    sigma = moments.sigma_within;  // the same for all
    std::vector<double> scores(sigma.size());
    for (std::size_t k = 0; k < sigma.size(); ++k)
      scores[k] = ratio(moments.pooled_difference[k], moments.sigma_total[k]);
    for (const std::int64_t k : top_channels(scores, ChannelScore::NormalizedDifferencePooled, channels))
      if (sigma[static_cast<std::size_t>(k)] > 0.0) together.insert(k);
  }
  AccuracyAxis axis;
  axis.channels.assign(together.begin(), together.end());
  if (axis.channels.empty())
    throw Error(ErrorCode::degenerate_statistics, where,
                "no classifier both fails and succeeds on the discovery split, so no style channel is more influential "
                "than another; accuracy against distance needs failures");

  Matrix<double> rows(static_cast<std::int64_t>(axis.channels.size()), d);
  for (std::int64_t k = 0; k < rows.rows(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double scale = 1.0 / (sigma[static_cast<std::size_t>(axis.channels[at])] *
                                std::sqrt(static_cast<double>(axis.channels.size())));
    for (std::int64_t j = 0; j < d; ++j) rows(k, j) = scale * a(axis.channels[at], j);
  }

  std::vector<std::int64_t> all_right(chosen.label);  // the class where every classifier is right, -1 elsewhere
  for (std::size_t i = 0; i < all_right.size(); ++i)
    if (!std::all_of(problem.discovery.begin(), problem.discovery.end(),
                     [&](const Population& split) { return split.failed[i] == 0; }))
      all_right[i] = -1;
  statistics::GroupMeans centre = statistics::group_means(where, chosen.w, all_right, problem.common.classes);
  const Matrix<double> mean = statistics::group_means(where, chosen.w, chosen.label, problem.common.classes).mean;
  for (std::int64_t c = 0; c < problem.common.classes; ++c)
    if (!(centre.count[static_cast<std::size_t>(c)] > 0.0))
      std::ranges::copy(mean.row_span(c), centre.mean.row_span(c).begin());

  const Population& split = problem.confirmation.front();
  for (std::int64_t first = 0; first < split.size(); first += statistics::fixed_sum_rows) {
    const std::int64_t count = std::min(statistics::fixed_sum_rows, split.size() - first);
    const Matrix<double> away = statistics::centred_rows(split.w, split.label, centre.mean, first, count);
    const Matrix<double> scaled = statistics::detail::product_transposed(away, rows);
    for (std::int64_t i = 0; i < count; ++i) axis.distances.push_back(core::as_vector(scaled.row_span(i)).norm());
  }
  return axis;
}

FAULTLINE_INLINE std::vector<AccuracyCurve> accuracy_curves(const ComparisonProblem& problem, const AccuracyAxis& axis,
                                                            std::int64_t bins) {
  constexpr const char* where = "accuracy_curves";
  if (bins < 1)
    throw Error(ErrorCode::invalid_argument, where, "expected at least one bin, got " + std::to_string(bins));
  const std::vector<std::int64_t>& label = problem.confirmation.front().label;
  if (axis.distances.size() != label.size())
    throw Error(ErrorCode::shape_mismatch, where, "expected one distance per sample of the confirmation split");
  const double low = statistics::quantile(axis.distances, 0.01), high = statistics::quantile(axis.distances, 0.99);
  const double width = (high - low) / static_cast<double>(bins);
  const auto edge = [&](std::int64_t b) {
    return b == 0 ? 0.0 : b == bins ? std::numeric_limits<double>::infinity() : low + width * static_cast<double>(b);
  };
  std::vector<std::int64_t> bin_of;
  for (const double distance : axis.distances) {
    std::int64_t b = 0;
    while (b + 1 < bins && distance >= edge(b + 1)) ++b;
    bin_of.push_back(b);
  }

  std::vector<AccuracyCurve> curves;
  const auto add = [&](std::size_t classifier, std::optional<std::int64_t> only) {
    std::vector<std::int64_t> failures(static_cast<std::size_t>(bins), 0), samples = failures;
    for (std::size_t i = 0; i < label.size(); ++i) {
      if (only && label[i] != *only) continue;
      ++samples[static_cast<std::size_t>(bin_of[i])];
      failures[static_cast<std::size_t>(bin_of[i])] += problem.confirmation[classifier].failed[i] != 0 ? 1 : 0;
    }
    AccuracyCurve curve{problem.names[classifier], only, {}};
    for (std::int64_t b = 0; b < bins; ++b)
      curve.bins.push_back({edge(b), edge(b + 1),
                            make_rate(failures[static_cast<std::size_t>(b)], samples[static_cast<std::size_t>(b)])});
    curves.push_back(std::move(curve));
  };
  for (std::size_t c = 0; c < problem.size(); ++c) add(c, std::nullopt);
  for (std::size_t c = 0; c < problem.size(); ++c)
    for (std::int64_t k = 0; k < problem.common.classes; ++k)
      if (std::find(label.begin(), label.end(), k) != label.end()) add(c, k);
  return curves;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
