// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The multiply-accumulates that a synthesis with folded constants computes: those of its definition, but for the first
// convolution.

#include <faultline/stylegan2/cost.hpp>

#include <cstdint>

namespace bench {

/// Per image. b4.conv1 reads a constant and is one product, a ninth of its definition.
inline std::int64_t computed_macs(const faultline::stylegan2::GeneratorConfig& config) {
  const std::int64_t first = config.channels(4) * config.channels(4) * 16;
  return faultline::stylegan2::synthesis_macs(config) - 8 * first;
}

}  // namespace bench
