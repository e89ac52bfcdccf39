// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/cause_fractions.hpp.

#include <faultline/analysis/confirm/cause_fractions.hpp>

#include <faultline/analysis/confirm/detail/valid_failures.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/mcnemar.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The level at which a coordinate is usual for successes of each class; 0 (the mean) where a class has none.
[[nodiscard]] inline std::vector<double> usual_levels(const ConditionSample& sample, const Eigen::RowVectorXd& reading,
                                                      double level) {
  std::vector<std::vector<double>> values(static_cast<std::size_t>(sample.classes));
  for (std::int64_t i = 0; i < sample.size(); ++i)
    if (sample.failed[static_cast<std::size_t>(i)] == 0)
      values[static_cast<std::size_t>(sample.label[static_cast<std::size_t>(i)])].push_back(
          reading.dot(sample.whitened.row(i)));
  std::vector<double> levels;
  for (const auto& own : values) levels.push_back(own.empty() ? 0.0 : statistics::quantile(own, level));
  return levels;
}

/// What is set of the causes, and to which level in each class.
class CauseSettings {
 public:
  CauseSettings(const statistics::Whitening& whitening, const ConditionSample& discovery, const Conditions& found,
                std::span<const ConditionMove> moves, std::span<const std::size_t> causes)
      : whitening_(whitening) {
    for (std::size_t k = 0; k < causes.size(); ++k) {
      const ConditionMove& move = moves[causes[k]];
      for (std::int64_t m = 0; m < move.readings.rows(); ++m) {
        // where values in between fail, the quartile on the better side; else the median is usual
        double level = 0.5;
        if (move.shape == ConditionShape::band) level = move.best < move.worst ? 0.25 : 0.75;
        const Eigen::RowVectorXd reading = move.readings.row(m);
        settings_.push_back({k, found.conditions[causes[k]].class_label, usual_levels(discovery, reading, level)});
        rows_.push_back({reading, move.directions.row(m)});
      }
    }
  }

  /// Sets the causes whose numbers are given; one by itself moves along its own directions, which hold all others.
  [[nodiscard]] Matrix<double> together(std::span<const std::size_t> which) const {
    Matrix<double> dual(static_cast<std::int64_t>(settings_.size()), whitening_.rank());
    std::vector<std::size_t> chosen;
    for (std::size_t s = 0; s < settings_.size(); ++s)
      if (std::find(which.begin(), which.end(), settings_[s].cause) != which.end()) chosen.push_back(s);
    if (which.size() == 1) {
      for (const std::size_t s : chosen)
        dual.row(static_cast<Eigen::Index>(s)) = rows_[s].direction / rows_[s].direction.dot(rows_[s].reading);
      return dual;
    }
    Matrix<double> g(static_cast<std::int64_t>(chosen.size()), whitening_.rank());
    for (std::size_t i = 0; i < chosen.size(); ++i) g.row(static_cast<Eigen::Index>(i)) = rows_[chosen[i]].reading;
    const auto inverse = [](double value) { return 1.0 / value; };
    const Matrix<double> rows =
        statistics::detail::spectral_function(Matrix<double>(g * g.transpose()), 1e-6, inverse) * g;
    for (std::size_t i = 0; i < chosen.size(); ++i)
      dual.row(static_cast<Eigen::Index>(chosen[i])) = rows.row(static_cast<Eigen::Index>(i));
    return dual;
  }

  /// The edit that sets a latent by one of these.
  [[nodiscard]] Edit set(const Matrix<double>& dual, const Eigen::RowVectorXd& whitened, std::int64_t label) const {
    Eigen::RowVectorXd missing(static_cast<Eigen::Index>(settings_.size()));
    for (std::size_t s = 0; s < settings_.size(); ++s) {
      const bool concerned = !settings_[s].class_label || *settings_[s].class_label == label;
      missing[static_cast<Eigen::Index>(s)] =
          concerned ? settings_[s].levels[static_cast<std::size_t>(label)] - rows_[s].reading.dot(whitened) : 0.0;
    }
    return Edit::in_w(statistics::unwhiten_directions(whitening_, Matrix<double>(missing * dual)).row_span(0));
  }

 private:
  struct Setting {
    std::size_t cause = 0;
    std::optional<std::int64_t> class_label;
    std::vector<double> levels;
  };
  struct Rows {
    Eigen::RowVectorXd reading, direction;
  };
  const statistics::Whitening& whitening_;
  std::vector<Setting> settings_;
  std::vector<Rows> rows_;
};

/// Moves every two causes by +2 towards failure and asks whether they do more together than their log odds add up to.
inline void measure_beyond_additive(const Problem& problem, const Population& population,
                                    std::span<const ConditionMove> moves, std::span<const std::size_t> causes,
                                    std::span<CausePair> pairs, std::span<statistics::ValueCounts> sums) {
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const ConditionMove &a = moves[causes[pairs[p].first]], &b = moves[causes[pairs[p].second]];
    if (a.shape != ConditionShape::one_sided || b.shape != ConditionShape::one_sided) continue;
    const Eigen::RowVectorXd step_a = 2.0 * a.sign * a.steps.row(0), step_b = 2.0 * b.sign * b.steps.row(0);
    std::vector<EditedLatent> edits;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      const StartLatent start{population.w.row_span(i), population.label[static_cast<std::size_t>(i)]};
      edits.push_back({start});
      for (const Eigen::RowVectorXd& step : {step_a, step_b, Eigen::RowVectorXd(step_a + step_b)})
        edits.push_back({start, Edit::in_w(core::to_list(step))});
    }
    std::vector<float> odds;
    answer_in_blocks(problem.answer_edits, edits, {}, [&](std::size_t, const EditAnswers& answers) {
      odds.insert(odds.end(), answers.first().log_odds.begin(), answers.first().log_odds.end());
    });
    for (std::size_t i = 0; i + 3 < odds.size(); i += 4) {
      const bool both = odds[i + 3] < 0.0f, additive = odds[i + 1] + odds[i + 2] - odds[i] < 0.0f;
      sums[p].add((both ? 1.0 : 0.0) - (additive ? 1.0 : 0.0));
    }
  }
}

}  // namespace detail

FAULTLINE_INLINE CauseFractions attribute_failures(const Problem& problem, const statistics::Whitening& whitening,
                                                   const ConditionSample& discovery, const Conditions& found,
                                                   std::span<const ConditionMove> moves,
                                                   std::span<const std::size_t> causes, const EffectOptions& options) {
  CauseFractions result;
  result.each.resize(causes.size());
  if (causes.empty()) return result;
  const detail::CauseSettings settings(whitening, discovery, found, moves, causes);
  std::vector<std::size_t> every;
  std::vector<Matrix<double>> single, paired;
  for (std::size_t k = 0; k < causes.size(); ++k) {
    every.push_back(k);
    single.push_back(settings.together(std::span(&every.back(), 1)));
  }
  single.push_back(settings.together(every));
  for (std::size_t a = 0; a < std::min(causes_in_pairs, causes.size()); ++a)
    for (std::size_t b = a + 1; b < std::min(causes_in_pairs, causes.size()); ++b) {
      result.pairs.push_back({a, b});
      const std::size_t both[] = {a, b};
      paired.push_back(causes.size() == 2 ? single.back() : settings.together(both));
    }

  // outcomes of the latents as they are, with each cause set, with all set; of some of them with two set
  std::vector<std::uint8_t> before;
  std::vector<std::vector<std::uint8_t>> after(single.size()), after_pair(paired.size());
  std::vector<statistics::ValueCounts> beyond(paired.size());
  const std::int64_t chunk = 4 * options.batch_size;
  for (std::int64_t done = 0; done < options.fraction_latents; done += chunk) {
    const Population population =
        problem.sample(core::fraction_first + done, std::min(chunk, options.fraction_latents - done));
    const Matrix<double> whitened = statistics::whiten(whitening, population.w, population.label);
    const bool with_pairs = done < options.fraction_latents / 2;
    std::vector<EditedLatent> edits;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      before.push_back(population.failed[at] != 0 && population.is_valid(at) ? 1 : 0);
      const StartLatent start{population.w.row_span(i), population.label[at]};
      for (const auto* duals : {&single, &paired})
        if (duals == &single || with_pairs)
          for (const Matrix<double>& dual : *duals)
            edits.push_back({start, settings.set(dual, whitened.row(i), start.label)});
    }
    const detail::ValidFailures answers = detail::answer_valid(problem, edits);
    std::size_t at = 0;
    for (std::int64_t i = 0; i < population.size(); ++i) {
      for (auto& outcomes : after) outcomes.push_back(answers.failed[at++] != 0.0 ? 1 : 0);
      if (with_pairs)
        for (auto& outcomes : after_pair) outcomes.push_back(answers.failed[at++] != 0.0 ? 1 : 0);
    }
    if (done < options.fraction_latents / 8)
      detail::measure_beyond_additive(problem, population, moves, causes, result.pairs, beyond);
  }
  const auto fraction = [&](const std::vector<std::uint8_t>& outcomes) {
    return statistics::attributable_fraction(statistics::count_pairs(before, outcomes));
  };
  for (std::size_t k = 0; k < causes.size(); ++k) result.each[k] = fraction(after[k]);
  result.together = fraction(after.back());
  result.latents = static_cast<std::int64_t>(before.size());
  result.failures = std::count_if(before.begin(), before.end(), [](auto f) { return f != 0; });
  for (std::size_t p = 0; p < paired.size(); ++p) {
    const std::size_t n = after_pair[p].size();
    const auto first = [n](const std::vector<std::uint8_t>& all) { return std::span(all).first(n); };
    result.pairs[p].overlap = statistics::attributable_overlap(first(before), first(after[result.pairs[p].first]),
                                                               first(after[result.pairs[p].second]), after_pair[p]);
    if (beyond[p].size() == 0) continue;
    result.pairs[p].beyond_additive =
        statistics::AttributableFraction{beyond[p].mean(), statistics::betting_interval(beyond[p])};
  }
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
