// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/explain/explain.hpp.

#include <faultline/analysis/explain/explain.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Explainer::Explainer(const Problem& problem, std::vector<KnownCause> causes)
    : problem_(&problem),
      causes_(std::move(causes)),
      whitening_(statistics::fit_whitening(problem.discovery.w, problem.discovery.label, problem.classes)),
      whitened_(statistics::whiten(whitening_, problem.discovery.w, problem.discovery.label)) {
  const std::int64_t d = whitening_.dimension();
  Matrix<double> steps(static_cast<std::int64_t>(causes_.size()), d);
  for (std::size_t k = 0; k < causes_.size(); ++k) {
    const auto& w = causes_[k].direction.w;
    if (static_cast<std::int64_t>(w.size()) != d)
      throw Error(ErrorCode::shape_mismatch, "Explainer",
                  "the direction of \"" + causes_[k].title + "\" has " + std::to_string(w.size()) + " entries, w has " +
                      std::to_string(d));
    std::copy(w.begin(), w.end(), steps.row_span(static_cast<std::int64_t>(k)).begin());
  }
  Matrix<double> directions = statistics::whiten_steps(whitening_, steps);
  std::vector<std::vector<double>> known;
  for (std::int64_t k = 0; k < directions.rows(); ++k) {
    const auto row = directions.row_span(k);
    const double length = std::sqrt(core::dot(row, row));
    // Another population of the same generator changes a standard deviation by some per cent, another generator by any
    // factor.
    if (!(std::abs(length - 1.0) <= 0.1))
      throw Error(ErrorCode::incompatible_models, "Explainer",
                  "the direction of \"" + causes_[static_cast<std::size_t>(k)].title + "\" is " +
                      std::to_string(length) +
                      " standard deviations long in this population, not 1; was it found on another generator or other "
                      "labels?");
    for (double& value : row) value /= length;
    known.emplace_back(row.begin(), row.end());
  }
  const auto basis = statistics::orthonormal_basis(known, 1e-3);
  intervention_directions_ = make_intervention_directions(problem, whitening_, whitened_, directions);
  const Matrix<double> random = statistics::unwhiten_directions(
      whitening_, placebo_directions(static_cast<std::int64_t>(explain_placebo_directions), whitening_.rank(), basis,
                                     problem.seed));
  for (std::int64_t j = 0; j < random.rows(); ++j) random_edits_.push_back(Edit::in_w(random.row_span(j)));
}

FAULTLINE_INLINE Explanation Explainer::operator()(std::span<const float> w, std::int64_t label) const {
  if (static_cast<std::int64_t>(w.size()) != whitening_.dimension())
    throw Error(
        ErrorCode::shape_mismatch, "Explainer",
        "expected a latent of " + std::to_string(whitening_.dimension()) + " entries, got " + std::to_string(w.size()));
  statistics::require_label("Explainer", label, problem_->classes);
  Matrix<float> row(1, whitening_.dimension());
  std::copy(w.begin(), w.end(), row.row_span(0).begin());
  const std::vector<std::int64_t> labels{label};
  const Matrix<double> white = statistics::whiten(whitening_, row, labels);

  Explanation result;
  result.label = label;
  for (std::size_t k = 0; k < causes_.size(); ++k) {
    const auto& owner = causes_[k].direction.class_label;
    if (owner && *owner != label) continue;
    ExplainedCause& cause = result.causes.emplace_back();
    cause.cause = k;
    cause.coordinate = core::dot(white.row_span(0), intervention_directions_[k].v);
    cause.success_median = intervention_directions_[k].success_median[static_cast<std::size_t>(label)];
    cause.failing_side = cause.coordinate > cause.success_median;
    std::int64_t below = 0, all = 0;
    for (std::int64_t i = 0; i < whitened_.rows(); ++i) {
      if (problem_->discovery.label[static_cast<std::size_t>(i)] != label) continue;
      ++all;
      below += core::dot(whitened_.row_span(i), intervention_directions_[k].v) < cause.coordinate ? 1 : 0;
    }
    if (all > 0) cause.percentile = 100.0 * static_cast<double>(below) / static_cast<double>(all);
  }

  // Rows: the image, each cause repaired, all together; then per cause the random edits either way.
  const std::size_t count = result.causes.size(), together = count + 1;
  const StartLatent start{w, label};
  std::vector<EditedLatent> repairs{{start}}, random;
  std::vector<double> all(w.size(), 0.0);
  for (const ExplainedCause& cause : result.causes) {
    const double length = cause.success_median - cause.coordinate;
    const std::vector<double>& step = intervention_directions_[cause.cause].step;
    repairs.push_back({start, Edit::in_w(step, length)});
    for (std::size_t j = 0; cause.failing_side && j < all.size(); ++j) all[j] += step[j] * length;
    for (const Edit& edit : random_edits_) {
      random.push_back({start, edit.at(length)});
      random.push_back({start, edit.at(-length)});
    }
  }
  repairs.push_back({start, Edit::in_w(all)});
  const EditAnswers answers = problem_->answer_edits(repairs, {.images = true});
  const ClassifierAnswers& repaired = answers.first();
  result.failed = repaired.failed[0] != 0;
  result.prediction = repaired.prediction[0];
  result.probability = static_cast<double>(repaired.probability[0]);
  result.together_repaired = result.failed && repaired.failed[together] == 0;
  result.together_probability = static_cast<double>(repaired.probability[together]);
  result.together_prediction = repaired.prediction[together];
  const std::vector<std::uint8_t> moved =
      random.empty() ? std::vector<std::uint8_t>() : problem_->answer_edits(random, {}).first().failed;
  for (std::size_t k = 0; k < count; ++k) {
    ExplainedCause& cause = result.causes[k];
    cause.repaired = result.failed && repaired.failed[k + 1] == 0;
    cause.probability = static_cast<double>(repaired.probability[k + 1]);
    cause.prediction = repaired.prediction[k + 1];
    cause.gain = static_cast<double>(repaired.log_odds[k + 1]) - static_cast<double>(repaired.log_odds[0]);
    const std::size_t edits = 2 * random_edits_.size();
    double right = 0.0;
    for (std::size_t j = 0; j < edits; ++j) right += moved[k * edits + j] == 0 ? 1.0 : 0.0;
    if (edits > 0) cause.random_repaired = right / static_cast<double>(edits);
  }
  find_flips(w, result);

  std::vector<std::size_t> order(count);
  for (std::size_t k = 0; k < count; ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const ExplainedCause &x = result.causes[a], &y = result.causes[b];
    const auto group = [](const ExplainedCause& cause) { return cause.failing_side ? (cause.repaired ? 0 : 1) : 2; };
    return group(x) != group(y) ? group(x) < group(y) : x.gain > y.gain;
  });
  std::vector<ExplainedCause> sorted;
  result.images = ImageBatch(static_cast<std::int64_t>(count) + 2, answers.images.shape());
  const auto copy = [&](std::size_t from, std::size_t to) {
    const auto source = answers.images.image(static_cast<std::int64_t>(from));
    std::copy(source.begin(), source.end(), result.images.image(static_cast<std::int64_t>(to)).begin());
  };
  copy(0, 0);
  for (std::size_t k = 0; k < count; ++k) {
    sorted.push_back(result.causes[order[k]]);
    copy(order[k] + 1, k + 1);
  }
  copy(together, together);
  result.causes = std::move(sorted);
  return result;
}

/// The first change of outcome on a grid of quarters of a standard deviation, then bisection to 1/256.
FAULTLINE_INLINE void Explainer::find_flips(std::span<const float> w, Explanation& explanation) const {
  const SearchRules rules{.grid = even_grid(0.25, static_cast<std::size_t>(4.0 * explanation_range)),
                          .tolerance = 1.0 / 256.0};
  const double way = explanation.failed ? -1.0 : 1.0;
  const SearchedDecision changes{explanation.failed ? until_success : until_failure};
  std::vector<BoundarySearch> searches;
  for (const ExplainedCause& cause : explanation.causes) {
    BoundarySearch& search = searches.emplace_back();
    search.path = {{w, explanation.label}, Edit::in_w(intervention_directions_[cause.cause].step), 0.0, way};
    search.decisions = {changes};
    search.start = {1.0};
  }
  search_boundaries(problem_->answer_edits, pointers_to(searches), rules);
  for (std::size_t k = 0; k < searches.size(); ++k)
    if (const CrossingSearch& found = searches[k].found[0]; found.crossed())
      explanation.causes[k].flip = way * found.far_end();
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
