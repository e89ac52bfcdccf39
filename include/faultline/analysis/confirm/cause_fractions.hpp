// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which share of the failures would not occur without a cause, and what two causes share (method sections 5.5 and 7).

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/condition_effects.hpp>
#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/attributable_fraction.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Two causes together.
struct CausePair {
  std::size_t first = 0;  ///< positions among the causes
  std::size_t second = 0;
  /// AF_a + AF_b − AF_ab: above 0 failures need both, 0 they act separately
  std::optional<statistics::AttributableFraction> overlap = std::nullopt;
  /// Mean of [ℓ_ab < 0] − [ℓ_a + ℓ_b − ℓ_0 < 0] with its bounds, ℓ = log p_y/(1−p_y): failures beyond what adds up
  std::optional<statistics::AttributableFraction> beyond_additive = std::nullopt;
};

/// Attributable fractions of causes, each and together.
struct CauseFractions {
  std::vector<std::optional<statistics::AttributableFraction>> each;  ///< one per position that was asked for
  std::optional<statistics::AttributableFraction> together;
  std::vector<CausePair> pairs;  ///< of the first `causes_in_pairs` causes
  std::int64_t latents = 0;      ///< that were set
  std::int64_t failures = 0;     ///< among them, on valid images
};

/// Causes among which every two are tried together.
inline constexpr std::size_t causes_in_pairs = 3;

/// The share of the failures on valid images that would not occur if every latent had each cause at its usual level.
///
/// **Formula**: w̃ ← w̃ + v (c_y − g·w̃)/(g·v), c_y the median over the successes of its class on the discovery split
/// (of a band the quartile on the better side); several together w̃ + G⁺ (c − G w̃). Failures of the same latents before
/// and after, so what the change breaks counts. Pairs are set on the first half of the latents, and moved by +2
/// standard deviations towards failure, by themselves and together, on the first eighth.
/// **Randomness**: samples from 2^42 + 2^41 on. **Cost**: `fraction_latents` images as they are, per cause and for all
/// together; one and a half per latent of a pair.
[[nodiscard]] CauseFractions attribute_failures(const Problem& problem, const statistics::Whitening& whitening,
                                                const ConditionSample& discovery, const Conditions& found,
                                                std::span<const ConditionEdit> planned,
                                                std::span<const std::size_t> causes, const EffectOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/cause_fractions_impl.hpp>
#endif
