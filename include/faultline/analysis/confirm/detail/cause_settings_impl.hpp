// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/cause_settings.hpp.

#include <faultline/analysis/confirm/cause_settings.hpp>

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The level at which a coordinate is usual for successes of each class; 0 (the mean) where a class has none.
[[nodiscard]] inline std::vector<double> usual_levels(const ConditionSample& sample, std::span<const double> vector,
                                                      double level) {
  std::vector<std::vector<double>> values(static_cast<std::size_t>(sample.classes));
  for (std::int64_t i = 0; i < sample.size(); ++i)
    if (sample.failed[static_cast<std::size_t>(i)] == 0)
      values[static_cast<std::size_t>(sample.label[static_cast<std::size_t>(i)])].push_back(
          core::dot(vector, sample.whitened.row_span(i)));
  std::vector<double> levels;
  for (const auto& own : values) levels.push_back(own.empty() ? 0.0 : statistics::quantile(own, level));
  return levels;
}

}  // namespace detail

FAULTLINE_INLINE CauseSettings::CauseSettings(const statistics::Whitening& whitening, const ConditionSample& discovery,
                                              const Conditions& found, std::span<const ConditionEdit> planned,
                                              std::span<const std::size_t> causes)
    : whitening_(&whitening) {
  for (std::size_t k = 0; k < causes.size(); ++k) {
    const ConditionEdit& edit = planned[causes[k]];
    for (std::int64_t m = 0; m < edit.reading_vectors.rows(); ++m) {
      // where values in between fail, the quartile on the better side; else the median is usual
      double level = 0.5;
      if (edit.shape == ConditionShape::band) level = edit.best < edit.worst ? 0.25 : 0.75;
      const std::span<const double> vector = edit.reading_vectors.row_span(m);
      settings_.push_back({k, found.conditions[causes[k]].class_label, detail::usual_levels(discovery, vector, level)});
      rows_.push_back({core::as_vector(vector), core::as_vector(edit.directions.row_span(m))});
    }
  }
}

FAULTLINE_INLINE Matrix<double> CauseSettings::together(std::span<const std::size_t> which) const {
  Matrix<double> dual(static_cast<std::int64_t>(settings_.size()), whitening_->rank());
  std::vector<std::size_t> chosen;
  for (std::size_t s = 0; s < settings_.size(); ++s)
    if (std::find(which.begin(), which.end(), settings_[s].cause) != which.end()) chosen.push_back(s);
  if (which.size() == 1) {
    for (const std::size_t s : chosen)
      core::as_vector(dual.row_span(static_cast<std::int64_t>(s))) =
          rows_[s].direction / rows_[s].direction.dot(rows_[s].vector);
    return dual;
  }
  Matrix<double> g(static_cast<std::int64_t>(chosen.size()), whitening_->rank());
  for (std::size_t i = 0; i < chosen.size(); ++i)
    core::as_vector(g.row_span(static_cast<std::int64_t>(i))) = rows_[chosen[i]].vector;
  const Matrix<double> rows = statistics::detail::dual_rows(g);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    std::ranges::copy(rows.row_span(static_cast<std::int64_t>(i)),
                      dual.row_span(static_cast<std::int64_t>(chosen[i])).begin());
  return dual;
}

FAULTLINE_INLINE Edit CauseSettings::set(const Matrix<double>& dual, std::span<const double> whitened,
                                         std::int64_t label) const {
  Matrix<double> missing(1, static_cast<std::int64_t>(settings_.size()));
  for (std::size_t s = 0; s < settings_.size(); ++s) {
    const bool concerned = !settings_[s].class_label || *settings_[s].class_label == label;
    missing(0, static_cast<std::int64_t>(s)) = concerned ? settings_[s].levels[static_cast<std::size_t>(label)] -
                                                               rows_[s].vector.dot(core::as_vector(whitened))
                                                         : 0.0;
  }
  return Edit::in_w(
      statistics::unwhiten_directions(*whitening_, statistics::detail::product(missing, dual)).row_span(0));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
