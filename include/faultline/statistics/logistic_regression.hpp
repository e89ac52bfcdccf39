// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Logistic regression with an intercept for each class and a ridge on everything else, and score tests of what could be
// added to it (method.md: Conditions).

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// How `fit_logistic` penalises and when it stops.
struct LogisticOptions {
  double ridge = 0.2;        ///< λ of the penalty λ/2 Σ β²
  double clip = 15.0;        ///< the linear predictor is kept within ± this
  double tolerance = 1e-9;   ///< of the Newton decrement, per sample
  std::int64_t steps = 100;  ///< Newton steps at most
  /// Weight of the prior on the intercepts: as if every class had this many more samples in the middle of all
  /// predictors that fail at the pooled rate, so that a class without failures has an intercept at all
  double pseudo_samples = 0.5;
};

/// A fitted model of P(failure | class c, x) = 1 / (1 + exp(−a_c − x·β)).
struct LogisticFit {
  std::vector<double> intercepts;    ///< a_c, `[classes]`
  std::vector<double> coefficients;  ///< β, `[p]`
  std::vector<double> probability;   ///< fitted P(failure), `[N]`
  double deviance = 0.0;             ///< −2 log likelihood of the samples, penalty left out
  bool converged = true;             ///< whether the decrement fell below the tolerance
};

/// Fits the model by penalised iteratively reweighted least squares (Newton's method with step halving).
///
/// **Shapes**: x `[N, p]` (p = 0 gives the intercepts alone), labels `[N]` in 0 .. classes − 1, failed `[N]`.
/// **Formula**: maximises log L − λ/2 Σ β² − prior of the intercepts. The intercepts are eliminated from each Newton
/// step (their block of the information is diagonal), so that many classes cost little. Start values: `start`, whose
/// coefficients may be fewer than p when columns were appended; else the pooled rate.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `empty_input`, `invalid_argument` for a value that is not finite
/// or options out of range. A fit that does not converge says so and is the best found.
/// **Cost**: N p² + p³ multiplications per step, some six steps.
/// Example: `LogisticFit fit = fit_logistic(columns, sample.label, sample.failed, 10);`
[[nodiscard]] LogisticFit fit_logistic(const Matrix<double>& x, std::span<const std::int64_t> labels,
                                       std::span<const std::uint8_t> failed, std::int64_t classes,
                                       const LogisticOptions& options = {}, const LogisticFit* start = nullptr);

/// Linear predictor a_c + x·β of samples, clipped: `[N]`.
///
/// **Throws** `shape_mismatch`, `label_out_of_range`.
[[nodiscard]] std::vector<double> linear_predictor(const LogisticFit& fit, const Matrix<double>& x,
                                                   std::span<const std::int64_t> labels, double clip = 15.0);

/// Deviance of every sample, −2 log P(its outcome), from linear predictors.
[[nodiscard]] std::vector<double> deviances(std::span<const double> predictor, std::span<const std::uint8_t> failed);

/// What one more group of columns would add to a fit, judged at the fit (Rao 1948).
struct ScoreTest {
  double statistic = 0.0;  ///< about the deviance that the columns would explain
  double p = 1.0;          ///< of columns that add nothing, from χ² with as many degrees of freedom as columns
};

/// Efficient score tests of further columns given a fitted model.
///
/// **Formula**: U = Hᵀ(f − p̂), I = HᵀWH − HᵀWX (XᵀWX + λ)⁻¹ XᵀWH with the intercepts among X, statistic Uᵀ(I + λ)⁻¹U.
/// Everything is kept by class, so that columns of one class are tested from the same sums. The samples are borrowed
/// and must be sorted by class.
/// **Throws** `invalid_argument` for labels that are not ascending; `shape_mismatch`.
class ScoreScreen {
 public:
  ScoreScreen(const LogisticFit& fit, const Matrix<double>& x, std::span<const std::int64_t> labels,
              std::span<const std::uint8_t> failed, std::int64_t classes, double ridge = 0.2);

  /// Sums of a group of columns over the samples of one class.
  struct ClassSums {
    Matrix<double> cross;        ///< XᵀWH about the class's weighted means, `[p, q]`
    Matrix<double> information;  ///< HᵀWH about them, `[q, q]`
    std::vector<double> score;   ///< Hᵀ(f − p̂), `[q]`
  };
  /// **Shapes**: columns `[N, q]` -> one entry per class. **Cost**: N q (p + q).
  [[nodiscard]] std::vector<ClassSums> sums(const Matrix<double>& columns) const;

  /// Tests columns that act in all classes alike, from their sums.
  [[nodiscard]] ScoreTest test(std::span<const ClassSums> sums) const;
  /// Tests columns that act in one class alone.
  [[nodiscard]] ScoreTest test(const ClassSums& sums) const;

 private:
  Matrix<double> centred_;  // √w (x − weighted class mean), [N, p]
  std::vector<double> root_weight_;
  std::vector<double> residual_;
  std::vector<std::int64_t> first_;  // row where each class begins, and N
  Matrix<double> inverse_;           // (XᵀWX + λ)⁻¹, [p, p]
  double ridge_;
};

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/logistic_regression_impl.hpp>
#endif
