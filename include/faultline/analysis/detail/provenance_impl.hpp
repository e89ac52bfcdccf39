// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/provenance.hpp.

#include <faultline/analysis/provenance.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE SamplerOptions sampler_options(const Provenance& run) {
  return {.seed = run.seed,
          .labels = run.labels,
          .truncation = run.truncation,
          .cutoff = run.cutoff,
          .noise = run.noise,
          .batch_size = run.batch_size};
}

}  // namespace analysis

}  // namespace v1
}  // namespace faultline
