// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/joint_shift.hpp.

#include <faultline/analysis/distance/joint_shift.hpp>

#include <faultline/analysis/problem/valid_failures.hpp>
#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Shifts of both causes, in standard deviations of each.
using Shifts = std::array<double, 2>;

/// One start latent whose shifts are being made smaller.
struct ShrinkingShift {
  StartLatent start;
  Shifts shifts = {};
  bool open = true;  ///< whether a smaller one may still be found; not for one that a single cause is enough for

  [[nodiscard]] bool needs_both() const noexcept { return shifts[0] > 0.0 && shifts[1] > 0.0; }
};

/// What may be tried next, the larger saving first: one shift dropped, or halved.
[[nodiscard]] inline std::vector<Shifts> smaller_shifts(const Shifts& now) {
  const bool first_is_larger = now[0] >= now[1];
  std::vector<Shifts> trials;
  for (const double factor : {0.0, 0.5})
    for (const bool larger : {true, false}) {
      const std::size_t which = first_is_larger == larger ? 0 : 1;
      if (factor == 0.5 && now[which] <= crossing_tolerance) continue;
      Shifts trial = now;
      trial[which] *= factor;
      trials.push_back(trial);
    }
  return trials;
}

class JointEdits {
 public:
  JointEdits(const Finding& first, const Finding& second) : first_(first.direction.w), second_(second.direction.w) {}
  [[nodiscard]] EditedLatent at(const StartLatent& start, const Shifts& shifts) const { return {start, along(shifts)}; }
  [[nodiscard]] Edit both() const { return along({1.0, 1.0}); }

 private:
  [[nodiscard]] Edit along(const Shifts& shifts) const {
    std::vector<double> sum(first_.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = shifts[0] * first_[i] + shifts[1] * second_[i];
    return Edit::in_w(sum);
  }
  std::vector<double> first_, second_;
};

/// Drops and halves shifts while the image still fails and is still valid, all latents side by side; one round asks for
/// every smaller shift, and takes the first that holds.
inline void shrink(const Problem& problem, const JointEdits& joint, std::vector<ShrinkingShift>& all) {
  constexpr int rounds = 24;  // two shifts of at most 10 halve ten times each until they are below the tolerance
  for (int round = 0; round < rounds; ++round) {
    std::vector<EditedLatent> edits;
    std::vector<std::pair<ShrinkingShift*, Shifts>> trials;
    for (ShrinkingShift& one : all)
      if (one.open)
        for (const Shifts& trial : smaller_shifts(one.shifts)) {
          trials.emplace_back(&one, trial);
          edits.push_back(joint.at(one.start, trial));
        }
    if (edits.empty()) return;
    const ValidFailures answers = answer_valid(problem, edits);
    for (std::size_t i = 0; i < trials.size();) {
      ShrinkingShift& one = *trials[i].first;
      one.open = false;
      for (; i < trials.size() && trials[i].first == &one; ++i)
        if (!one.open && answers.failed[i] != 0.0) {
          one.shifts = trials[i].second;
          one.open = true;
        }
      one.open = one.open && one.needs_both();
    }
  }
}

}  // namespace detail

FAULTLINE_INLINE std::optional<JointShift> joint_shift(const FindingContext& context, const Finding& first,
                                                       const Finding& second) {
  const auto &a = first.direction, &b = second.direction;
  if (a.w.empty() || b.w.empty() || (a.class_label && b.class_label && *a.class_label != *b.class_label))
    return std::nullopt;
  const Problem& problem = context.problem;
  StartLatents pool(problem, context.options);
  const std::vector<std::size_t>& numbers = pool.of(a.class_label ? a.class_label : b.class_label);
  const detail::JointEdits joint(first, second);
  std::vector<BoundarySearch> searches;
  const Edit both = joint.both();
  for (const std::size_t number : numbers) searches.push_back(flip_search({pool[number].w, pool[number].label}, both));
  search_boundaries(problem.answer_edits, pointers_to(searches), distance_rules());

  std::vector<detail::ShrinkingShift> all;
  std::vector<EditedLatent> flips;
  for (const BoundarySearch& search : searches) {
    if (!search.found[0].crossed()) continue;
    const double t = search.found[0].far_end();
    all.push_back({search.path.start, {t, t}});
    flips.push_back(joint.at(search.path.start, all.back().shifts));
  }
  const auto keep_failing = [&](const std::vector<double>& failed) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (failed[i] != 0.0) all[kept++] = all[i];
    all.resize(kept);
  };
  keep_failing(answer_valid(problem, flips).failed);
  detail::shrink(problem, joint, all);
  flips.clear();
  for (const detail::ShrinkingShift& one : all) flips.push_back(joint.at(one.start, one.shifts));
  std::vector<double> alone;
  answer_in_blocks(problem, flips, {.alone = true}, [&](std::size_t, const EditAnswers& answers) {
    for (const auto failed : answers.first().failed) alone.push_back(failed != 0 ? 1.0 : 0.0);
  });
  keep_failing(alone);

  JointShift result{.latents = static_cast<std::int64_t>(numbers.size()),
                    .failed = static_cast<std::int64_t>(all.size())};
  std::array<std::vector<double>, 2> shifts;
  for (const detail::ShrinkingShift& one : all) {
    if (!one.needs_both()) continue;
    ++result.need_both;
    for (const std::size_t k : {0u, 1u}) shifts[k].push_back(one.shifts[k]);
  }
  if (result.need_both > 0) {
    result.first = statistics::median(shifts[0]);
    result.second = statistics::median(shifts[1]);
  }
  return result;
}

FAULTLINE_INLINE void measure_joint_shifts(const FindingContext& context, std::span<const Finding> causes,
                                           std::span<InteractionFinding> interactions) {
  const auto cause = [&](const std::string& title) {
    return std::find_if(causes.begin(), causes.end(), [&](const Finding& finding) { return finding.title == title; });
  };
  for (InteractionFinding& interaction : interactions) {
    const auto first = cause(interaction.first), second = cause(interaction.second);
    if (first != causes.end() && second != causes.end() && first != second)
      interaction.joint = joint_shift(context, *first, *second);
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
