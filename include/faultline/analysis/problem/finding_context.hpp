// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the measuring half of the analysis (carriers, profiles, distances) works on once the findings are known.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/whitening.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// The frozen problem, and held-out latents that chose nothing; all four are borrowed.
struct FindingContext {
  const Problem& problem;
  const statistics::Whitening& whitening;  ///< of the discovery split
  const MethodOptions& options;
  const Population& latents;  ///< held-out latents of the intervention, not selected by outcome
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
