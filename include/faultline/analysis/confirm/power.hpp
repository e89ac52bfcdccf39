// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a run could have seen: the smallest effect that passes discovery and confirmation together with 80 % power.

#include <faultline/analysis/report.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// **Formula**: the effect d at which Φ((d − bar) √n_eff) Φ(d √n_eff' − z(1 − α/k)) = .8, with bar the permutation bar
/// of discovery, k the number of candidates that share α, and n_eff, n_eff' of the two halves: an effect along a
/// candidate varies by n_eff^-½ around its true value. AUC = Φ(d / √2), as between normal distributions.
[[nodiscard]] DetectableEffect smallest_detectable(const statistics::Strata& discovery,
                                                   const statistics::Strata& confirmation, double bar,
                                                   std::int64_t candidates, double alpha);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/power_impl.hpp>
#endif
