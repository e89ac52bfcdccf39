// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Samples that are moved along a property: what both gates on them share.

#include <faultline/testing/moved_gates.hpp>

#include <faultline/analysis/conditions/condition_sample.hpp>
#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/whitening.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

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

inline constexpr double farthest_edit = 10.0;  // standard deviations

/// The way a property is moved, and its place among those that are measured.
struct PropertyEdit {
  std::size_t column = 0;
  std::optional<analysis::Edit> edit = std::nullopt;  ///< one standard deviation towards the policy's side
  std::string why_not = {};                           ///< where there is none
};

/// Fits the edit of the policy's property to samples of the discovery split.
template <class Policy>
[[nodiscard]] PropertyEdit fit_edit(const Problem& problem, const Policy& policy) {
  PropertyEdit fitted;
  const auto& names = problem.property_names;
  const auto at = std::ranges::find(names, policy.property);
  if (at == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::invalid_argument, "gate",
                "property \"" + policy.property + "\" is not measured; there are " + known);
  }
  fitted.column = static_cast<std::size_t>(at - names.begin());
  const Population population = problem.sample(core::discovery_first, policy.direction_samples);
  const statistics::Whitening whitening = statistics::fit_whitening(population.w, population.label, problem.classes);
  const analysis::ReadingVectors reading_vectors =
      analysis::fit_reading_vectors(statistics::whiten(whitening, population.w, population.label),
                                    population.properties, population.label, problem.classes);
  const std::vector<analysis::Direction> directions =
      analysis::property_directions(problem, whitening, reading_vectors);
  const auto own = std::ranges::find(directions, policy.property, &analysis::Direction::name);
  if (own != directions.end()) {
    fitted.edit = analysis::Edit::in_w(own->w, policy.towards == Towards::more ? 1.0 : -1.0);
  } else {
    const double share = reading_vectors.r_squared[fitted.column];
    fitted.why_not = share < analysis::least_r_squared
                         ? "the latents explain " + percent(std::max(share, 0.0)) + " of how it varies within classes"
                         : "it does not move while the other properties are held";
  }
  return fitted;
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

template <class Policy>
void check_edit(const Policy& policy, double amount, const std::string& name) {
  if (!(amount > 0.0 && std::isfinite(amount)))
    throw Error(ErrorCode::invalid_argument, "gate", name + " must be finite and above 0, got " + number_text(amount));
  core::require_in("gate", "direction_samples", policy.direction_samples, 64, limits::samples);
  core::require_in("gate", "batch_size", policy.batch_size, 1, limits::batch);
}
inline void check_deviations(double amount, const std::string& name) {
  if (amount > farthest_edit)
    throw Error(ErrorCode::invalid_argument, "gate",
                name + " must be at most " + number_text(farthest_edit) +
                    " standard deviations, where no image of the generator is any more, got " + number_text(amount));
}

/// What of a list is not as `default_properties()` has it: ", \"hue\" of your own", ", without \"slant\"".
[[nodiscard]] inline std::string own_properties(const std::vector<Property>& properties) {
  const std::vector<Property> standard = default_properties();
  std::string text;
  for (const Property& property : properties)
    if (std::ranges::find(standard, property.name, &Property::name) == standard.end())
      text += ", \"" + property.name + "\" of your own";
  for (const Property& property : standard)
    if (std::ranges::find(properties, property.name, &Property::name) == properties.end())
      text += ", without \"" + property.name + "\"";
  return text;
}

template <class Policy>
void replay_edit(analysis::ReplayText& text, const Policy& policy) {
  const Policy standard;
  text.add("property", "\"" + policy.property + "\"");
  if (policy.towards == Towards::less) text.add("towards", std::string("fl::testing::Towards::less"));
  text.add("confidence", number_text(policy.confidence));
  add_sampling(text, policy);
  if (const auto own = own_properties(policy.properties); !own.empty()) {
    text.add("properties", std::string("properties"));
    text.supply("properties" + own);
  }
  if (policy.direction_samples != standard.direction_samples) text.add("direction_samples", policy.direction_samples);
  if (policy.judge)
    text.add("judge", "fl::AnyClassifier(" + text.model("judge", policy.judge->name(), policy.judge->digest()) + ")");
}

/// "more blur", "less blur"
template <class Policy>
[[nodiscard]] std::string edit_name(const Policy& policy) {
  return (policy.towards == Towards::more ? "more " : "less ") + policy.property;
}

[[nodiscard]] inline std::string deviations_text(double amount) {
  return rounded_text(amount, 3) + (amount == 1.0 ? " standard deviation" : " standard deviations");
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
[[nodiscard]] GateResult cannot_move(GateFindings found, const Policy& policy, const PropertyEdit& fitted, double bound,
                                     Provenance run, std::string replay) {
  found.headline = "this generator cannot move " + policy.property + " by itself.";
  GateStatement statement{.name = edit_name(policy), .bound = bound};
  statement.text = "Of " + std::to_string(policy.direction_samples) + " samples, " + fitted.why_not + ".";
  statement.interval = {0.0, 1.0};
  found.statements.push_back(std::move(statement));
  found.advice =
      "Bound the failure rate where " + policy.property + " is high or low instead: FailureRateBelow with a range.";
  return finish_moved(std::move(found), policy, std::move(run), std::move(replay));
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
