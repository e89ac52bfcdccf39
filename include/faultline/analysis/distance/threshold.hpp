// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distance to failure: how far along a finding, or along its first carrier alone, a latent has to be moved until the
// classifier gives way (method.md: Distances to failure).

#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Start latents listed with each finding, for sheets to draw.
inline constexpr std::size_t examples_per_finding = 8;

/// How much is measured along a direction.
enum class ThresholdScope {
  full,       ///< both crossings, from start latents and class centres, and the paper's search
  flip_only,  ///< the flip from the start latents alone and no examples, for little more than half the cost
};

/// Fills `threshold`, `validity` and `examples` of every finding, and `threshold` of its first carrier (attach carriers
/// before).
///
/// **Start latents**: the first `options.threshold_latents` held-out latents that are valid and do not fail (of its
/// class, for a class-specific direction), and, with `options.centre_distances`, the mean w of the successes of each
/// class.
/// **Formula**: f(t) = p(y | w + t · direction), for a carrier f(t) = p(y | s + t · sign · σ_k · e_k); a grid every
/// 1.25 standard deviations up to 10, then at most 7 refinements per crossing inside the first bracket, until it is ≤
/// .01 wide; its failing end is reported. Two crossings, p(y) = .5 and the flip of the outcome; a latent that never
/// crosses counts as +∞; medians over the latents, with an interval from order statistics. The paper's own search runs
/// from the centres. See `Crossing` and `CentreDistance` for each number.
/// **Checks**: every failing image is classified again in a batch, those of the listed examples also alone; a crossing
/// whose image does not fail again is not reported.
/// **Randomness**: none of its own; start latents are samples 2^41 onwards of the problem's seed, unused
/// before. **Throws** `shape_mismatch` when a direction does not fit w.
/// **Cost**: per finding and latent 8 images on the grid, about 10 for both crossings, 2 to check them; the same for
/// the carrier where it crosses; all directions and latents share batches. Example: `attach_carriers(context,
/// findings); measure_thresholds(context, findings); findings[0].threshold.flip->sigmas`
void measure_thresholds(const FindingContext& context, std::span<Finding> findings,
                        ThresholdScope scope = ThresholdScope::full);

/// The searches of one direction, or of one carrier alone: first those of the start latents, then those of the centres.
struct SearchGroup {
  Finding* finding = nullptr;
  bool alone = false;
  std::size_t first = 0;
  std::size_t latents = 0;
  std::size_t centres = 0;
  CoordinateRange range;

  [[nodiscard]] std::span<DistanceSearch> of_latents(std::span<DistanceSearch> all) const {
    return all.subspan(first, latents);
  }
  [[nodiscard]] std::span<DistanceSearch> of_centres(std::span<DistanceSearch> all) const {
    return all.subspan(first + latents, centres);
  }
};

/// Coordinates of samples along the finding (v·w̃), or along its first carrier alone, off their class means and in
/// standard deviations.
[[nodiscard]] std::vector<double> path_coordinates(const FindingContext& context, const Finding& finding, bool alone,
                                                   const Matrix<float>& w, std::span<const std::int64_t> labels);

/// Everything that is searched at once.
struct SearchPlan {
  std::vector<StartLatent> starts;  ///< the start latents, then the centres
  std::vector<SuccessCentre> centres;
  std::vector<Answer> at_centres;
  std::vector<DistanceSearch> searches;
  std::vector<SearchGroup> groups;
};

/// p(y) and outcome of the centres themselves.
void judge_centres(const Problem& problem, SearchPlan& plan);

/// Lays out the searches of one finding or carrier; `offset` is the number of the first centre among the starts.
void add_group(const FindingContext& context, SearchPlan& plan, Finding& finding, bool alone, const StartLatents& pool,
               std::span<const std::size_t> numbers, std::size_t offset);

/// The paper's search from the centres, whose grid has been at 5 and 10 already.
void search_as_the_paper(const Problem& problem, std::span<DistanceSearch* const> from_centres);

/// Examples spread over the distances, and over the labels where there is a choice; start latents that never flip only
/// fill up.
[[nodiscard]] std::vector<std::size_t> choose_examples(std::span<const DistanceSearch> searches);

/// Median and quartiles of one property over images at the flip.
[[nodiscard]] PropertyAtFlip property_at_flip(const Problem& problem, std::int64_t property,
                                              std::vector<double> values);

/// The named properties of the images at the flip, each over the latents that flip.
[[nodiscard]] std::vector<PropertyAtFlip> properties_at_flip(const Problem& problem, std::span<const std::string> names,
                                                             std::span<const DistanceSearch> searches);

[[nodiscard]] Threshold summarise(const SearchGroup& group, std::span<DistanceSearch> searches);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/threshold_impl.hpp>
#endif
