// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Moving latents along directions and judging what becomes of them: the machinery under the intervention.

#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How far latents are moved either way, in standard deviations.
inline constexpr double intervention_sigmas = 2.0;

/// Random directions that the edit along a cause is compared with, each taken both ways: their mean needs no more.
inline constexpr std::size_t explain_placebo_directions = 8;

/// A direction to move along, with the coordinate that success has on average.
struct InterventionDirection {
  std::vector<double> v;               ///< unit vector in whitened coordinates
  std::vector<double> step;            ///< `[w_dim]` one standard deviation in w
  std::vector<double> success_median;  ///< `[classes]` median coordinate of the successes of each class
};

/// Intervention directions of unit vectors; medians over the successes of the discovery split, of all classes together
/// where a class has none.
[[nodiscard]] std::vector<InterventionDirection> make_intervention_directions(const Problem& problem,
                                                                              const statistics::Whitening& whitening,
                                                                              const Matrix<double>& whitened,
                                                                              const Matrix<double>& directions);

/// Random unit vectors orthogonal to the given orthonormal ones; none when nothing is left off them.
///
/// **Randomness**: direction j from (seed, Stream::start_latents, 2^41 + 2^40 + j).
[[nodiscard]] Matrix<double> placebo_directions(std::int64_t count, std::int64_t rank,
                                                std::span<const std::vector<double>> basis, std::int64_t seed);

/// What moving along a direction by ± two standard deviations did.
struct EditEffect {
  double mean = 0.0;
  double lower = 0.0;        ///< one-sided 95 % lower bound
  double probability = 0.0;  ///< mean of p(y | −) − p(y | +)
  std::vector<ClassInterventionEffect> classes = {};
};

/// Effects of several edits at ± two standard deviations, each over the same `n` start latents: `edits` holds the
/// edit and start of each, edit after edit.
[[nodiscard]] std::vector<EditEffect> effects_along(const Problem& problem, std::span<const EditedLatent> edits,
                                                    std::size_t n);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/intervention_directions_impl.hpp>
#endif
