// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What is said of one condition on labelled images: at which values it has the failures, its curves, its sentence.

#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/logistic_regression.hpp>
#include <faultline/statistics/natural_spline.hpp>
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

/// At which values a property that is one term has the failures: its fitted effect at the values that there are.
[[nodiscard]] inline FailingValues failing_values(const Condition& condition, const ConditionSample& sample,
                                                  const std::vector<double>& coefficients) {
  const Term& term = condition.terms.front();
  const std::vector<double> effect =
      core::to_list(statistics::detail::product(design(condition.terms, sample), core::as_vector(coefficients)));
  std::vector<std::pair<double, double>> points;  // score, effect
  for (std::int64_t i = 0; i < sample.size(); ++i)
    if (!term.class_label || sample.label[static_cast<std::size_t>(i)] == *term.class_label)
      points.emplace_back(sample.scores(term.property, i), effect[static_cast<std::size_t>(i)]);
  std::sort(points.begin(), points.end());
  const auto at = [&](double level) {
    return points[static_cast<std::size_t>(level * static_cast<double>(points.size() - 1))].second;
  };
  const double low = at(0.05), middle = at(0.5), high = at(0.95);
  double most = low, least = low, where = 0.05;
  for (int step = 3; step <= 97; ++step) {
    const double level = 0.01 * step, here = at(level);
    if (here > most) most = here, where = level;
    least = std::min(least, here);
  }
  const double ends = std::max(at(0.025), at(0.975));
  if (where > 0.05 && where < 0.95 && most - ends > 0.25 * (most - least)) return FailingValues::in_between;
  if (0.5 * (low + high) - middle > std::abs(high - low)) return FailingValues::both_ends;
  return high >= low ? FailingValues::more : FailingValues::less;
}

/// At which corners a pair has the failures: its fitted effect where both scores are at their .1 or .9 quantiles.
[[nodiscard]] inline FailingValues failing_corners(const Condition& condition,
                                                   const std::vector<double>& coefficients) {
  constexpr double end = 1.2815515655446004;
  const auto effect = [&](double a, double b) {
    double sum = 0.0;
    std::size_t first = 0;
    for (const Term& term : condition.terms) {
      const auto width = static_cast<std::size_t>(column_count(term));
      if (term.kind == TermKind::pair) sum += coefficients[first] * a * b;
      else if (!term.class_label) {
        const statistics::SplineRow row = statistics::natural_spline(term.property == condition.properties[0] ? a : b);
        for (std::size_t j = 0; j < width; ++j) sum += coefficients[first + j] * row[j];
      }
      first += width;
    }
    return sum;
  };
  // in the order of the enumerators, so that each corner's opposite is the last less its place
  const std::array<double, 4> corners = {effect(end, end), effect(end, -end), effect(-end, end), effect(-end, -end)};
  const auto [least, most] = std::minmax_element(corners.begin(), corners.end());
  const auto worst = static_cast<std::size_t>(most - corners.begin());
  const bool both = corners[3 - worst] > *most - 0.25 * (*most - *least);
  if (both) return worst == 0 || worst == 3 ? FailingValues::alike : FailingValues::opposite;
  return static_cast<FailingValues>(static_cast<int>(FailingValues::both_more) + static_cast<int>(worst));
}

/// The conditions with the first term of each property alone, which says most: shapes are then not shared out among
/// terms that say nearly the same.
[[nodiscard]] inline Conditions simple_conditions(const TestedConditions& tested) {
  Conditions simple;
  for (const TestedCondition& own : tested.conditions) {
    Condition& condition = simple.conditions.emplace_back(own.condition);
    if (condition.kind != ConditionKind::property) continue;
    condition.terms.resize(1);
    condition.terms.front().class_label = condition.class_label;
  }
  return simple;
}

/// "2.31 px".
[[nodiscard]] inline std::string with_unit(double value, const std::string& unit) {
  return rounded_text(value, 3) + (unit.empty() ? "" : " " + unit);
}

/// A model of all confirmed conditions and one more on all rows: what it says of images at other values of a property.
class AdjustedRates {
 public:
  /// `every` is the sample of all rows of `table`, of which row i is row i; the model of condition `own` and the
  /// confirmed ones.
  AdjustedRates(const LabelledTable& table, ConditionSample& every, const TestedConditions& tested, std::size_t own)
      : table_(table), every_(every) {
    for (std::size_t k = 0; k < tested.conditions.size(); ++k) {
      if (k != own && !tested.conditions[k].confirmed) continue;
      others_ = others_ || k != own;
      const auto& terms = tested.conditions[k].condition.terms;
      terms_.insert(terms_.end(), terms.begin(), terms.end());
    }
    if (!others_) return;
    const Matrix<double> columns = design(terms_, every_);
    fit_ = statistics::fit_logistic(columns, every_.label, every_.failed, every_.classes);
    predictor_ = statistics::linear_predictor(fit_, columns, every_.label);
  }

  /// Fills `adjusted` of a curve of the rows that `takes` names.
  template <class Takes>
  void fill(ResponseCurve& curve, std::int64_t property, const Takes& takes) {
    if (!others_) return;
    const std::vector<double> before = part_of(property);
    const auto scores = every_.scores.row_span(property);
    const std::vector<double> own(scores.begin(), scores.end());
    std::vector<std::vector<double>> of_class(static_cast<std::size_t>(every_.classes));
    for (std::int64_t i = 0; i < table_.size(); ++i)
      of_class[static_cast<std::size_t>(table_.label[static_cast<std::size_t>(i)])].push_back(
          static_cast<double>(table_.properties(i, property)));
    for (std::vector<double>& values : of_class) std::sort(values.begin(), values.end());
    for (ResponseBin& bin : curve.bins) {
      if (!bin.median) continue;
      std::vector<double> at(of_class.size(), 0.0);
      for (std::size_t c = 0; c < at.size(); ++c)
        if (!of_class[c].empty()) at[c] = score_of(*bin.median, of_class[c]);
      for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = at[static_cast<std::size_t>(every_.label[i])];
      const std::vector<double> after = part_of(property);
      double sum = 0.0, count = 0.0;
      for (std::size_t i = 0; i < after.size(); ++i)
        if (takes(every_.row[i])) {
          sum += 1.0 / (1.0 + std::exp(before[i] - after[i] - predictor_[i]));
          count += 1.0;
        }
      bin.adjusted = sum / count;
    }
    std::copy(own.begin(), own.end(), scores.begin());
  }

 private:
  /// The normal score that a value has among the sorted values of a class.
  [[nodiscard]] static double score_of(double value, const std::vector<double>& sorted) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    const double rank = 0.5 * static_cast<double>((first - sorted.begin()) + (last - sorted.begin()));
    const auto n = static_cast<double>(sorted.size());
    return statistics::normal_quantile(std::clamp(rank, 0.5, n - 0.5) / n);
  }

  /// What the terms of a property add to the linear predictor of every sample.
  [[nodiscard]] std::vector<double> part_of(std::int64_t property) const {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(every_.size());
    std::size_t first = 0;
    for (const Term& term : terms_) {
      const auto width = static_cast<std::size_t>(column_count(term));
      if (term.property == property || term.other == property)
        sum += statistics::detail::product(term_columns(term, every_), core::as_vector(std::span<const double>(
                                                                           fit_.coefficients.data() + first, width)));
      first += width;
    }
    return core::to_list(sum);
  }

  const LabelledTable& table_;
  ConditionSample& every_;
  std::vector<Term> terms_;
  bool others_ = false;
  statistics::LogisticFit fit_;
  std::vector<double> predictor_;
};

/// The curves of one condition.
class LabelledCurves {
 public:
  LabelledCurves(const LabelledTable& table, const ResponseBinning& binning, AdjustedRates& adjusted)
      : table_(table), binning_(binning), adjusted_(adjusted) {}

  [[nodiscard]] std::vector<ResponseCurve> of(const Condition& condition) const {
    const auto in_class = [&](std::int64_t i) {
      return !condition.class_label || table_.label[static_cast<std::size_t>(i)] == *condition.class_label;
    };
    std::vector<ResponseCurve> curves;
    if (condition.kind != ConditionKind::pair) {
      for (const std::int64_t property : condition.properties) curves.push_back(curve(property, in_class));
    } else {
      const std::int64_t first = condition.properties[0], second = condition.properties[1];
      std::vector<double> values;
      for (std::int64_t i = 0; i < table_.size(); ++i)
        if (in_class(i)) values.push_back(static_cast<double>(table_.properties(i, second)));
      const double median = statistics::median(values);
      for (const bool above : {false, true}) {
        const auto takes = [&](std::int64_t i) {
          return in_class(i) && (static_cast<double>(table_.properties(i, second)) > median) == above;
        };
        ResponseCurve part = curve(first, takes);
        if (part.bins.empty()) continue;
        part.among = table_.property_names[static_cast<std::size_t>(second)] + (above ? " above " : " up to ") +
                     with_unit(median, unit(second));
        curves.push_back(std::move(part));
      }
    }
    for (ResponseCurve& own : curves) own.class_label = condition.class_label;
    return curves;
  }

 private:
  [[nodiscard]] std::string unit(std::int64_t property) const {
    return table_.property_units.empty() ? "" : table_.property_units[static_cast<std::size_t>(property)];
  }
  /// No bins where no row takes part.
  template <class Takes>
  [[nodiscard]] ResponseCurve curve(std::int64_t property, const Takes& takes) const {
    std::vector<double> values;
    std::vector<std::uint8_t> failed;
    for (std::int64_t i = 0; i < table_.size(); ++i) {
      if (!takes(i)) continue;
      values.push_back(static_cast<double>(table_.properties(i, property)));
      failed.push_back(table_.failed[static_cast<std::size_t>(i)]);
    }
    if (values.empty()) return {};
    ResponseCurve own =
        response_curve(table_.property_names[static_cast<std::size_t>(property)], values, failed, binning_);
    own.unit = unit(property);
    adjusted_.fill(own, property, takes);
    return own;
  }

  const LabelledTable& table_;
  const ResponseBinning& binning_;
  AdjustedRates& adjusted_;
};

/// "high blur", "width at both ends", "much blur with little contrast".
[[nodiscard]] inline std::string failing_text(const LabelledCondition& condition) {
  const std::string& first = condition.properties.front();
  const std::string& second = condition.properties.back();
  switch (condition.failing) {
    case FailingValues::more: return "high " + first;
    case FailingValues::less: return "low " + first;
    case FailingValues::both_ends: return "both low and high " + first;
    case FailingValues::in_between: return "middling " + first;
    case FailingValues::both_more: return "high " + first + " together with high " + second;
    case FailingValues::more_less: return "high " + first + " together with low " + second;
    case FailingValues::less_more: return "low " + first + " together with high " + second;
    case FailingValues::both_less: return "low " + first + " together with low " + second;
    case FailingValues::alike: return first + " and " + second + " where both are high or both are low";
    case FailingValues::opposite: return first + " and " + second + " where one is high and the other low";
  }
  return first;
}

/// "Failures go with high blur: 2 % fail below 1.9 px, 71 % from 4.3 px on." Where there are other conditions, the
/// rates are adjusted for them.
[[nodiscard]] inline std::string condition_sentence(const LabelledCondition& condition,
                                                    const std::vector<std::string>& class_names) {
  std::string text;
  if (condition.class_label) {
    const auto label = static_cast<std::size_t>(*condition.class_label);
    text = "In class " + (label < class_names.size() ? class_names[label] : std::to_string(label)) + ", failures go";
  } else {
    text = "Failures go";
  }
  text += " with " + failing_text(condition);
  if (condition.kind == ConditionKind::pair || condition.curves.empty() || condition.curves.front().bins.size() < 2)
    return text + ".";
  const ResponseCurve& curve = condition.curves.front();
  const auto rate_of = [](const ResponseBin& bin) { return bin.adjusted.value_or(bin.rate.estimate); };
  const auto share = [&](const ResponseBin& bin) { return fixed_text(100.0 * rate_of(bin), 0) + " %"; };
  const auto value = [&](double edge) { return with_unit(edge, curve.unit); };
  const ResponseBin &low = curve.bins.front(), &high = curve.bins.back();
  text += low.adjusted ? ": among images alike in the other conditions, " : ": ";
  text += share(low) + " fail below " + value(low.upper);
  const bool bent = condition.failing == FailingValues::both_ends || condition.failing == FailingValues::in_between;
  if (bent && curve.bins.size() > 2) {
    const auto by_rate = [&](const ResponseBin& a, const ResponseBin& b) { return rate_of(a) < rate_of(b); };
    const auto first = curve.bins.begin() + 1, last = curve.bins.end() - 1;
    const auto turn = condition.failing == FailingValues::both_ends ? std::min_element(first, last, by_rate)
                                                                    : std::max_element(first, last, by_rate);
    text += ", " + share(*turn) + " between " + value(turn->lower) + " and " + value(turn->upper);
  }
  return text + ", " + share(high) + " from " + value(high.lower) + " on.";
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
