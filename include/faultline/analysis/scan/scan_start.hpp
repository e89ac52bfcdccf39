// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where a scan of StyleSpace starts and what it has cost.

#include <faultline/statistics/within_class_moments.hpp>
#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Start latents of a scan, and how far each channel is moved.
struct ScanStart {
  Matrix<float> s;                  ///< `[N, D]` styles
  std::vector<std::int64_t> label;  ///< `[N]`
  std::vector<double> shift;        ///< `[D]`, in style units
};

/// `latents` samples, not selected by outcome, with every channel's shift at `sigmas` pooled within-class standard
/// deviations.
///
/// **Formula**: σ_k² = a_k Σ a_kᵀ, Σ the pooled within-class covariance of w over `population` samples from index 0 (no
/// images are made), s = A w + b.
/// **Randomness**: latents are the samples `first`, `first` + 1, … of the sampler. **Throws** `invalid_argument`,
/// `empty_input`.
/// Example: `ScanStart start = scan_start(sampler);`
template <AffineStyles G>
[[nodiscard]] ScanStart scan_start(const StyleSpaceSampler<G>& sampler, std::int64_t latents = 64, double sigmas = 2.0,
                                   std::int64_t population = 4096, std::int64_t first = core::intervention_first) {
  if (latents == 0 || population == 0)
    throw Error(ErrorCode::empty_input, "scan_start",
                "expected at least one start latent and one sample of the population");
  core::require_in("scan_start", "latents", latents, 1, limits::latents);
  core::require_in("scan_start", "sigmas", sigmas, 0.0, 1e6);
  core::require_in("scan_start", "population", population, 1, limits::samples);
  const Matrix<float> w = sampler.latents_w(core::discovery_first, population);
  const std::vector<std::int64_t> labels = sampler.labels(core::discovery_first, population);
  const Matrix<double> covariance =
      statistics::within_covariance(w, labels, statistics::group_means("scan_start", w, labels, sampler.classes()));

  ScanStart start;
  start.shift = projection_deviations(sampler.style_matrix(), covariance);
  for (double& shift : start.shift) shift *= sigmas;
  start.label = sampler.labels(first, latents);
  start.s = sampler.generator().style_to_host(sampler.styles(sampler.latents_w(first, latents)));
  return start;
}

/// What a scan has cost.
struct ScanCost {
  std::int64_t generator_images = 0;  ///< synthesised, whole or in part: start latents, their gradients, edits
  std::int64_t generator_batches = 0;
  /// The same by multiplications, in whole syntheses; a gradient counts two
  double generator_passes = 0.0;
  std::int64_t gradient_images = 0;
  std::int64_t classifier_images = 0;
  std::int64_t classifier_batches = 0;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
