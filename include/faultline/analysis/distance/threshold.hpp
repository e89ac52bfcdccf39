// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distance to failure: how far along a finding, or along its first carrier alone, a code has to be moved until the
// classifier gives way (method section 6).

#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/detail/failing_images.hpp>
#include <faultline/analysis/distance/failure_lines.hpp>
#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/distance/validity.hpp>
#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Start codes listed with each finding, for sheets to draw.
inline constexpr std::size_t examples_per_finding = 8;

/// How much is measured along a direction.
enum class ThresholdScope {
  full,       ///< both crossings, from start codes and class centres, and the paper's search
  flip_only,  ///< the flip from the start codes alone and no examples, for little more than half the cost
};

/// Fills `threshold`, `validity` and `examples` of every finding, and `threshold` of its first carrier (attach carriers
/// before).
///
/// **Start codes**: the first `options.threshold_codes` fresh codes that do not fail (of its class, for a
/// class-specific direction), and, with `options.centre_distances`, the mean w of the successes of each class.
/// **Formula**: f(t) = p(y | w + t · direction), for a carrier f(t) = p(y | s + t · sign · σ_k · e_k); a grid every
/// 1.25 standard deviations up to 10, then at most 7 refinements per crossing inside the first bracket, until it is ≤
/// .01 wide; its failing end is reported. Two crossings, p(y) = .5 and the flip of the outcome; a code that never
/// crosses counts as +∞; medians over the codes, with an interval from order statistics. The paper's own search runs
/// from the centres. See `Crossing` and `CentreDistance` for each number.
/// **Checks**: every failing image is classified again in a batch, those of the listed examples also alone; a crossing
/// whose image does not fail again is not reported.
/// **Randomness**: none of its own; start codes are samples 2^41 + 1 000 000 onwards of the problem's seed, unused
/// before. **Throws** `shape_mismatch` when a direction does not fit w.
/// **Cost**: per finding and code 8 images on the grid, about 10 for both crossings, 2 to check them; the same for the
/// carrier where it crosses; all directions and codes share batches.
/// Example: `attach_carriers(context, findings); measure_thresholds(context, findings);
/// findings[0].threshold.flip->sigmas`
inline void measure_thresholds(const FindingContext& context, std::span<Finding> findings,
                               ThresholdScope scope = ThresholdScope::full);

namespace detail {

/// The lines of one direction, or of one carrier alone: first those of the start codes, then those of the centres.
struct LineGroup {
  Finding* finding = nullptr;
  bool alone = false;
  std::size_t first = 0;
  std::size_t codes = 0;
  std::size_t centres = 0;
  CoordinateRange range;

  [[nodiscard]] std::span<Line> code_lines(std::span<Line> lines) const { return lines.subspan(first, codes); }
  [[nodiscard]] std::span<Line> centre_lines(std::span<Line> lines) const {
    return lines.subspan(first + codes, centres);
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
struct LineSearch {
  std::vector<Ray> starts;  ///< unmoved: the start codes, then the centres
  std::vector<SuccessCentre> centres;
  std::vector<double> centre_probability;
  std::vector<bool> centre_failed;
  std::vector<Line> lines;
  std::vector<LineGroup> groups;
};

/// p(y) and outcome of the centres themselves.
inline void judge_centres(const Problem& problem, LineSearch& search) {
  std::vector<Ray> rays;
  const std::vector<double> still(search.centres.empty() ? 0 : search.centres[0].w.size(), 0.0);
  for (const SuccessCentre& centre : search.centres) rays.push_back({centre.w, centre.label, still});
  std::vector<Move> moves;
  for (const Ray& ray : rays) moves.push_back({&ray, 0.0});
  search.centre_probability.resize(rays.size());
  search.centre_failed.resize(rays.size());
  evaluate_moves(problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult& result) {
    for (std::size_t k = 0; k < which.size(); ++k) {
      search.centre_probability[which[k]] = static_cast<double>(result.probability[k]);
      search.centre_failed[which[k]] = result.failed[k] != 0;
    }
  });
}

/// Lays out the lines of one finding or carrier; `offset` is the number of the first centre among the starts.
inline void add_group(const FindingContext& context, LineSearch& search, Finding& finding, bool alone,
                      const StartCodes& pool, std::span<const std::size_t> numbers, std::size_t offset) {
  LineGroup group{&finding, alone, search.lines.size(), numbers.size(), 0, {}};
  Ray ray;
  if (alone) {
    const Carrier& carrier = finding.carriers.front();
    ray.channel = carrier.channel.flat;
    ray.unit = static_cast<double>(carrier.sign) * carrier.sigma;
  } else {
    ray.step = finding.direction.w;
  }
  const auto add = [&](std::span<const float> w, std::int64_t label, std::size_t start, double probability,
                       bool failed) {
    Line line;
    line.ray = ray;
    line.ray.start = w;
    line.ray.label = label;
    line.start = start;
    line.probability0 = probability;
    line.failed0 = failed;
    search.lines.push_back(std::move(line));
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
  for (std::size_t i = 0; i < numbers.size(); ++i) search.lines[group.first + i].coordinate0 = coordinates[i];
  for (std::size_t c = 0; c < search.centres.size(); ++c) {
    const SuccessCentre& centre = search.centres[c];
    if (finding.direction.class_label && centre.label != *finding.direction.class_label) continue;
    add(centre.w, centre.label, offset + c, search.centre_probability[c], search.centre_failed[c]);
    ++group.centres;
  }
  const Population& half = context.problem.confirmation;
  group.range = CoordinateRange(line_coordinates(context, finding, alone, half.w, half.label));
  search.groups.push_back(std::move(group));
}

/// Example codes spread over the distances, and over the labels where there is a choice; codes that never flip only
/// fill up.
[[nodiscard]] inline std::vector<std::size_t> choose_examples(std::span<const Line> lines) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].flip.crossed()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lines[a].flip.far_end() < lines[b].flip.far_end(); });
  for (std::size_t i = 0; i < lines.size() && order.size() < examples_per_finding; ++i)
    if (!lines[i].flip.crossed()) order.push_back(i);
  std::vector<std::size_t> chosen;
  std::map<std::int64_t, int> used;
  const std::size_t wanted = std::min(examples_per_finding, order.size());
  for (std::size_t k = 0; k < wanted; ++k) {
    const std::size_t first = order.size() * k / wanted, last = order.size() * (k + 1) / wanted;
    const auto pick = *std::min_element(
        order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last),
        [&](std::size_t a, std::size_t b) { return used[lines[a].ray.label] < used[lines[b].ray.label]; });
    ++used[lines[pick].ray.label];
    chosen.push_back(pick);
  }
  return chosen;
}

[[nodiscard]] inline Threshold summarise(const LineGroup& group, std::span<Line> lines) {
  Threshold threshold;
  threshold.half = summarise_crossings(group.code_lines(lines), false, group.range);
  threshold.flip = summarise_crossings(group.code_lines(lines), true, group.range);
  for (const Line& line : group.centre_lines(lines)) {
    CentreDistance centre{line.ray.label, line.probability0, {}, {}, line.paper};
    if (!line.starts_above_half()) centre.half = 0.0;
    else if (line.half.crossed()) centre.half = line.half.far_end();
    if (line.failed0) centre.flip = 0.0;
    else if (line.flip.crossed()) centre.flip = line.flip.far_end();
    threshold.centres.push_back(centre);
  }
  return threshold;
}

}  // namespace detail

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
  constexpr std::int64_t steps = detail::refinement_limit + 5;
  std::int64_t done = 0;
  const detail::StepDone step_done = [&] {
    ++done;
    if (context.options.progress) context.options.progress({"distances to failure", done, steps});
  };

  detail::StartCodes pool(problem, context.options);
  // Drawn before anything points at them
  for (const Finding& finding : findings) (void)pool.of(finding.direction.class_label);
  detail::LineSearch search;
  if (scope == ThresholdScope::full && context.options.centre_distances)
    search.centres = detail::success_centres(problem);
  detail::judge_centres(problem, search);
  const std::vector<double> still(static_cast<std::size_t>(context.whitening.dimension()), 0.0);
  for (std::size_t i = 0; i < pool.size(); ++i) search.starts.push_back({pool[i].w, pool[i].label, still});
  for (const detail::SuccessCentre& centre : search.centres) search.starts.push_back({centre.w, centre.label, still});
  for (Finding& finding : findings) {
    const auto& numbers = pool.of(finding.direction.class_label);
    detail::add_group(context, search, finding, false, pool, numbers, pool.size());
    if (!finding.carriers.empty() && finding.carriers.front().sigma > 0.0)
      detail::add_group(context, search, finding, true, pool, numbers, pool.size());
  }
  step_done();

  const std::span<detail::Line> lines = search.lines;
  detail::scan_grid(problem, lines);
  if (scope == ThresholdScope::flip_only)
    for (detail::Line& line : lines) line.half.drop();
  step_done();
  detail::refine(problem, lines, step_done);
  std::vector<detail::Line*> centre_lines, judged, others;
  for (const detail::LineGroup& group : search.groups) {
    for (detail::Line& line : group.centre_lines(lines)) centre_lines.push_back(&line);
    for (detail::Line& line : group.code_lines(lines)) (group.alone ? others : judged).push_back(&line);
  }
  others.insert(others.end(), centre_lines.begin(), centre_lines.end());
  detail::paper_search(problem, centre_lines);
  step_done();
  const detail::StartImages images = detail::start_images(problem, search.starts, lines);
  detail::check_failing_images(problem, judged, images, problem.has_judge);
  detail::check_failing_images(problem, others, images, false);
  step_done();

  std::vector<std::vector<std::size_t>> examples;  // of each group
  std::vector<detail::Line*> listed;
  for (const detail::LineGroup& group : search.groups) {
    const bool lists = scope == ThresholdScope::full && !group.alone;
    examples.push_back(lists ? detail::choose_examples(group.code_lines(lines)) : std::vector<std::size_t>());
    for (const std::size_t i : examples.back()) listed.push_back(&group.code_lines(lines)[i]);
  }
  detail::check_alone(problem, listed);

  for (std::size_t g = 0; g < search.groups.size(); ++g) {
    const detail::LineGroup& group = search.groups[g];
    Finding& finding = *group.finding;
    if (group.alone) {
      finding.carriers.front().threshold = detail::summarise(group, lines);
      continue;
    }
    const std::span<detail::Line> own = group.code_lines(lines);
    finding.examples.clear();
    for (const std::size_t i : examples[g]) {
      const detail::StartCode& code = pool[own[i].start];
      finding.examples.push_back({code.index, code.label, code.probability,
                                  own[i].flip.crossed() ? std::optional(own[i].flip.far_end()) : std::nullopt});
    }
    finding.threshold = detail::summarise(group, lines);
    if (scope == ThresholdScope::flip_only) finding.threshold.half.reset();
    std::vector<std::uint8_t> agrees;
    for (const detail::Line& line : own)
      if (line.flip.crossed() && line.flip_image.judge_agrees) agrees.push_back(*line.flip_image.judge_agrees ? 1 : 0);
    finding.validity = validity_of(agrees);
  }
  step_done();
}

}  // namespace v1
}  // namespace faultline
