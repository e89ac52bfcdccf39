// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/stratified.hpp.

#include <faultline/statistics/stratified.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE void require_outcomes(const char* where, std::int64_t rows, std::span<const std::int64_t> labels,
                                       std::span<const std::uint8_t> failed) {
  if (static_cast<std::int64_t>(labels.size()) != rows || static_cast<std::int64_t>(failed.size()) != rows) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected one label and one outcome for each of " + std::to_string(rows) + " samples, got " +
                    std::to_string(labels.size()) + " and " + std::to_string(failed.size()));
  }
}

FAULTLINE_INLINE void require_label(const char* where, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes) {
    throw Error(ErrorCode::label_out_of_range, where,
                "expected labels in 0 .. " + std::to_string(classes - 1) + ", got " + std::to_string(label));
  }
}

FAULTLINE_INLINE void weigh(Strata& strata) {
  strata.weights.assign(strata.failures.size(), 0.0);
  strata.effective_failures = 0.0;
  for (std::size_t c = 0; c < strata.failures.size(); ++c) {
    const auto m = static_cast<double>(strata.failures[c]);
    const auto n = static_cast<double>(strata.successes[c]);
    if (strata.failures[c] < 2 || strata.successes[c] < 2) continue;
    strata.weights[c] = m * n / (m + n);
    strata.effective_failures += strata.weights[c];
  }
}

FAULTLINE_INLINE Strata make_strata(std::vector<std::int64_t> failures, std::vector<std::int64_t> successes) {
  if (failures.size() != successes.size())
    throw Error(ErrorCode::shape_mismatch, "make_strata", "expected as many failure counts as success counts");
  for (std::size_t c = 0; c < failures.size(); ++c) {
    if (failures[c] < 0 || successes[c] < 0)
      throw Error(ErrorCode::invalid_argument, "make_strata", "expected counts that are not negative");
  }
  Strata strata{std::move(failures), std::move(successes), {}, 0.0};
  weigh(strata);
  return strata;
}

FAULTLINE_INLINE Strata count_outcomes(std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                       std::int64_t classes) {
  require_outcomes("count_outcomes", static_cast<std::int64_t>(labels.size()), labels, failed);
  if (classes < 1) throw Error(ErrorCode::invalid_argument, "count_outcomes", "expected at least one class");
  std::vector<std::int64_t> failures(static_cast<std::size_t>(classes), 0);
  std::vector<std::int64_t> successes(static_cast<std::size_t>(classes), 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require_label("count_outcomes", labels[i], classes);
    ++(failed[i] != 0 ? failures : successes)[static_cast<std::size_t>(labels[i])];
  }
  return make_strata(std::move(failures), std::move(successes));
}

FAULTLINE_INLINE Strata only_class(const Strata& strata, std::int64_t label) {
  require_label("only_class", label, strata.classes());
  Strata one = strata;
  for (double& weight : one.weights) weight = 0.0;
  const auto c = static_cast<std::size_t>(label);
  one.weights[c] = strata.weights[c];
  one.effective_failures = strata.weights[c];
  return one;
}

FAULTLINE_INLINE std::int64_t samples_for_effective_failures(const Strata& strata, double wanted) {
  if (!(strata.effective_failures > 0.0)) return 0;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(strata.total()) * wanted / strata.effective_failures));
}

FAULTLINE_INLINE double studentise(double numerator, double variance) noexcept {
  if (variance > 0.0) return numerator / std::sqrt(variance);
  return numerator == 0.0 ? 0.0 : std::copysign(std::numeric_limits<double>::infinity(), numerator);
}

FAULTLINE_INLINE WelchStatistic stratified_welch(std::span<const double> values, std::span<const std::int64_t> labels,
                                                 std::span<const std::uint8_t> failed, const Strata& strata) {
  require_outcomes("stratified_welch", static_cast<std::int64_t>(values.size()), labels, failed);
  const auto classes = static_cast<std::size_t>(strata.classes());
  std::vector<double> mean(2 * classes, 0.0);
  std::vector<double> squares(2 * classes, 0.0);
  const auto group = [&](std::size_t i) {
    return 2 * static_cast<std::size_t>(labels[i]) + (failed[i] != 0 ? 0U : 1U);
  };
  const auto count = [&](std::size_t g) {
    return static_cast<double>(g % 2 == 0 ? strata.failures[g / 2] : strata.successes[g / 2]);
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_label("stratified_welch", labels[i], strata.classes());
    mean[group(i)] += values[i];
  }
  for (std::size_t g = 0; g < mean.size(); ++g) mean[g] /= std::max(1.0, count(g));
  for (std::size_t i = 0; i < values.size(); ++i)
    squares[group(i)] += (values[i] - mean[group(i)]) * (values[i] - mean[group(i)]);
  double numerator = 0.0;
  double variance = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    const double weight = strata.weights[c];
    if (!(weight > 0.0)) continue;
    const double m = count(2 * c);
    const double n = count(2 * c + 1);
    numerator += weight * (mean[2 * c] - mean[2 * c + 1]);
    variance += weight * weight * (squares[2 * c] / (m * (m - 1.0)) + squares[2 * c + 1] / (n * (n - 1.0)));
  }
  const double total = strata.effective_failures;
  if (!(total > 0.0)) return {};
  return {numerator / total, std::sqrt(variance) / total, studentise(numerator, variance)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
