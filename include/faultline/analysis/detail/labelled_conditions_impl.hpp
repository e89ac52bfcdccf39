// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/labelled_conditions.hpp.

#include <faultline/analysis/labelled_conditions.hpp>

#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/detail/labelled_condition_parts.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/simultaneous_rates.hpp>
#include <faultline/statistics/within_class_scores.hpp>
#include <faultline/version.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

inline constexpr const char* labelled_where = "find_labelled_conditions";

inline void check_labelled_options(const LabelledConditionOptions& options) {
  const ConditionOptions& own = options.conditions;
  core::require_between(labelled_where, "conditions.alpha", own.alpha, 0.0, 1.0);
  core::require_in(labelled_where, "conditions.least_share", own.least_share, 0.0, 1.0);
  core::require_in(labelled_where, "conditions.permutations", own.permutations, 1, limits::permutations);
  core::require_in(labelled_where, "conditions.half_samples", own.half_samples, 0, limits::permutations);
  check_binning(labelled_where, options.curves);
}

/// What `check_table` does not ask: conditions are named by properties, and a property says of which image it has no
/// number.
inline void check_properties(const LabelledTable& table) {
  std::set<std::string> names;
  for (const std::string& name : table.property_names)
    if (name.empty() || !names.insert(name).second)
      throw Error(ErrorCode::invalid_argument, labelled_where,
                  name.empty() ? std::string("a property has no name")
                               : "two properties have the name \"" + name + "\"; conditions are told apart by names");
  const std::int64_t rows = std::min(table.properties.rows(), table.size());
  const std::int64_t columns =
      std::min(table.properties.cols(), static_cast<std::int64_t>(table.property_names.size()));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < columns; ++k) {
      if (std::isfinite(table.properties(i, k))) continue;
      const auto at = static_cast<std::size_t>(i);
      const std::string image = at < table.image_names.size() ? " ('" + table.image_names[at] + "')" : "";
      throw Error(ErrorCode::invalid_argument, labelled_where,
                  "the property \"" + table.property_names[static_cast<std::size_t>(k)] + "\" of row " +
                      std::to_string(i) + image + " is not finite; leave out the image or the property");
    }
}

/// Which properties are candidates, with a note on each that is none.
[[nodiscard]] inline std::vector<std::uint8_t> admitted_properties(const LabelledTable& table,
                                                                   std::vector<std::string>& notes) {
  const std::int64_t count = table.properties.cols(), n = table.size();
  Matrix<double> scores(count, n);
  std::vector<std::uint8_t> admitted(static_cast<std::size_t>(count), 1);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t i = 0; i < n; ++i)
      values[static_cast<std::size_t>(i)] = static_cast<double>(table.properties(i, k));
    auto own = core::as_vector(scores.row_span(k));
    own = core::as_vector(statistics::within_class_scores(values, table.label, table.classes));
    if (own.norm() > 0.0) own.normalize();
    else {
      admitted[static_cast<std::size_t>(k)] = 0;
      const bool constant = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
      notes.push_back("The property \"" + table.property_names[static_cast<std::size_t>(k)] +
                      "\" is the same for all " + (constant ? "images" : "images of a class") + " and takes no part.");
    }
  }
  const Matrix<double> agreements = statistics::detail::product_transposed(scores, scores);
  for (std::int64_t k = 0; k < count; ++k)
    for (std::int64_t j = 0; j < k && admitted[static_cast<std::size_t>(k)] != 0; ++j) {
      if (admitted[static_cast<std::size_t>(j)] == 0) continue;
      const double agreement = agreements(j, k);
      if (std::abs(agreement) < 1.0 - 1e-6) continue;
      admitted[static_cast<std::size_t>(k)] = 0;
      notes.push_back("The property \"" + table.property_names[static_cast<std::size_t>(k)] +
                      "\" orders the images as \"" + table.property_names[static_cast<std::size_t>(j)] +
                      (agreement > 0.0 ? "\" does" : "\" does, the other way round") +
                      ", and takes no part: what is said of the one holds for the other.");
    }
  return admitted;
}

/// One row of each group, drawn at random; all rows where there are no groups.
[[nodiscard]] inline std::vector<std::int64_t> one_of_each_group(const LabelledTable& table, std::int64_t seed) {
  std::vector<std::int64_t> rows;
  if (table.group.empty()) {
    for (std::int64_t i = 0; i < table.size(); ++i) rows.push_back(i);
    return rows;
  }
  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::int64_t i = 0; i < table.size(); ++i) members[table.group[static_cast<std::size_t>(i)]].push_back(i);
  core::CounterRandom random(seed, core::Stream::splits, core::intervention_first);
  for (const auto& [group, own] : members)
    rows.push_back(own[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(own.size())))]);
  std::sort(rows.begin(), rows.end());
  return rows;
}

[[nodiscard]] inline ConditionSample sample_of(const LabelledTable& table, const ReadingVectors& reading_vectors) {
  Population population;
  population.index = table.index;
  population.label = table.label;
  population.failed = table.failed;
  population.properties = table.properties;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  return make_condition_sample(population, Matrix<double>(table.size(), 0), rows, reading_vectors, table.classes);
}

inline void fill_counts(LabelledConditions& result, const LabelledTable& table) {
  const statistics::Strata all = statistics::count_outcomes(table.label, table.failed, table.classes);
  result.failure_rate = make_rate(all.total_failures(), all.total());
  std::vector<std::int64_t> trials = all.failures;
  for (std::size_t c = 0; c < trials.size(); ++c) trials[c] += all.successes[c];
  const auto intervals = statistics::simultaneous_rates(all.failures, trials, 0.95);
  for (std::size_t c = 0; c < trials.size(); ++c)
    result.class_rates.push_back(
        {trials[c] > 0 ? static_cast<double>(all.failures[c]) / static_cast<double>(trials[c]) : 0.0,
         intervals[c].lower, intervals[c].upper, all.failures[c], trials[c], 0.95});
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> cells;
  for (std::size_t i = 0; i < table.label.size(); ++i) ++cells[{table.label[i], table.prediction[i]}];
  for (const auto& [cell, count] : cells) result.confusion.push_back({cell.first, cell.second, count});
}

/// Whether there is enough to compare (method.md: Whose failures).
[[nodiscard]] inline bool can_be_compared(const statistics::Strata& a, const statistics::Strata& b,
                                          std::int64_t class_outcomes) {
  if (std::min(a.effective_failures, b.effective_failures) >= least_effective_failures) return true;
  for (std::size_t c = 0; c < a.failures.size(); ++c)
    if (std::min({a.failures[c], a.successes[c], b.failures[c], b.successes[c]}) >= class_outcomes) return true;
  return false;
}

/// Names of conditions, with numbers behind those that come twice.
inline void make_unique(std::vector<LabelledCondition>& conditions) {
  std::map<std::string, int> seen;
  for (LabelledCondition& condition : conditions)
    if (const int times = ++seen[condition.name]; times > 1) condition.name += " (" + std::to_string(times) + ")";
}

inline void fill_conditions(LabelledConditions& result, const TestedConditions& tested,
                            const ConditionSample& discovery, ConditionSample every, const LabelledTable& table,
                            const LabelledConditionOptions& options) {
  const Conditions simple = simple_conditions(tested);
  const FrozenShapes shapes = freeze_shapes(discovery, simple);
  std::vector<LabelledCondition> all;
  for (std::size_t k = 0; k < tested.conditions.size(); ++k) {
    const TestedCondition& from = tested.conditions[k];
    LabelledCondition& own = all.emplace_back();
    Condition named = from.condition;
    if (!named.class_label) named.class_label = from.test.class_label;
    own.class_label = named.class_label;
    own.name = condition_name(named, table.property_names);
    own.kind = named.kind;
    for (const std::int64_t property : named.properties)
      own.properties.push_back(table.property_names[static_cast<std::size_t>(property)]);
    own.failing = named.kind == ConditionKind::pair
                      ? failing_corners(simple.conditions[k], shapes.coefficients[k])
                      : failing_values(simple.conditions[k], discovery, shapes.coefficients[k]);
    own.share = from.test.gain.share;
    own.share_lower = from.test.gain.interval.lower;
    own.share_upper = from.test.gain.interval.upper;
    own.p = from.test.p;
    own.p_adjusted = from.test.p_adjusted;
    own.stability = std::min(1.0, from.stability);  // a sum of shares, rounded
    own.confirmed = from.confirmed;
    AdjustedRates adjusted(table, every, tested, k);
    own.curves = LabelledCurves(table, options.curves, adjusted).of(named);
    own.sentence = condition_sentence(own, table.class_names);
  }
  make_unique(all);
  for (const TestedInteraction& from : tested.interactions)
    result.interactions.push_back({all[static_cast<std::size_t>(from.interaction.first)].name,
                                   all[static_cast<std::size_t>(from.interaction.second)].name, from.test.gain.share,
                                   from.test.gain.interval.lower, from.test.gain.interval.upper, from.test.p,
                                   from.test.p_adjusted, from.confirmed});
  for (LabelledCondition& own : all)
    (own.confirmed ? result.conditions : result.not_confirmed).push_back(std::move(own));
  result.share = tested.together.share;
  result.share_lower = tested.together.interval.lower;
  result.share_upper = tested.together.interval.upper;
}

[[nodiscard]] inline std::string conclusion(const LabelledConditions& result, std::size_t compared) {
  const std::string sizes = "chosen on " + std::to_string(result.discovery.images) + " images and confirmed on " +
                            std::to_string(result.confirmation.images) + " others";
  const std::size_t count = result.conditions.size();
  if (count > 0) {
    std::string names;
    for (const LabelledCondition& condition : result.conditions) names += (names.empty() ? "" : ", ") + condition.name;
    return std::to_string(count) + (count == 1 ? " condition, " : " conditions, ") + sizes + ": " + names + ".";
  }
  const std::string among = std::to_string(compared) + (compared == 1 ? " property" : " properties") +
                            ", by themselves, in pairs and in single classes";
  if (result.not_confirmed.empty()) return "Failures went with none of " + among + ".";
  return "Of " + among + ", what failures seemed to go with on " + std::to_string(result.discovery.images) +
         " images did not hold on " + std::to_string(result.confirmation.images) + " others.";
}

}  // namespace detail

FAULTLINE_INLINE LabelledConditions find_labelled_conditions(const LabelledTable& table,
                                                             const LabelledConditionOptions& options) {
  detail::check_labelled_options(options);
  detail::check_properties(table);
  const auto [discovery, rest] = split_table(table, options.seed);
  const LabelledTable confirmation = select_rows(rest, detail::one_of_each_group(rest, options.seed));

  LabelledConditions result;
  result.property_names = table.property_names;
  result.property_units = table.property_units;
  result.classes = table.classes;
  result.class_names = table.class_names;
  const ConditionOptions& own = options.conditions;
  result.run = {version_string, options.seed, own.alpha, own.least_share, own.permutations, own.half_samples};
  detail::fill_counts(result, table);
  sampling::ClassNotes answers;
  answers.add(table.label, table.prediction);
  const std::vector<std::string> class_notes = answers.sentences("the labels");
  result.notes = class_notes;
  if (confirmation.size() < rest.size())
    result.notes.push_back(
        "Rows come in groups. Conditions were tested on one row of each group, drawn at random; "
        "intervals of rates take all rows as independent, and are too narrow where they are not.");

  const statistics::Strata first = statistics::count_outcomes(discovery.label, discovery.failed, table.classes),
                           second = statistics::count_outcomes(confirmation.label, confirmation.failed, table.classes);
  result.discovery = {first.total(), first.total_failures(), first.effective_failures};
  result.confirmation = {second.total(), second.total_failures(), second.effective_failures};
  if (!detail::can_be_compared(first, second, own.selection.class_outcomes)) {
    const SamplesNeeded needed = samples_needed(first, second, least_effective_failures);
    result.verdict = ConditionsVerdict::too_few_failures;
    result.images_needed = class_notes.empty() ? 2 * needed.samples : 0;
    result.reason = too_few_reason(first, second, least_effective_failures, needed, class_notes);
    return result;
  }
  const std::vector<std::uint8_t> admitted = detail::admitted_properties(table, result.notes);
  report_progress(options.progress, "conditions", 0, 1);
  const ReadingVectors reading_vectors =
      fit_reading_vectors(Matrix<double>(table.size(), 0), table.properties, table.label, table.classes);
  const ConditionSample sought = detail::sample_of(discovery, reading_vectors),
                        tried = detail::sample_of(confirmation, reading_vectors);
  ConditionOptions without_latents = own;
  without_latents.selection.directions = false;
  const TestedConditions tested =
      find_conditions(sought, tried, reading_vectors, admitted, options.seed, without_latents);
  result.candidates = tested.candidates;
  if (!tested.conditions.empty())
    detail::fill_conditions(result, tested, sought, detail::sample_of(table, reading_vectors), table, options);
  report_progress(options.progress, "conditions", 1, 1);
  result.verdict = result.conditions.empty() ? ConditionsVerdict::none_found : ConditionsVerdict::conditions_found;
  const auto compared = static_cast<std::size_t>(std::count(admitted.begin(), admitted.end(), 1));
  result.reason = detail::conclusion(result, compared);
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
