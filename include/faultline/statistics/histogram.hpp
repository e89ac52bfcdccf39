// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Integer histograms of every style channel: what a rank statistic needs of a population too large to keep (method
// section 15).

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Histograms of K channels for each of several groups, all with the same number of equal bins over their own range,
/// plus one bin below and one above.
///
/// Counts are integers, so any order of adding and merging gives the same result.
/// **Memory**: K x groups x (bins + 2) x 4 bytes.
/// **Throws** `invalid_argument` for a range that is not finite or reversed, a channel value that is NaN, a group out
/// of range or more than 2^32 − 1 samples in a bin; `shape_mismatch` for a row of another length.
/// Example: `auto histograms = ChannelHistograms::around(pilot_mean, pilot_sigma, 2 * classes);
/// histograms.add(outcome_group(label, failed), s.row_span(i));`
class ChannelHistograms {
 public:
  ChannelHistograms(std::vector<double> lower, std::vector<double> upper, std::int64_t groups, std::int64_t bins = 256)
      : lower_(std::move(lower)), upper_(std::move(upper)), groups_(groups), bins_(bins) {
    constexpr const char* where = "ChannelHistograms";
    if (lower_.size() != upper_.size())
      throw Error(ErrorCode::shape_mismatch, where, "expected a lower and an upper end per channel");
    core::require_in(where, "groups", groups, 1, limits::latents);
    core::require_in(where, "bins", bins, 1, limits::latents);
    core::require_elements(where, {static_cast<std::int64_t>(lower_.size()), groups, bins + 2});
    for (std::size_t k = 0; k < lower_.size(); ++k) {
      if (!std::isfinite(lower_[k]) || !std::isfinite(upper_[k]) || upper_[k] < lower_[k])
        throw Error(ErrorCode::invalid_argument, where,
                    "expected finite, ordered ends for channel " + std::to_string(k));
    }
    counts_.assign(lower_.size() * static_cast<std::size_t>(groups * (bins + 2)), 0);
  }

  /// Ranges of mean ± `reach` standard deviations, as a pilot sample gives them.
  [[nodiscard]] static ChannelHistograms around(std::span<const double> mean, std::span<const double> sigma,
                                                std::int64_t groups, double reach = 6.0, std::int64_t bins = 256) {
    if (mean.size() != sigma.size())
      throw Error(ErrorCode::shape_mismatch, "ChannelHistograms::around",
                  "expected a mean and a standard deviation per channel");
    std::vector<double> lower;
    std::vector<double> upper;
    for (std::size_t k = 0; k < mean.size(); ++k) {
      lower.push_back(mean[k] - reach * sigma[k]);
      upper.push_back(mean[k] + reach * sigma[k]);
    }
    return ChannelHistograms(std::move(lower), std::move(upper), groups, bins);
  }

  [[nodiscard]] std::int64_t channels() const noexcept { return static_cast<std::int64_t>(lower_.size()); }
  [[nodiscard]] std::int64_t groups() const noexcept { return groups_; }
  [[nodiscard]] std::int64_t bins() const noexcept { return bins_; }

  /// Counts one sample: a value per channel.
  void add(std::int64_t group, std::span<const float> values) {
    if (static_cast<std::int64_t>(values.size()) != channels())
      throw Error(ErrorCode::shape_mismatch, "ChannelHistograms::add",
                  "expected a value for each of " + std::to_string(channels()) + " channels");
    require_group(group);
    for (const float value : values) {
      if (std::isnan(value))
        throw Error(ErrorCode::invalid_argument, "ChannelHistograms::add", "a channel value is NaN");
    }
    for (std::size_t k = 0; k < values.size(); ++k)
      bump(counts_[offset(static_cast<std::int64_t>(k), group) + bin_of(k, static_cast<double>(values[k]))], 1);
  }

  /// Adds the counts of the same histograms over other samples.
  void merge(const ChannelHistograms& other) {
    if (other.lower_ != lower_ || other.upper_ != upper_ || other.groups_ != groups_ || other.bins_ != bins_) {
      throw Error(ErrorCode::shape_mismatch, "ChannelHistograms::merge",
                  "expected histograms of the same channels, ranges, groups and bins");
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) bump(counts_[i], other.counts_[i]);
  }

  /// Counts of one channel and group: below the range, bins in ascending order, above it. `[bins + 2]`.
  [[nodiscard]] std::span<const std::uint32_t> counts(std::int64_t channel, std::int64_t group) const {
    if (channel < 0 || channel >= channels())
      throw Error(ErrorCode::invalid_argument, "ChannelHistograms::counts",
                  "expected a channel in 0 .. " + std::to_string(channels() - 1));
    require_group(group);
    return std::span<const std::uint32_t>(counts_).subspan(offset(channel, group), static_cast<std::size_t>(bins_ + 2));
  }

 private:
  void require_group(std::int64_t group) const {
    if (group < 0 || group >= groups_)
      throw Error(ErrorCode::invalid_argument, "ChannelHistograms",
                  "expected a group in 0 .. " + std::to_string(groups_ - 1) + ", got " + std::to_string(group));
  }
  [[nodiscard]] std::size_t offset(std::int64_t channel, std::int64_t group) const noexcept {
    return static_cast<std::size_t>((channel * groups_ + group) * (bins_ + 2));
  }
  [[nodiscard]] std::size_t bin_of(std::size_t k, double value) const noexcept {
    if (value < lower_[k]) return 0;
    if (value > upper_[k]) return static_cast<std::size_t>(bins_ + 1);
    const double width = upper_[k] - lower_[k];
    const double position = width > 0.0 ? (value - lower_[k]) / width * static_cast<double>(bins_) : 0.0;
    return 1 + static_cast<std::size_t>(std::min(position, static_cast<double>(bins_ - 1)));
  }
  static void bump(std::uint32_t& count, std::uint32_t by) {
    if (count > UINT32_MAX - by)
      throw Error(ErrorCode::invalid_argument, "ChannelHistograms",
                  "a bin holds more than 2^32 - 1 samples; use several histograms");
    count += by;
  }

  std::vector<double> lower_;
  std::vector<double> upper_;
  std::int64_t groups_;
  std::int64_t bins_;
  std::vector<std::uint32_t> counts_;
};

/// An area under the ROC curve read off histograms, with how far it can be from the exact one.
struct HistogramAuc {
  double auc = 0.5;
  double error = 0.0;  ///< |auc − exact| is at most this: half the share of pairs that fall into one bin
};

/// AUC of failures against successes from their histograms, pairs within a bin counted half.
///
/// **Throws** `shape_mismatch` when the histograms differ in length. AUC ½ without failures or successes.
[[nodiscard]] HistogramAuc histogram_auc(std::span<const std::uint32_t> failures,
                                         std::span<const std::uint32_t> successes);

/// Stratified AUC of one channel from histograms whose groups are `outcome_group(class, failed)`: Σ ω_c AUC_c / Σ ω_c,
/// errors likewise.
///
/// **Throws** `shape_mismatch` unless there are two groups per class of `strata`.
[[nodiscard]] HistogramAuc stratified_histogram_auc(const ChannelHistograms& histograms, std::int64_t channel,
                                                    const Strata& strata);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/histogram_impl.hpp>
#endif
