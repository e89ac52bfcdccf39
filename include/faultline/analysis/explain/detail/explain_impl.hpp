// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/explain/explain.hpp.

#include <faultline/analysis/explain/explain.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace faultline {
inline namespace v1 {

inline Explainer::Explainer(const Problem& problem, std::vector<KnownCause> causes)
    : problem_(&problem),
      causes_(std::move(causes)),
      whitening_(fit_whitening(problem.discovery.w, problem.discovery.label, problem.classes)),
      whitened_(whiten(whitening_, problem.discovery.w, problem.discovery.label)) {
  const std::int64_t d = whitening_.dimension();
  Matrix<double> moves(static_cast<std::int64_t>(causes_.size()), d);
  for (std::size_t k = 0; k < causes_.size(); ++k) {
    const auto& w = causes_[k].direction.w;
    if (static_cast<std::int64_t>(w.size()) != d)
      throw Error(ErrorCode::shape_mismatch, "Explainer",
                  "the direction of \"" + causes_[k].title + "\" has " + std::to_string(w.size()) + " entries, w has " +
                      std::to_string(d));
    std::copy(w.begin(), w.end(), moves.row_span(static_cast<std::int64_t>(k)).begin());
  }
  Matrix<double> directions = whiten_moves(whitening_, moves);
  std::vector<std::vector<double>> basis;
  for (std::int64_t k = 0; k < directions.rows(); ++k) {
    const auto row = directions.row_span(k);
    const double length = std::sqrt(detail::dot(row, row));
    // Another population of the same generator changes a standard deviation by some per cent, another generator by any
    // factor.
    if (!(std::abs(length - 1.0) <= 0.1))
      throw Error(ErrorCode::incompatible_models, "Explainer",
                  "the direction of \"" + causes_[static_cast<std::size_t>(k)].title + "\" is " +
                      std::to_string(length) +
                      " standard deviations long in this population, not 1; was it found on another generator or other "
                      "labels?");
    for (double& value : row) value /= length;
    std::vector<double> v(row.begin(), row.end());
    for (const auto& earlier : basis) detail::project_off(v, earlier);
    const double rest = std::sqrt(detail::dot(v, v));
    if (rest < 1e-3) continue;
    for (double& value : v) value /= rest;
    basis.push_back(std::move(v));
  }
  levers_ = detail::make_levers(problem, whitening_, whitened_, directions);
  const Matrix<double> random = unwhiten_directions(
      whitening_, detail::placebo_directions(static_cast<std::int64_t>(detail::repair_placebo_directions),
                                             whitening_.rank(), basis, problem.seed));
  for (std::int64_t j = 0; j < random.rows(); ++j)
    random_moves_.emplace_back(random.row_span(j).begin(), random.row_span(j).end());
}

inline Explanation Explainer::operator()(std::span<const float> w, std::int64_t label) const {
  if (static_cast<std::int64_t>(w.size()) != whitening_.dimension())
    throw Error(
        ErrorCode::shape_mismatch, "Explainer",
        "expected a latent of " + std::to_string(whitening_.dimension()) + " entries, got " + std::to_string(w.size()));
  detail::require_label("Explainer", label, problem_->classes);
  Matrix<float> row(1, whitening_.dimension());
  std::copy(w.begin(), w.end(), row.row_span(0).begin());
  const std::vector<std::int64_t> labels{label};
  const Matrix<double> white = whiten(whitening_, row, labels);

  Explanation result;
  result.label = label;
  for (std::size_t k = 0; k < causes_.size(); ++k) {
    const auto& owner = causes_[k].direction.class_label;
    if (owner && *owner != label) continue;
    ExplainedCause& cause = result.causes.emplace_back();
    cause.cause = k;
    cause.coordinate = detail::dot(white.row_span(0), levers_[k].v);
    cause.success_median = levers_[k].success_median[static_cast<std::size_t>(label)];
    cause.failing_side = cause.coordinate > cause.success_median;
    std::int64_t below = 0, all = 0;
    for (std::int64_t i = 0; i < whitened_.rows(); ++i) {
      if (problem_->discovery.label[static_cast<std::size_t>(i)] != label) continue;
      ++all;
      below += detail::dot(whitened_.row_span(i), levers_[k].v) < cause.coordinate ? 1 : 0;
    }
    if (all > 0) cause.percentile = 100.0 * static_cast<double>(below) / static_cast<double>(all);
  }

  // Rows: the image, each cause repaired, all together; then per cause the random moves either way.
  const std::size_t count = result.causes.size(), together = count + 1;
  EditRequest request;
  request.images = true;
  const auto add = [&](EditRequest& to, std::span<const double> shift) {
    Matrix<float> rows(1, row.cols());
    for (std::int64_t j = 0; j < row.cols(); ++j)
      rows(0, j) = static_cast<float>(static_cast<double>(row(0, j)) +
                                      (shift.empty() ? 0.0 : shift[static_cast<std::size_t>(j)]));
    detail::append(to.w, rows);
    to.label.push_back(label);
  };
  const auto scaled = [](const std::vector<double>& move, double by) {
    std::vector<double> shift(move);
    for (double& value : shift) value *= by;
    return shift;
  };
  request.w.resize(0, row.cols());
  add(request, {});
  std::vector<double> all(w.size(), 0.0);
  EditRequest random;
  random.w.resize(0, row.cols());
  for (const ExplainedCause& cause : result.causes) {
    const double length = cause.success_median - cause.coordinate;
    const auto shift = scaled(levers_[cause.cause].move, length);
    add(request, shift);
    for (std::size_t j = 0; cause.failing_side && j < all.size(); ++j) all[j] += shift[j];
    for (const auto& move : random_moves_) {
      add(random, scaled(move, length));
      add(random, scaled(move, -length));
    }
  }
  add(request, all);
  EditResult repaired = problem_->evaluate(request);
  result.failed = repaired.failed[0] != 0;
  result.prediction = repaired.prediction[0];
  result.probability = static_cast<double>(repaired.probability[0]);
  result.together_repaired = result.failed && repaired.failed[together] == 0;
  result.together_probability = static_cast<double>(repaired.probability[together]);
  result.together_prediction = repaired.prediction[together];
  const EditResult moved = random.label.empty() ? EditResult{} : problem_->evaluate(random);
  for (std::size_t k = 0; k < count; ++k) {
    ExplainedCause& cause = result.causes[k];
    cause.repaired = result.failed && repaired.failed[k + 1] == 0;
    cause.probability = static_cast<double>(repaired.probability[k + 1]);
    cause.prediction = repaired.prediction[k + 1];
    cause.gain = static_cast<double>(repaired.log_odds[k + 1]) - static_cast<double>(repaired.log_odds[0]);
    const std::size_t moves = 2 * random_moves_.size();
    double right = 0.0;
    for (std::size_t j = 0; j < moves; ++j) right += moved.failed[k * moves + j] == 0 ? 1.0 : 0.0;
    if (moves > 0) cause.random_repaired = right / static_cast<double>(moves);
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
  result.images = ImageBatch(static_cast<std::int64_t>(count) + 2, repaired.images.shape());
  const auto copy = [&](std::size_t from, std::size_t to) {
    const auto source = repaired.images.image(static_cast<std::int64_t>(from));
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
inline void Explainer::find_flips(std::span<const float> w, Explanation& explanation) const {
  constexpr int steps = static_cast<int>(4.0 * explanation_range), refinements = 6;
  const std::size_t count = explanation.causes.size();
  const double way = explanation.failed ? -1.0 : 1.0;
  const std::uint8_t now = explanation.failed ? 1 : 0;
  std::vector<detail::Ray> rays;
  for (const ExplainedCause& cause : explanation.causes)
    rays.push_back({w, explanation.label, levers_[cause.cause].move});
  const auto judge = [&](std::span<const detail::Move> moves) {
    std::vector<std::uint8_t> failed(moves.size());
    detail::evaluate_moves(*problem_, moves, {}, [&](std::span<const std::size_t> at, const EditResult& result) {
      for (std::size_t i = 0; i < at.size(); ++i) failed[at[i]] = result.failed[i];
    });
    return failed;
  };
  std::vector<detail::Move> grid;
  for (const detail::Ray& ray : rays)
    for (int i = 1; i <= steps; ++i) grid.push_back({&ray, way * 0.25 * i});
  const auto outcome = judge(grid);
  std::vector<std::pair<double, double>> bracket(count);  // same outcome as now, changed
  std::vector<std::size_t> found;
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(steps); ++i) {
      if (outcome[k * static_cast<std::size_t>(steps) + i] == now) continue;
      bracket[k] = {way * 0.25 * static_cast<double>(i), way * 0.25 * static_cast<double>(i + 1)};
      found.push_back(k);
      break;
    }
  }
  for (int r = 0; r < refinements && !found.empty(); ++r) {
    std::vector<detail::Move> middle;
    for (const std::size_t k : found) middle.push_back({&rays[k], 0.5 * (bracket[k].first + bracket[k].second)});
    const auto at_middle = judge(middle);
    for (std::size_t j = 0; j < found.size(); ++j)
      (at_middle[j] == now ? bracket[found[j]].first : bracket[found[j]].second) = middle[j].sigmas;
  }
  for (const std::size_t k : found) explanation.causes[k].flip = bracket[k].second;
}

}  // namespace v1
}  // namespace faultline
