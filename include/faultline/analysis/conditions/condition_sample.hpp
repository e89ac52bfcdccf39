// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The samples of one split in the form in which conditions are sought and tested: sorted by class, ranks instead of
// values (method.md: Conditions).

#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// The linear reading vector of each property: what w says about it by a linear rule within classes (method
/// section 5.3). No outcome enters.
struct ReadingVectors {
  Matrix<double> vectors;  ///< `[P, r]` g_k: the property's normal score is g_k·w̃ plus what w does not predict
  std::vector<double> r_squared;   ///< `[P]` share that w̃ predicts, adjusted for its number of coordinates
  std::vector<double> deviations;  ///< `[P]` pooled within-class standard deviation; 0: the property does not vary
};

/// Least R² from which a property has a linear reading vector, is moved by it and held by it.
inline constexpr double least_r_squared = 0.1;

/// Regresses every property on w̃ within classes.
///
/// **Shapes**: whitened `[N, r]`, properties `[N, P]`, labels `[N]` in 0 .. classes − 1; r = 0 gives no vectors.
/// **Formula**: g_k = (W̃ᵀW̃)⁻¹ W̃ᵀ m_k with m_k the normal scores of the property within classes, adjusted R² (Ezekiel
/// 1930).
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N r (r + P).
[[nodiscard]] ReadingVectors fit_reading_vectors(const Matrix<double>& whitened, const Matrix<float>& properties,
                                                 std::span<const std::int64_t> labels, std::int64_t classes);

/// Samples of one split, sorted by class.
struct ConditionSample {
  std::vector<std::int64_t> row;     ///< `[N]` row of the population that each sample is
  std::vector<std::int64_t> label;   ///< `[N]` ascending
  std::vector<std::uint8_t> failed;  ///< `[N]`
  Matrix<double> scores;             ///< `[P, N]` normal scores of the properties within classes
  Matrix<double> projections;  ///< `[P, N]` normal scores of g_k·w̃; zeros for a property without a reading vector
  Matrix<double> whitened;     ///< `[N, r]`
  std::int64_t classes = 0;

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(label.size()); }
  [[nodiscard]] std::int64_t properties() const noexcept { return scores.rows(); }
};

/// Puts samples into this form.
///
/// **Shapes**: `rows` names the rows of population and whitened that take part (valid samples, a fold, a half-sample);
/// ranks are taken among them. whitened `[N, r]`, r = 0 without latents.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for a property that is not finite.
[[nodiscard]] ConditionSample make_condition_sample(const Population& population, const Matrix<double>& whitened,
                                                    std::span<const std::int64_t> rows,
                                                    const ReadingVectors& reading_vectors, std::int64_t classes);

/// The samples at some positions, ascending: ranks stay those of the whole.
[[nodiscard]] ConditionSample subset(const ConditionSample& sample, std::span<const std::int64_t> positions);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/condition_sample_impl.hpp>
#endif
