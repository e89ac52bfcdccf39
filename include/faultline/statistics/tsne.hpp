// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Exact t-SNE: a map of samples in the plane that keeps neighbours together (van der Maaten and Hinton, Visualizing
// Data using t-SNE, JMLR 9, 2008).

#include <faultline/core/matrix.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/error.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// How a map is made. The defaults follow Belkina et al. (Nature Communications 10, 2019): a learning rate that grows
/// with the number of samples, 250 exaggerated steps.
struct TsneOptions {
  /// Effective number of neighbours of a sample, in [2, (N - 1) / 3]
  double perplexity = 30.0;
  std::int64_t iterations = 1'000;            ///< gradient steps altogether
  double early_exaggeration = 12.0;           ///< factor on the similarities during the first steps, at least 1
  std::int64_t exaggerated_iterations = 250;  ///< how many steps that is
  double learning_rate = 0.0;                 ///< 0: max(50, N / (4 early_exaggeration))
  std::int64_t threads = 0;                   ///< 0: as many as cores
  ProgressCallback progress = nullptr;
};

/// A map of N samples.
struct Embedding {
  Matrix<double> points;  ///< `[N, 2]`, centred
  /// Kullback-Leibler divergence of the similarities in the plane from those of the samples; smaller is a better map
  double divergence = 0.0;
};

/// Samples that `embed_tsne` takes at most: it keeps every pair.
inline constexpr std::int64_t tsne_samples = 5'000;

/// Maps samples to the plane.
///
/// **Shapes**: x `[N, d]`, not standardised here: distances are Euclidean in the columns as they are. **Returns** `[N,
/// 2]`; distances between far groups and their sizes mean little, neighbourhoods do.
/// **Formula**: similarities p_ij = (p_j|i + p_i|j) / 2N, Gaussian with a width per sample that gives the perplexity;
/// in the plane q_ij ∝ 1 / (1 + |y_i - y_j|²); gradient descent on KL(P‖Q) with momentum .5, then .8, a gain per
/// coordinate and early exaggeration (section 3.4 there). The start is the first two principal components at a standard
/// deviation of 1e-4 (Kobak and Berens, Nature Communications 10, 2019), so there is nothing random.
/// **Throws** `invalid_argument` for more than `tsne_samples` samples, fewer than 3 perplexity + 1, a value that is not
/// finite or options out of range; `degenerate_statistics` when all samples are equal.
/// **Determinism**: the same bits for any number of threads. **Cost**: N² per step, 2 000 samples and 1 000 steps in a
/// few seconds; 8 N² bytes.
/// Example: `Embedding map = embed_tsne(population.w, {.perplexity = 40});`
[[nodiscard]] Embedding embed_tsne(const Matrix<float>& x, const TsneOptions& options = {});

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/tsne_impl.hpp>
#endif
