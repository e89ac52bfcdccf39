// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/moved_gates.hpp: how far samples are from failure.

#include <faultline/testing/moved_gates.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/property_edit.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

inline constexpr double distance_step = 0.25;  // standard deviations

/// How far one sample came.
enum class Reached { holds, fails, not_so_far };

/// Positions of the samples that do not fail unmoved; the others have failed.
[[nodiscard]] inline std::vector<std::size_t> sound_samples(const Population& samples, std::vector<Reached>& reached) {
  std::vector<std::size_t> sound;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (fails_validly(samples, i)) reached[i] = Reached::fails;
    else sound.push_back(i);
  }
  return sound;
}

/// "1.5 px", "2 standard deviations"
[[nodiscard]] inline std::string distance_text(const DistanceAtLeast& policy) {
  if (policy.unit == EditUnit::standard_deviations) return deviations_text(policy.distance);
  const auto own = std::ranges::find(policy.properties, policy.property, &Property::name);
  return number_text(policy.distance) + (own == policy.properties.end() || own->unit.empty() ? "" : " " + own->unit);
}

/// Moves a block of samples in steps of standard deviations up to the policy's distance.
[[nodiscard]] inline std::vector<Reached> move_by_deviations(const Problem& problem, const DistanceAtLeast& policy,
                                                             const PropertyEdit& fitted, const Population& samples) {
  std::vector<Reached> reached(static_cast<std::size_t>(samples.size()), Reached::holds);
  std::vector<std::size_t> open = sound_samples(samples, reached);
  const auto steps = static_cast<std::int64_t>(std::ceil(policy.distance / distance_step - 1e-9));
  for (std::int64_t step = 1; step <= steps && !open.empty(); ++step) {
    std::vector<analysis::EditedLatent> edits;
    for (const std::size_t i : open)
      edits.push_back(
          moved(samples, i, *fitted.edit, std::min(policy.distance, static_cast<double>(step) * distance_step)));
    std::vector<std::size_t> still;
    analysis::answer_in_blocks(problem, edits, {.judge = problem.has_judge},
                               [&](std::size_t first, const analysis::EditAnswers& answers) {
                                 for (std::size_t row = 0; row < answers.first().failed.size(); ++row) {
                                   const std::size_t i = open[first + row];
                                   if (fails_validly(answers, row)) reached[i] = Reached::fails;
                                   else still.push_back(i);
                                 }
                               });
    open = std::move(still);
  }
  return reached;
}

/// Moves a block of samples until the property of each has changed by the policy's distance: in the same steps, and
/// then back, by linear interpolation, to where it has changed by just that.
[[nodiscard]] inline std::vector<Reached> move_by_property(const Problem& problem, const DistanceAtLeast& policy,
                                                           const PropertyEdit& fitted, const Population& samples) {
  std::vector<Reached> reached(static_cast<std::size_t>(samples.size()), Reached::not_so_far);
  std::vector<std::size_t> open = sound_samples(samples, reached);
  std::vector<double> before(reached.size(), 0.0);  // what the property had changed by at the last step
  const double side = policy.towards == Towards::more ? 1.0 : -1.0;
  const auto column = static_cast<std::int64_t>(fitted.column);
  const auto steps = static_cast<std::int64_t>(std::lround(farthest_edit / distance_step));
  for (std::int64_t step = 1; step <= steps && !open.empty(); ++step) {
    const double amount = static_cast<double>(step) * distance_step;
    std::vector<analysis::EditedLatent> edits;
    for (const std::size_t i : open) edits.push_back(moved(samples, i, *fitted.edit, amount));
    std::vector<std::size_t> still, arrived;
    std::vector<analysis::EditedLatent> last;
    analysis::answer_in_blocks(
        problem, edits, {.properties = true, .judge = problem.has_judge},
        [&](std::size_t first, const analysis::EditAnswers& answers) {
          for (std::size_t row = 0; row < answers.first().failed.size(); ++row) {
            const std::size_t i = open[first + row];
            const double changed =
                side * (static_cast<double>(answers.properties(static_cast<std::int64_t>(row), column)) -
                        static_cast<double>(samples.properties(static_cast<std::int64_t>(i), column)));
            if (changed >= policy.distance) {
              const double back = (changed - policy.distance) / (changed - before[i]);
              arrived.push_back(i);
              last.push_back(moved(samples, i, *fitted.edit, amount - back * distance_step));
            } else if (fails_validly(answers, row)) {
              reached[i] = Reached::fails;
            } else {
              before[i] = changed;
              still.push_back(i);
            }
          }
        });
    analysis::answer_in_blocks(
        problem, last, {.judge = problem.has_judge}, [&](std::size_t first, const analysis::EditAnswers& answers) {
          for (std::size_t row = 0; row < answers.first().failed.size(); ++row)
            reached[arrived[first + row]] = fails_validly(answers, row) ? Reached::fails : Reached::holds;
        });
    open = std::move(still);
  }
  return reached;
}

FAULTLINE_INLINE void check_moved_policy(const DistanceAtLeast& policy) {
  check_edit(policy, policy.distance, "distance");
  if (policy.unit == EditUnit::standard_deviations) check_deviations(policy.distance, "distance");
  core::require_between("gate", "share", policy.share, 0.0, 1.0);
  check_rate_policy(policy, boundary_of(1.0 - policy.share, policy.confidence)->next_analysis(0));
}

FAULTLINE_INLINE GateResult moved_gate(const Problem& problem, const DistanceAtLeast& policy, Provenance run) {
  const PropertyEdit fitted = fit_edit(problem, policy);
  analysis::ReplayText text;
  begin_replay(text, run, "DistanceAtLeast");
  replay_edit(text, policy);
  text.add("distance", number_text(policy.distance));
  if (policy.unit == EditUnit::property) text.add("unit", std::string("fl::testing::EditUnit::property"));
  text.add("share", number_text(policy.share));
  add_mode(text, policy);
  std::string replay = end_replay(text, run);
  const double allowed = 1.0 - policy.share;
  GateFindings found = moved_findings(policy, "DistanceAtLeast");
  if (!fitted.edit) return cannot_move(std::move(found), policy, fitted, allowed, std::move(run), std::move(replay));

  const auto boundary = boundary_of(allowed, policy.confidence);
  const double needed = evidence_to_fail(policy.gates, policy.confidence);
  WatchedRate at_least(boundary, needed), at_most(boundary, needed);  // those that fail; and those not moved so far too
  std::int64_t too_near = 0, not_so_far = 0;
  const auto known = [&] { return at_least.failed() || at_most.passed(); };
  found.samples = draw_blocks(
      problem, policy,
      [&](const Population& samples) {
        const auto move_block = policy.unit == EditUnit::property ? move_by_property : move_by_deviations;
        for (const Reached reached : move_block(problem, policy, fitted, samples)) {
          if (known()) break;
          too_near += reached == Reached::fails ? 1 : 0;
          not_so_far += reached == Reached::not_so_far ? 1 : 0;
          at_least.add(reached == Reached::fails);
          at_most.add(reached != Reached::holds);
        }
        found.failures += samples.failures();
      },
      known);
  at_least.finish();
  at_most.finish();
  found.verdict = at_least.failed() ? GateVerdict::fail : at_most.passed() ? GateVerdict::pass : GateVerdict::undecided;
  const std::int64_t counted = at_least.monitor().samples();
  const std::string wanted = percent(policy.share), distance = distance_text(policy);
  const std::string stated =
      "at least " + wanted + " of the samples withstand " + edit_name(policy) + " by " + distance;
  switch (found.verdict) {
    case GateVerdict::pass: found.headline = stated + "."; break;
    case GateVerdict::fail:
      found.headline =
          "fewer than " + wanted + " of the samples withstand " + edit_name(policy) + " by " + distance + ".";
      break;
    case GateVerdict::undecided:
      found.headline = std::to_string(counted) + " samples do not show whether " + stated + ".";
      break;
  }
  GateStatement statement{
      .name = edit_name(policy), .verdict = found.verdict, .samples = counted, .failures = too_near};
  statement.estimate = counted == 0 ? 0.0 : static_cast<double>(too_near) / static_cast<double>(counted);
  statement.interval = {at_least.monitor().interval().lower, at_most.monitor().interval().upper};
  statement.bound = allowed;
  statement.evidence_against = at_least.evidence();
  statement.text = std::to_string(too_near) + " of " + std::to_string(counted) + " samples fail nearer than that (" +
                   percent(statement.estimate) + "); at " + percent(policy.confidence) + " confidence between " +
                   percent(statement.interval.lower) + " and " + percent(statement.interval.upper) + " do, and " +
                   percent(allowed) + " may.";
  if (not_so_far > 0)
    statement.text += " " + std::to_string(not_so_far) + " could not be moved so far and did not fail.";
  found.statements.push_back(std::move(statement));
  if (found.verdict == GateVerdict::undecided)
    found.advice =
        not_so_far > 0 && !at_least.failed() && static_cast<double>(too_near) < allowed * static_cast<double>(counted)
            ? "Ask for a smaller distance, or raise max_samples."
            : "Raise max_samples.";
  return finish_moved(std::move(found), policy, std::move(run), std::move(replay));
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
