// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/moved_gates.hpp.

#include <faultline/testing/moved_gates.hpp>

#include <faultline/analysis/conditions/condition_sample.hpp>
#include <faultline/analysis/confirm/condition_moves.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/whitening.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

inline constexpr double farthest_move = 10.0, distance_step = 0.25;  // standard deviations

/// The way a property is moved, and where it stands among those that are measured.
struct PropertyMove {
  std::size_t column = 0;
  std::optional<analysis::Edit> edit = std::nullopt;  ///< one standard deviation towards the policy's side
  std::string why_not = {};                           ///< where there is none
};

/// Fits the move of the policy's property to samples of the discovery split.
template <class Policy>
[[nodiscard]] PropertyMove fit_move(const Problem& problem, const Policy& policy) {
  PropertyMove move;
  const auto& names = problem.property_names;
  const auto at = std::ranges::find(names, policy.property);
  if (at == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::invalid_argument, "gate",
                "property \"" + policy.property + "\" is not measured; there are " + known);
  }
  move.column = static_cast<std::size_t>(at - names.begin());
  const Population population = problem.sample(core::discovery_first, policy.direction_samples);
  const statistics::Whitening whitening = statistics::fit_whitening(population.w, population.label, problem.classes);
  const analysis::PropertyReadings readings =
      analysis::read_properties(statistics::whiten(whitening, population.w, population.label), population.properties,
                                population.label, problem.classes);
  const std::vector<analysis::Direction> directions = analysis::property_directions(problem, whitening, readings);
  const auto own = std::ranges::find(directions, policy.property, &analysis::Direction::name);
  if (own != directions.end()) {
    move.edit = analysis::Edit::in_w(own->w, policy.towards == Towards::more ? 1.0 : -1.0);
  } else {
    const double share = readings.r_squared[move.column];
    move.why_not = share < analysis::least_reading
                       ? "the latents explain " + percent(std::max(share, 0.0)) + " of how it varies within classes"
                       : "it does not move while the other properties are held";
  }
  return move;
}

/// A sample moved by so many standard deviations.
[[nodiscard]] inline analysis::EditedLatent moved(const Population& samples, std::size_t i, const analysis::Edit& edit,
                                                  double deviations) {
  return {{samples.w.row_span(static_cast<std::int64_t>(i)), samples.label[i]}, edit.at(edit.amount() * deviations)};
}

/// Samples in blocks of two batches, each started at a multiple of it, until `known()` or the budget ends.
template <class Policy, class Add, class Known>
std::int64_t draw_blocks(const Problem& problem, const Policy& policy, const Add& add, const Known& known) {
  const std::int64_t budget = budget_of(policy), block = 2 * policy.batch_size;
  std::int64_t drawn = 0;
  while (drawn < budget && !known()) {
    const Population samples = problem.sample(core::gate_first + drawn, std::min(block, budget - drawn));
    add(samples);
    drawn += samples.size();
  }
  return drawn;
}

/// Whether the answer to an edit is a failure on a valid image.
[[nodiscard]] inline bool fails_validly(const analysis::EditAnswers& answers, std::size_t row) {
  return answers.first().failed[row] != 0 && (answers.judge_agrees.empty() || answers.judge_agrees[row] != 0);
}
[[nodiscard]] inline bool fails_validly(const Population& samples, std::size_t i) {
  return samples.failed[i] != 0 && samples.is_valid(i);
}

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

template <class Policy>
void check_move(const Policy& policy, double amount, const std::string& name) {
  if (!(amount > 0.0 && std::isfinite(amount)))
    throw Error(ErrorCode::invalid_argument, "gate", name + " must be finite and above 0, got " + number_text(amount));
  core::require_in("gate", "direction_samples", policy.direction_samples, 64, limits::samples);
  core::require_in("gate", "batch_size", policy.batch_size, 1, limits::batch);
}
inline void check_deviations(double amount, const std::string& name) {
  if (amount > farthest_move)
    throw Error(ErrorCode::invalid_argument, "gate",
                name + " must be at most " + number_text(farthest_move) +
                    " standard deviations, where no image of the generator is any more, got " + number_text(amount));
}

template <class Policy>
void replay_move(analysis::ReplayText& text, const Policy& policy) {
  const Policy standard;
  text.add("property", "\"" + policy.property + "\"");
  if (policy.towards == Towards::less) text.add("towards", std::string("fl::testing::Towards::less"));
  text.add("confidence", number_text(policy.confidence));
  add_sampling(text, policy);
  if (policy.direction_samples != standard.direction_samples) text.add("direction_samples", policy.direction_samples);
  if (policy.judge)
    text.add("judge", "fl::AnyClassifier(" + text.model("judge", policy.judge->name(), policy.judge->digest()) + ")");
}

/// "more blur", "less blur"
template <class Policy>
[[nodiscard]] std::string move_name(const Policy& policy) {
  return (policy.towards == Towards::more ? "more " : "less ") + policy.property;
}

[[nodiscard]] inline std::string deviations_text(double amount) {
  return rounded_text(amount, 3) + (amount == 1.0 ? " standard deviation" : " standard deviations");
}

/// "1.5 px", "2 standard deviations"
[[nodiscard]] inline std::string distance_text(const DistanceAtLeast& policy) {
  if (policy.unit == MoveUnit::standard_deviations) return deviations_text(policy.distance);
  const auto own = std::ranges::find(policy.properties, policy.property, &Property::name);
  return number_text(policy.distance) + (own == policy.properties.end() || own->unit.empty() ? "" : " " + own->unit);
}

/// Everything but the verdict that gates of this kind fill in alike.
template <class Policy>
[[nodiscard]] GateFindings moved_findings(const Policy& policy, const char* name) {
  GateFindings found;
  found.policy = name;
  found.confidence = policy.confidence;
  found.mode = mode_of(policy);
  found.allow_undecided = policy.allow_undecided;
  return found;
}

template <class Policy>
[[nodiscard]] GateResult finish_moved(GateFindings found, const Policy& policy, Provenance run, std::string replay) {
  run.samples_per_split = found.samples;
  if (policy.judge) {
    found.notes.push_back("Failures on images that the judge cannot read were not counted.");
    run.judge_name = policy.judge->name();
    run.judge_digest = policy.judge->digest();
  }
  found.replay = std::move(replay);
  found.run = std::move(run);
  return GateResult(std::move(found));
}

template <class Policy>
[[nodiscard]] GateResult cannot_move(GateFindings found, const Policy& policy, const PropertyMove& move, double bound,
                                     Provenance run, std::string replay) {
  found.headline = "this generator cannot move " + policy.property + " by itself.";
  GateStatement statement{.name = move_name(policy), .bound = bound};
  statement.text = "Of " + std::to_string(policy.direction_samples) + " samples, " + move.why_not + ".";
  statement.interval = {0.0, 1.0};
  found.statements.push_back(std::move(statement));
  found.advice =
      "Bound the failure rate where " + policy.property + " is high or low instead: FailureRateBelow with a range.";
  return finish_moved(std::move(found), policy, std::move(run), std::move(replay));
}

/// Moves a block of samples in steps of standard deviations up to the policy's distance.
[[nodiscard]] inline std::vector<Reached> move_by_deviations(const Problem& problem, const DistanceAtLeast& policy,
                                                             const PropertyMove& move, const Population& samples) {
  std::vector<Reached> reached(static_cast<std::size_t>(samples.size()), Reached::holds);
  std::vector<std::size_t> open = sound_samples(samples, reached);
  const auto steps = static_cast<std::int64_t>(std::ceil(policy.distance / distance_step - 1e-9));
  for (std::int64_t step = 1; step <= steps && !open.empty(); ++step) {
    std::vector<analysis::EditedLatent> edits;
    for (const std::size_t i : open)
      edits.push_back(
          moved(samples, i, *move.edit, std::min(policy.distance, static_cast<double>(step) * distance_step)));
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
                                                           const PropertyMove& move, const Population& samples) {
  std::vector<Reached> reached(static_cast<std::size_t>(samples.size()), Reached::not_so_far);
  std::vector<std::size_t> open = sound_samples(samples, reached);
  std::vector<double> before(reached.size(), 0.0);  // what the property had changed by at the last step
  const double side = policy.towards == Towards::more ? 1.0 : -1.0;
  const auto column = static_cast<std::int64_t>(move.column);
  const auto steps = static_cast<std::int64_t>(std::lround(farthest_move / distance_step));
  for (std::int64_t step = 1; step <= steps && !open.empty(); ++step) {
    const double amount = static_cast<double>(step) * distance_step;
    std::vector<analysis::EditedLatent> edits;
    for (const std::size_t i : open) edits.push_back(moved(samples, i, *move.edit, amount));
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
              last.push_back(moved(samples, i, *move.edit, amount - back * distance_step));
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
  check_move(policy, policy.distance, "distance");
  if (policy.unit == MoveUnit::standard_deviations) check_deviations(policy.distance, "distance");
  core::require_between("gate", "share", policy.share, 0.0, 1.0);
  check_rate_policy(policy, boundary_of(1.0 - policy.share, policy.confidence)->next_look(0));
}

FAULTLINE_INLINE void check_moved_policy(const FailureRateAlongBelow& policy) {
  check_move(policy, policy.shift, "shift");
  check_deviations(policy.shift, "shift");
  core::require_in("gate", "steps", policy.steps, 1, 100);
  check_rate_policy(policy, boundary_of(policy.bound, policy.confidence)->next_look(0));
}

FAULTLINE_INLINE GateResult moved_gate(const Problem& problem, const DistanceAtLeast& policy, Provenance run) {
  const PropertyMove move = fit_move(problem, policy);
  analysis::ReplayText text;
  begin_replay(text, run, "DistanceAtLeast");
  replay_move(text, policy);
  text.add("distance", number_text(policy.distance));
  if (policy.unit == MoveUnit::property) text.add("unit", std::string("fl::testing::MoveUnit::property"));
  text.add("share", number_text(policy.share));
  add_mode(text, policy);
  std::string replay = end_replay(text, run);
  const double allowed = 1.0 - policy.share;
  GateFindings found = moved_findings(policy, "DistanceAtLeast");
  if (!move.edit) return cannot_move(std::move(found), policy, move, allowed, std::move(run), std::move(replay));

  const auto boundary = boundary_of(allowed, policy.confidence);
  const double needed = evidence_to_fail(policy.gates, policy.confidence);
  WatchedRate at_least(boundary, needed), at_most(boundary, needed);  // those that fail; and those not moved so far too
  std::int64_t too_near = 0, not_so_far = 0;
  const auto known = [&] { return at_least.failed() || at_most.passed(); };
  found.samples = draw_blocks(
      problem, policy,
      [&](const Population& samples) {
        const auto move_block = policy.unit == MoveUnit::property ? move_by_property : move_by_deviations;
        for (const Reached reached : move_block(problem, policy, move, samples)) {
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
      "at least " + wanted + " of the samples withstand " + move_name(policy) + " by " + distance;
  switch (found.verdict) {
    case GateVerdict::pass: found.headline = stated + "."; break;
    case GateVerdict::fail:
      found.headline =
          "fewer than " + wanted + " of the samples withstand " + move_name(policy) + " by " + distance + ".";
      break;
    case GateVerdict::undecided:
      found.headline = std::to_string(counted) + " samples do not show whether " + stated + ".";
      break;
  }
  GateStatement statement{
      .name = move_name(policy), .verdict = found.verdict, .samples = counted, .failures = too_near};
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

FAULTLINE_INLINE GateResult moved_gate(const Problem& problem, const FailureRateAlongBelow& policy, Provenance run) {
  const PropertyMove move = fit_move(problem, policy);
  analysis::ReplayText text;
  begin_replay(text, run, "FailureRateAlongBelow");
  replay_move(text, policy);
  text.add("shift", number_text(policy.shift));
  text.add("steps", policy.steps);
  text.add("bound", number_text(policy.bound));
  add_mode(text, policy);
  std::string replay = end_replay(text, run);
  GateFindings found = moved_findings(policy, "FailureRateAlongBelow");
  if (!move.edit) return cannot_move(std::move(found), policy, move, policy.bound, std::move(run), std::move(replay));

  const auto boundary = boundary_of(policy.bound, policy.confidence);
  std::vector<WatchedRate> rates(
      static_cast<std::size_t>(policy.steps) + 1,
      WatchedRate(boundary, evidence_to_fail((policy.steps + 1) * policy.gates, policy.confidence)));
  const auto amount_of = [&](std::size_t step) {
    return policy.shift * static_cast<double>(step) / static_cast<double>(policy.steps);
  };
  const auto known = [&] {
    return std::ranges::any_of(rates, &WatchedRate::failed) || std::ranges::all_of(rates, &WatchedRate::passed);
  };
  found.samples = draw_blocks(
      problem, policy,
      [&](const Population& samples) {
        found.failures += samples.failures();
        const auto count = static_cast<std::size_t>(samples.size());
        for (std::size_t step = 0; step < rates.size(); ++step) {
          WatchedRate& rate = rates[step];
          if (rate.known()) continue;
          if (step == 0) {
            for (std::size_t i = 0; i < count; ++i) rate.add(fails_validly(samples, i));
            continue;
          }
          std::vector<analysis::EditedLatent> edits;
          for (std::size_t i = 0; i < count; ++i) edits.push_back(moved(samples, i, *move.edit, amount_of(step)));
          analysis::answer_in_blocks(problem, edits, {.judge = problem.has_judge},
                                     [&](std::size_t, const analysis::EditAnswers& answers) {
                                       for (std::size_t row = 0; row < answers.first().failed.size(); ++row)
                                         rate.add(fails_validly(answers, row));
                                     });
        }
      },
      known);
  std::int64_t passed = 0, failed = 0;
  for (std::size_t step = 0; step < rates.size(); ++step) {
    WatchedRate& rate = rates[step];
    rate.finish();
    const statistics::RateMonitor& monitor = rate.monitor();
    GateStatement statement;
    statement.name = step == 0 ? "unmoved" : move_name(policy) + " by " + deviations_text(amount_of(step));
    statement.verdict = rate.verdict();
    statement.samples = monitor.samples();
    statement.failures = monitor.failures();
    statement.estimate =
        monitor.samples() == 0 ? 0.0 : static_cast<double>(monitor.failures()) / static_cast<double>(monitor.samples());
    statement.interval = monitor.interval();
    statement.bound = policy.bound;
    statement.evidence_against = rate.evidence();
    statement.text = rate_text("samples", monitor.failures(), monitor.samples(), policy.confidence, statement.interval,
                               "failure rate") +
                     " The bound is " + number_text(policy.bound) + ".";
    passed += rate.passed() ? 1 : 0;
    failed += rate.failed() ? 1 : 0;
    found.statements.push_back(std::move(statement));
  }
  const std::string far = move_name(policy) + " by up to " + deviations_text(policy.shift);
  if (failed > 0) {
    found.verdict = GateVerdict::fail;
    found.headline = "with " + far + " the failure rate does not stay below " + number_text(policy.bound) + ".";
  } else if (passed == static_cast<std::int64_t>(rates.size())) {
    found.verdict = GateVerdict::pass;
    found.headline = "with " + far + " the failure rate stays below " + number_text(policy.bound) + ".";
  } else {
    found.headline = std::to_string(found.samples) + " samples do not show whether with " + far +
                     " the failure rate stays below " + number_text(policy.bound) + ".";
    found.advice = "Raise max_samples.";
  }
  return finish_moved(std::move(found), policy, std::move(run), std::move(replay));
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
