// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/threshold.hpp.

#include <faultline/analysis/distance/threshold.hpp>

#include <faultline/analysis/distance/detail/failing_images.hpp>
#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/distance/validity.hpp>
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

FAULTLINE_INLINE std::vector<double> path_coordinates(const FindingContext& context, const Finding& finding, bool alone,
                                                      const Matrix<float>& w, std::span<const std::int64_t> labels) {
  std::vector<double> vector(static_cast<std::size_t>(w.cols()), 0.0);  // the coordinate is a linear function of w
  if (alone) {
    const Carrier& carrier = finding.carriers.front();
    const auto a = context.problem.style_matrix.row_span(carrier.channel.flat);
    for (std::size_t j = 0; j < vector.size(); ++j)
      vector[j] = static_cast<double>(carrier.sign) * a[j] / carrier.sigma;
  } else {
    for (std::int64_t i = 0; i < context.whitening.rank(); ++i)
      for (std::size_t j = 0; j < vector.size(); ++j)
        vector[j] += finding.direction.whitened[static_cast<std::size_t>(i)] *
                     context.whitening.to_white(i, static_cast<std::int64_t>(j));
  }
  std::vector<double> values(labels.size(), 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = w.row_span(static_cast<std::int64_t>(i));
    const auto mean = context.whitening.class_means.row_span(labels[i]);
    for (std::size_t j = 0; j < vector.size(); ++j) values[i] += vector[j] * (static_cast<double>(row[j]) - mean[j]);
  }
  return values;
}

FAULTLINE_INLINE void judge_centres(const Problem& problem, SearchPlan& plan) {
  std::vector<EditedLatent> unmoved;
  for (const SuccessCentre& centre : plan.centres) unmoved.push_back({{centre.w, centre.label}});
  for (const auto& answers : answers_to(problem.answer_edits, unmoved)) plan.at_centres.push_back(answers.front());
}

FAULTLINE_INLINE void add_group(const FindingContext& context, SearchPlan& plan, Finding& finding, bool alone,
                                const StartLatents& pool, std::span<const std::size_t> numbers, std::size_t offset) {
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
    const StartSample& start = pool[number];
    std::copy(start.w.begin(), start.w.end(), w.row_span(static_cast<std::int64_t>(labels.size())).begin());
    labels.push_back(start.label);
    add(start.w, start.label, number, start.probability, false);
  }
  const auto coordinates = path_coordinates(context, finding, alone, w, labels);
  for (std::size_t i = 0; i < numbers.size(); ++i) plan.searches[group.first + i].coordinate0 = coordinates[i];
  for (std::size_t c = 0; c < plan.centres.size(); ++c) {
    const SuccessCentre& centre = plan.centres[c];
    if (finding.direction.class_label && centre.label != *finding.direction.class_label) continue;
    add(centre.w, centre.label, offset + c, plan.at_centres[c].probability, plan.at_centres[c].failed);
    ++group.centres;
  }
  const Population& split = context.problem.confirmation;
  group.range = CoordinateRange(path_coordinates(context, finding, alone, split.w, split.label));
  plan.groups.push_back(std::move(group));
}

FAULTLINE_INLINE void search_as_the_paper(const Problem& problem, std::span<DistanceSearch* const> from_centres) {
  std::vector<PaperSearch> searches;
  for (const DistanceSearch* search : from_centres)
    searches.push_back(
        {search->path, search->probability0, search->grid[3].front().probability, search->grid[7].front().probability});
  paper_search(problem.answer_edits, searches);
  for (std::size_t i = 0; i < searches.size(); ++i) from_centres[i]->paper = searches[i].sigmas;
}

FAULTLINE_INLINE std::vector<std::size_t> choose_examples(std::span<const DistanceSearch> searches) {
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

FAULTLINE_INLINE Threshold summarise(const SearchGroup& group, std::span<DistanceSearch> searches) {
  Threshold threshold;
  threshold.even_odds = summarise_crossings(group.of_latents(searches), false, group.range);
  threshold.flip = summarise_crossings(group.of_latents(searches), true, group.range);
  for (const DistanceSearch& search : group.of_centres(searches)) {
    CentreDistance centre{search.path.start.label, search.probability0, {}, {}, search.paper};
    if (!search.starts_above_even_odds()) centre.even_odds = 0.0;
    else if (search.even_odds().crossed()) centre.even_odds = search.even_odds().far_end();
    if (search.failed0) centre.flip = 0.0;
    else if (search.flip().crossed()) centre.flip = search.flip().far_end();
    threshold.centres.push_back(centre);
  }
  return threshold;
}

FAULTLINE_INLINE PropertyAtFlip property_at_flip(const Problem& problem, std::int64_t property,
                                                 std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {problem.property_names[static_cast<std::size_t>(property)],
          static_cast<std::int64_t>(values.size()),
          statistics::quantile(values, 0.5),
          statistics::quantile(values, 0.25),
          statistics::quantile(values, 0.75),
          problem.unit_of(property)};
}

FAULTLINE_INLINE std::vector<PropertyAtFlip> properties_at_flip(const Problem& problem,
                                                                std::span<const std::string> names,
                                                                std::span<const DistanceSearch> searches) {
  std::vector<PropertyAtFlip> all;
  for (const std::string& name : names) {
    const auto found = std::find(problem.property_names.begin(), problem.property_names.end(), name);
    if (found == problem.property_names.end()) continue;
    const auto at = static_cast<std::size_t>(found - problem.property_names.begin());
    std::vector<double> values;
    for (const DistanceSearch& search : searches)
      if (search.flip().crossed() && at < search.flip_image.properties.size())
        values.push_back(static_cast<double>(search.flip_image.properties[at]));
    if (values.empty()) continue;
    all.push_back(property_at_flip(problem, static_cast<std::int64_t>(at), std::move(values)));
  }
  return all;
}

FAULTLINE_INLINE void measure_thresholds(const FindingContext& context, std::span<Finding> findings,
                                         ThresholdScope scope) {
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

  StartLatents pool(problem, context.options);
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
  detail::check_failing_images(problem, judged, images, true);
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
      const StartSample& start = pool[own[i].start_number];
      finding.examples.push_back({start.index, start.label, start.probability,
                                  own[i].flip().crossed() ? std::optional(own[i].flip().far_end()) : std::nullopt});
    }
    finding.threshold = summarise(group, searches);
    if (scope == ThresholdScope::flip_only) finding.threshold.even_odds.reset();
    finding.threshold.at_flip = properties_at_flip(problem, finding.condition.properties, own);
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
