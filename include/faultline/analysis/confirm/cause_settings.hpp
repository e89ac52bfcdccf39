// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How latents are set to the usual level of causes (method.md: The attributable fraction).

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/core/eigen.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What is set of the causes, and to which level in each class: the median over the successes of the class on the
/// discovery split, of a band the quartile on the better side; 0 (the mean) in a class without successes.
///
/// The whitening is borrowed. Example: `Matrix<double> dual = settings.together(which); Edit edit = settings.set(dual,
/// whitened.row_span(i), label);`
class CauseSettings {
 public:
  /// `causes` are positions among conditions and edits.
  CauseSettings(const statistics::Whitening& whitening, const ConditionSample& discovery, const Conditions& found,
                std::span<const ConditionEdit> planned, std::span<const std::size_t> causes);

  /// `[settings, r]` how w̃ answers to what is missing at each setting, for the causes whose numbers are given; one by
  /// itself moves along its own directions, which hold all others.
  [[nodiscard]] Matrix<double> together(std::span<const std::size_t> which) const;

  /// The edit that sets a latent by one of these.
  [[nodiscard]] Edit set(const Matrix<double>& dual, std::span<const double> whitened, std::int64_t label) const;

 private:
  struct Setting {
    std::size_t cause = 0;
    std::optional<std::int64_t> class_label;
    std::vector<double> levels;
  };
  struct Rows {
    Eigen::VectorXd vector, direction;
  };
  const statistics::Whitening* whitening_;
  std::vector<Setting> settings_;
  std::vector<Rows> rows_;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/cause_settings_impl.hpp>
#endif
