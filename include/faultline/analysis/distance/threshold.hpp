// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distance to failure: how far along a finding, or along its first carrier alone, a latent has to be moved until the
// classifier gives way (method section 6).

#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/detail/failing_images.hpp>
#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/distance/validity.hpp>
#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
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
/// **Start latents**: the first `options.threshold_codes` held-out latents that do not fail (of its class, for a
/// class-specific direction), and, with `options.centre_distances`, the mean w of the successes of each class.
/// **Formula**: f(t) = p(y | w + t · direction), for a carrier f(t) = p(y | s + t · sign · σ_k · e_k); a grid every
/// 1.25 standard deviations up to 10, then at most 7 refinements per crossing inside the first bracket, until it is ≤
/// .01 wide; its failing end is reported. Two crossings, p(y) = .5 and the flip of the outcome; a latent that never
/// crosses counts as +∞; medians over the latents, with an interval from order statistics. The paper's own search runs
/// from the centres. See `Crossing` and `CentreDistance` for each number.
/// **Checks**: every failing image is classified again in a batch, those of the listed examples also alone; a crossing
/// whose image does not fail again is not reported.
/// **Randomness**: none of its own; start latents are samples 2^41 + 1 000 000 onwards of the problem's seed, unused
/// before. **Throws** `shape_mismatch` when a direction does not fit w.
/// **Cost**: per finding and latent 8 images on the grid, about 10 for both crossings, 2 to check them; the same for
/// the carrier where it crosses; all directions and latents share batches. Example: `attach_carriers(context,
/// findings); measure_thresholds(context, findings); findings[0].threshold.flip->sigmas`
inline void measure_thresholds(const FindingContext& context, std::span<Finding> findings,
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
[[nodiscard]] inline std::vector<double> line_coordinates(const FindingContext& context, const Finding& finding,
                                                          bool alone, const Matrix<float>& w,
                                                          std::span<const std::int64_t> labels) {
  std::vector<double> reading(static_cast<std::size_t>(w.cols()), 0.0);  // the coordinate is a linear function of w
  if (alone) {
    const Carrier& carrier = finding.carriers.front();
    const auto a = context.problem.style_matrix.row_span(carrier.channel.flat);
    for (std::size_t j = 0; j < reading.size(); ++j)
      reading[j] = static_cast<double>(carrier.sign) * a[j] / carrier.sigma;
  } else {
    for (std::int64_t i = 0; i < context.whitening.rank(); ++i)
      for (std::size_t j = 0; j < reading.size(); ++j)
        reading[j] += finding.direction.whitened[static_cast<std::size_t>(i)] *
                      context.whitening.to_white(i, static_cast<std::int64_t>(j));
  }
  std::vector<double> values(labels.size(), 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = w.row_span(static_cast<std::int64_t>(i));
    const auto mean = context.whitening.class_means.row_span(labels[i]);
    for (std::size_t j = 0; j < reading.size(); ++j) values[i] += reading[j] * (static_cast<double>(row[j]) - mean[j]);
  }
  return values;
}

/// Everything that is searched at once.
struct SearchPlan {
  std::vector<StartLatent> starts;  ///< the start latents, then the centres
  std::vector<SuccessCentre> centres;
  std::vector<Answer> at_centres;
  std::vector<DistanceSearch> searches;
  std::vector<SearchGroup> groups;
};

/// p(y) and outcome of the centres themselves.
inline void judge_centres(const Problem& problem, SearchPlan& plan) {
  std::vector<EditedLatent> unmoved;
  for (const SuccessCentre& centre : plan.centres) unmoved.push_back({{centre.w, centre.label}});
  for (const auto& answers : answers_to(problem.answer_edits, unmoved)) plan.at_centres.push_back(answers.front());
}

/// Lays out the searches of one finding or carrier; `offset` is the number of the first centre among the starts.
inline void add_group(const FindingContext& context, SearchPlan& plan, Finding& finding, bool alone,
                      const StartCodes& pool, std::span<const std::size_t> numbers, std::size_t offset) {
  SearchGroup group{&finding, alone, plan.searches.size(), numbers.size(), 0, {}};
  Edit edit;
  if (alone) {
    const Carrier& carrier = finding.carriers.front();
    edit = Edit::of_channel(carrier.channel.flat, static_cast<double>(carrier.sign) * carrier.sigma);
  } else {
    edit = Edit::in_w(finding.direction.w);
  }
  const auto add = [&](std::span<const float> w, std::int64_t label, std::size_t number, double probability,
                       bool failed) {
    plan.searches.emplace_back(EditPath{{w, label}, edit}, probability, failed).start_number = number;
  };
  Matrix<float> w(static_cast<std::int64_t>(numbers.size()), context.whitening.dimension());
  std::vector<std::int64_t> labels;
  for (const std::size_t number : numbers) {
    const StartCode& code = pool[number];
    std::copy(code.w.begin(), code.w.end(), w.row_span(static_cast<std::int64_t>(labels.size())).begin());
    labels.push_back(code.label);
    add(code.w, code.label, number, code.probability, false);
  }
  const auto coordinates = line_coordinates(context, finding, alone, w, labels);
  for (std::size_t i = 0; i < numbers.size(); ++i) plan.searches[group.first + i].coordinate0 = coordinates[i];
  for (std::size_t c = 0; c < plan.centres.size(); ++c) {
    const SuccessCentre& centre = plan.centres[c];
    if (finding.direction.class_label && centre.label != *finding.direction.class_label) continue;
    add(centre.w, centre.label, offset + c, plan.at_centres[c].probability, plan.at_centres[c].failed);
    ++group.centres;
  }
  const Population& half = context.problem.confirmation;
  group.range = CoordinateRange(line_coordinates(context, finding, alone, half.w, half.label));
  plan.groups.push_back(std::move(group));
}

/// The paper's search from the centres, whose grid has been at 5 and 10 already.
inline void search_as_the_paper(const Problem& problem, std::span<DistanceSearch* const> from_centres) {
  std::vector<PaperSearch> searches;
  for (const DistanceSearch* search : from_centres)
    searches.push_back(
        {search->path, search->probability0, search->grid[3].front().probability, search->grid[7].front().probability});
  paper_search(problem.answer_edits, searches);
  for (std::size_t i = 0; i < searches.size(); ++i) from_centres[i]->paper = searches[i].sigmas;
}

/// Examples spread over the distances, and over the labels where there is a choice; start latents that never flip only
/// fill up.
[[nodiscard]] inline std::vector<std::size_t> choose_examples(std::span<const DistanceSearch> searches) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < searches.size(); ++i)
    if (searches[i].flip().crossed()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return searches[a].flip().far_end() < searches[b].flip().far_end();
  });
  for (std::size_t i = 0; i < searches.size() && order.size() < examples_per_finding; ++i)
    if (!searches[i].flip().crossed()) order.push_back(i);
  std::vector<std::size_t> chosen;
  std::map<std::int64_t, int> used;
  const std::size_t wanted = std::min(examples_per_finding, order.size());
  for (std::size_t k = 0; k < wanted; ++k) {
    const std::size_t first = order.size() * k / wanted, last = order.size() * (k + 1) / wanted;
    const auto pick =
        *std::min_element(order.begin() + static_cast<std::ptrdiff_t>(first),
                          order.begin() + static_cast<std::ptrdiff_t>(last), [&](std::size_t a, std::size_t b) {
                            return used[searches[a].path.start.label] < used[searches[b].path.start.label];
                          });
    ++used[searches[pick].path.start.label];
    chosen.push_back(pick);
  }
  return chosen;
}

[[nodiscard]] inline Threshold summarise(const SearchGroup& group, std::span<DistanceSearch> searches) {
  Threshold threshold;
  threshold.half = summarise_crossings(group.of_latents(searches), false, group.range);
  threshold.flip = summarise_crossings(group.of_latents(searches), true, group.range);
  for (const DistanceSearch& search : group.of_centres(searches)) {
    CentreDistance centre{search.path.start.label, search.probability0, {}, {}, search.paper};
    if (!search.starts_above_half()) centre.half = 0.0;
    else if (search.half().crossed()) centre.half = search.half().far_end();
    if (search.failed0) centre.flip = 0.0;
    else if (search.flip().crossed()) centre.flip = search.flip().far_end();
    threshold.centres.push_back(centre);
  }
  return threshold;
}

inline void measure_thresholds(const FindingContext& context, std::span<Finding> findings, ThresholdScope scope) {
  if (findings.empty()) return;
  const Problem& problem = context.problem;
  for (const Finding& finding : findings) {
    if (static_cast<std::int64_t>(finding.direction.w.size()) != context.whitening.dimension() ||
        static_cast<std::int64_t>(finding.direction.whitened.size()) != context.whitening.rank())
      throw Error(ErrorCode::shape_mismatch, "measure_thresholds",
                  "direction \"" + finding.direction.name + "\" has " + std::to_string(finding.direction.w.size()) +
                      " and " + std::to_string(finding.direction.whitened.size()) + " coordinates, expected " +
                      std::to_string(context.whitening.dimension()) + " in w and " +
                      std::to_string(context.whitening.rank()) + " whitened");
  }
  constexpr std::int64_t steps = refinement_limit + 5;
  std::int64_t done = 0;
  const std::function<void()> step_done = [&] {
    ++done;
    if (context.options.progress) context.options.progress({"distances to failure", done, steps});
  };

  StartCodes pool(problem, context.options);
  // Drawn before anything points at them
  for (const Finding& finding : findings) (void)pool.of(finding.direction.class_label);
  SearchPlan plan;
  if (scope == ThresholdScope::full && context.options.centre_distances) plan.centres = success_centres(problem);
  judge_centres(problem, plan);
  for (std::size_t i = 0; i < pool.size(); ++i) plan.starts.push_back({pool[i].w, pool[i].label});
  for (const SuccessCentre& centre : plan.centres) plan.starts.push_back({centre.w, centre.label});
  for (Finding& finding : findings) {
    const auto& numbers = pool.of(finding.direction.class_label);
    add_group(context, plan, finding, false, pool, numbers, pool.size());
    if (!finding.carriers.empty() && finding.carriers.front().sigma > 0.0)
      add_group(context, plan, finding, true, pool, numbers, pool.size());
  }
  step_done();

  const std::span<DistanceSearch> searches = plan.searches;
  if (scope == ThresholdScope::flip_only)
    for (DistanceSearch& one : searches) one.start[0] = 0.0;
  search_boundaries(problem.answer_edits, pointers_to(searches), distance_rules(), step_done);
  while (done < refinement_limit + 2) step_done();  // fewer rounds where nothing flips
  std::vector<DistanceSearch*> from_centres, judged, others;
  for (const SearchGroup& group : plan.groups) {
    for (DistanceSearch& one : group.of_centres(searches)) from_centres.push_back(&one);
    for (DistanceSearch& one : group.of_latents(searches)) (group.alone ? others : judged).push_back(&one);
  }
  others.insert(others.end(), from_centres.begin(), from_centres.end());
  search_as_the_paper(problem, from_centres);
  step_done();
  const detail::StartImages images = detail::start_images(problem, plan.starts, searches);
  detail::check_failing_images(problem, judged, images, problem.has_judge);
  detail::check_failing_images(problem, others, images, false);
  step_done();

  std::vector<std::vector<std::size_t>> examples;  // of each group
  std::vector<DistanceSearch*> listed;
  for (const SearchGroup& group : plan.groups) {
    const bool lists = scope == ThresholdScope::full && !group.alone;
    examples.push_back(lists ? choose_examples(group.of_latents(searches)) : std::vector<std::size_t>());
    for (const std::size_t i : examples.back()) listed.push_back(&group.of_latents(searches)[i]);
  }
  detail::check_alone(problem, listed);

  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const SearchGroup& group = plan.groups[g];
    Finding& finding = *group.finding;
    if (group.alone) {
      finding.carriers.front().threshold = summarise(group, searches);
      continue;
    }
    const std::span<DistanceSearch> own = group.of_latents(searches);
    finding.examples.clear();
    for (const std::size_t i : examples[g]) {
      const StartCode& code = pool[own[i].start_number];
      finding.examples.push_back({code.index, code.label, code.probability,
                                  own[i].flip().crossed() ? std::optional(own[i].flip().far_end()) : std::nullopt});
    }
    finding.threshold = summarise(group, searches);
    if (scope == ThresholdScope::flip_only) finding.threshold.half.reset();
    std::vector<std::uint8_t> agrees;
    for (const DistanceSearch& one : own)
      if (one.flip().crossed() && one.flip_image.judge_agrees) agrees.push_back(*one.flip_image.judge_agrees ? 1 : 0);
    finding.validity = validity_of(agrees);
  }
  step_done();
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
