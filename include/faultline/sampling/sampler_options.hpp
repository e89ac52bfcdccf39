// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How samples are drawn.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/sampling/label_policy.hpp>

#include <cstdint>
#include <optional>

namespace faultline {
inline namespace v1 {

/// How samples are drawn. Two samplers with equal options over equal generators draw equal samples.
struct SamplerOptions {
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;                            ///< ψ in [-2, 2], see `MapOptions`
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< truncate the first layers only, see `MapOptions`
  Noise noise = Noise::constant;
  std::int64_t batch_size = 64;  ///< fixed size of every generator call

  friend bool operator==(const SamplerOptions&, const SamplerOptions&) = default;
};

}  // namespace v1
}  // namespace faultline
