// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Means of classes, or of other groups of samples, and what varies within them: the ground of every comparison within
// classes (method.md: Whose failures).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/fixed_sums.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// `outcome_group` of every sample, for `group_means`; −1 in classes that `strata` does not use.
[[nodiscard]] std::vector<std::int64_t> outcome_groups(std::span<const std::int64_t> labels,
                                                       std::span<const std::uint8_t> failed, const Strata& strata);

/// Means of groups of rows.
struct GroupMeans {
  Matrix<double> mean;        ///< `[groups, d]`; zeros where a group has no rows
  std::vector<double> count;  ///< `[groups]` rows of each

  /// Rows in all groups.
  [[nodiscard]] double rows() const noexcept {
    double sum = 0.0;
    for (const double n : count) sum += n;
    return sum;
  }
  /// Degrees of freedom within groups: rows less the groups that have any.
  [[nodiscard]] double freedom() const noexcept {
    return rows() - static_cast<double>(std::count_if(count.begin(), count.end(), [](double n) { return n > 0.0; }));
  }
};

/// Means of the rows of each group.
///
/// **Shapes**: x `[N, d]`, any Eigen expression; group `[N]` in 0 .. groups − 1 for labels, or −1 for rows that are
/// left out. **Throws** `shape_mismatch`, `label_out_of_range` with `where` as their place. **Cost**: N d additions.
/// Example: `GroupMeans means = group_means("fit", population.w, population.label, 10);`
template <class Values>
[[nodiscard]] GroupMeans group_means(const char* where, const Eigen::MatrixBase<Values>& x,
                                     std::span<const std::int64_t> group, std::int64_t groups) {
  if (static_cast<std::int64_t>(group.size()) != x.rows())
    throw Error(
        ErrorCode::shape_mismatch, where,
        "expected one label for each of " + std::to_string(x.rows()) + " rows, got " + std::to_string(group.size()));
  GroupMeans result{{}, std::vector<double>(static_cast<std::size_t>(groups), 0.0)};
  for (const std::int64_t g : group) {
    if (g == -1) continue;
    require_label(where, g, groups);
    result.count[static_cast<std::size_t>(g)] += 1.0;
  }
  const Matrix<double> zero(groups, x.cols());
  result.mean = fixed_sum(x.rows(), zero, [&](std::int64_t first, std::int64_t count) {
    Matrix<double> sums = zero;
    for (std::int64_t i = first; i < first + count; ++i)
      if (const std::int64_t g = group[static_cast<std::size_t>(i)]; g != -1)
        sums.row(g) += x.row(i).template cast<double>();
    return sums;
  });
  for (std::int64_t g = 0; g < groups; ++g)
    result.mean.row(g) /= std::max(1.0, result.count[static_cast<std::size_t>(g)]);
  return result;
}

/// Rows first .. first + count − 1 of x, each minus the mean of its group; zeros for rows that are left out.
template <class Values>
[[nodiscard]] Matrix<double> centred_rows(const Eigen::MatrixBase<Values>& x, std::span<const std::int64_t> group,
                                          const Matrix<double>& mean, std::int64_t first, std::int64_t count) {
  Matrix<double> centred(count, x.cols());
  for (std::int64_t i = 0; i < count; ++i)
    if (const std::int64_t g = group[static_cast<std::size_t>(first + i)]; g != -1)
      centred.row(i) = x.row(first + i).template cast<double>() - mean.row(g);
  return centred;
}

/// Pooled covariance within groups.
///
/// **Formula**: Σ_i (x_i − mean of its group)(…)ᵀ / (N − groups present), N without the rows that are left out; zeros
/// when no degree of freedom is left. **Cost**: N d² multiplications.
template <class Values>
[[nodiscard]] Matrix<double> within_covariance(const Eigen::MatrixBase<Values>& x, std::span<const std::int64_t> group,
                                               const GroupMeans& means) {
  Matrix<double> covariance = fixed_sum(
      x.rows(), Matrix<double>(x.cols(), x.cols()), [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
        const Matrix<double> centred = centred_rows(x, group, means.mean, first, count);
        return detail::transposed_product(centred, centred);
      });
  covariance /= std::max(1.0, means.freedom());
  return covariance;
}

/// Σ (x − mean)² of each group and column, `[groups, d]`.
template <class Values>
[[nodiscard]] Matrix<double> within_squares(const Eigen::MatrixBase<Values>& x, std::span<const std::int64_t> group,
                                            const GroupMeans& means) {
  const Matrix<double> zero(means.mean.rows(), means.mean.cols());
  return fixed_sum(x.rows(), zero, [&](std::int64_t first, std::int64_t count) {
    Matrix<double> squares = zero;
    for (std::int64_t i = first; i < first + count; ++i)
      if (const std::int64_t g = group[static_cast<std::size_t>(i)]; g != -1)
        squares.row(g) += (x.row(i).template cast<double>() - means.mean.row(g)).cwiseAbs2();
    return squares;
  });
}

/// Pooled standard deviation of every column within groups, `[d]`: √(Σ (x − mean of its group)² / `freedom`).
///
/// A deviation of at most `resolution` times the largest |x| of its column is rounding of the type that the values came
/// in, and counts as 0, so that it never becomes a divisor.
template <class Values>
[[nodiscard]] std::vector<double> within_deviations(const Eigen::MatrixBase<Values>& x,
                                                    std::span<const std::int64_t> group, const GroupMeans& means,
                                                    double freedom, double resolution) {
  const Matrix<double> squares = within_squares(x, group, means);
  std::vector<double> deviations(static_cast<std::size_t>(x.cols()), 0.0);
  if (x.rows() == 0) return deviations;
  for (Eigen::Index j = 0; j < x.cols(); ++j) {
    const double deviation = std::sqrt(squares.col(j).sum() / std::max(1.0, freedom));
    if (deviation > resolution * static_cast<double>(x.col(j).cwiseAbs().maxCoeff()))
      deviations[static_cast<std::size_t>(j)] = deviation;
  }
  return deviations;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/within_class_moments_impl.hpp>
#endif
