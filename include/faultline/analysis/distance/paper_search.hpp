// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's own search for a distance to failure: long steps out, short steps back (Le Coz, Herbin, Adjed 2022).

#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/problem/answer_edits.hpp>

#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

inline constexpr double paper_stride = 5.0;
inline constexpr double paper_reach = 100.0;
inline constexpr double paper_step = 0.01;

/// The paper's decisions: out until p(y) ≤ .5, back until p(y) ≥ .495.
[[nodiscard]] double until_at_even_odds(const Answer& answer) noexcept;
[[nodiscard]] double until_recovered(const Answer& answer) noexcept;

/// One path of the paper's search.
struct PaperSearch {
  EditPath path;
  double probability0 = 0.0;                    ///< p(y) unmoved
  double at_five = 0.0, at_ten = 0.0;           ///< p(y) after the first two strides
  std::optional<double> sigmas = std::nullopt;  ///< the distance; empty where p(y) stays above .5
};

/// Fills `probability0` (on request), `at_five` and `at_ten`, where no other search has been there.
void begin_paper_search(const AnswerEdits& answer, std::span<PaperSearch> searches, bool unmoved);

/// Fills `sigmas` of searches that have begun.
///
/// Steps of 5 until p ≤ .5, given up past 100, then back in steps of .01 until p ≥ .495. The way back is not walked but
/// halved by sections on the same grid of .01, which ends at the same point wherever p falls steadily over those 5
/// standard deviations, for about 20 instead of up to 500 images. A path that starts at p ≤ .5 gets 0.
void paper_search(const AnswerEdits& answer, std::span<PaperSearch> searches);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/paper_search_impl.hpp>
#endif
