// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The options that a style generator's calls take; shared by every generator, free of LibTorch.

#include <faultline/config.hpp>

#include <cstdint>
#include <optional>

namespace faultline {
inline namespace v1 {

/// What the per-pixel noise inputs of a synthesis network receive.
enum class Noise {
  constant,  ///< the noise images stored with the model, the same for all samples
  none,      ///< zero
  random,    ///< fresh normals per sample from (seed, sample index), stream 2
};

/// Options of `map(z, labels, options)`.
struct MapOptions {
  /// Truncation ψ: w <- w_avg + ψ (w - w_avg); 1 leaves w alone. In [-2, 2].
  double truncation = 1.0;
  /// Truncate only the first `cutoff` layers; when set, `map` returns one w per layer, `[N, num_ws, w_dim]`.
  std::optional<std::int64_t> cutoff = std::nullopt;
};

/// Options of `synthesize(s, options)`.
struct SynthesisOptions {
  Noise noise = Noise::constant;
  /// Seed of random noise; ignored by the other modes.
  std::int64_t seed = 0;
  /// Sample index of row 0 for random noise: row i uses index first + i.
  std::int64_t first = 0;
};

}  // namespace v1
}  // namespace faultline
