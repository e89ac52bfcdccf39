// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is a moved image still what it should be? What a second, stronger classifier says of the images at the flip (method
// section 6).

#include <faultline/analysis/finding.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Validity from the judge's answers on the flipped images (1: still the label); nothing without any.
///
/// **Formula**: the share that agrees with its Clopper-Pearson interval; *mostly valid* when that lies above one half,
/// *mostly invalid* when below, else *undecided*.
[[nodiscard]] Validity validity_of(std::span<const std::uint8_t> judge_agrees);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/validity_impl.hpp>
#endif
