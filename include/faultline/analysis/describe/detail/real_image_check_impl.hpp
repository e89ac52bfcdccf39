// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/real_image_check.hpp.

#include <faultline/analysis/describe/real_image_check.hpp>

#include <faultline/analysis/describe/outcome_model.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

namespace detail {

/// Mean of what is predicted for the real images of each bin, and how it goes with their failure rates.
inline void add_prediction(RealImageCheck& check, std::span<const double> values, std::span<const double> expected) {
  std::vector<double> inner, real;
  for (std::size_t b = 0; b < check.real.bins.size(); ++b) {
    if (b > 0) inner.push_back(check.real.bins[b].lower);
    real.push_back(check.real.bins[b].rate.estimate);
  }
  std::vector<double> sums(real.size(), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i)
    sums[static_cast<std::size_t>(std::upper_bound(inner.begin(), inner.end(), values[i]) - inner.begin())] +=
        expected[i];
  for (std::size_t b = 0; b < sums.size(); ++b)
    check.predicted.push_back(sums[b] / std::max(1.0, static_cast<double>(check.real.bins[b].rate.n)));
  const double rho = statistics::spearman_rho(check.predicted, real);
  if (std::isfinite(rho)) check.prediction_correlation = rho;
}

}  // namespace detail

FAULTLINE_INLINE RealImageCheck check_on_real_images(const std::string& property, std::span<const double> generated,
                                                     std::span<const std::uint8_t> generated_failed,
                                                     std::span<const double> real,
                                                     std::span<const std::uint8_t> real_failed,
                                                     const ResponseBinning& binning) {
  const std::vector<double> edges = common_response_edges(generated, real, binning);
  RealImageCheck check;
  check.property = property;
  check.generated = response_curve(property, generated, generated_failed, edges, binning.confidence);
  check.real = response_curve(property, real, real_failed, edges, binning.confidence);
  check.bins = static_cast<std::int64_t>(edges.size()) - 1;
  const auto rates = [](const ResponseCurve& curve) {
    std::vector<double> list;
    for (const ResponseBin& bin : curve.bins) list.push_back(bin.rate.estimate);
    return list;
  };
  const double rho = statistics::spearman_rho(rates(check.generated), rates(check.real));
  if (std::isfinite(rho)) check.rank_correlation = rho;
  return check;
}

FAULTLINE_INLINE std::vector<RealImageCheck> check_on_real_images(
    std::span<const std::string> names, const Matrix<float>& generated, std::span<const std::uint8_t> failed,
    std::span<const std::uint8_t> valid, const LabelledTable& real, const ResponseBinning& binning) {
  constexpr const char* where = "check_on_real_images";
  check_table(real, where);
  const auto n = static_cast<std::size_t>(generated.rows());
  if (generated.cols() != static_cast<std::int64_t>(names.size()) || failed.size() != n ||
      (!valid.empty() && valid.size() != n))
    throw Error(ErrorCode::shape_mismatch, where,
                "expected a column of values for each name, and a row of values and one outcome for each sample");
  std::vector<RealImageCheck> checks;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto own = std::find(real.property_names.begin(), real.property_names.end(), names[k]);
    if (own == real.property_names.end())
      throw Error(ErrorCode::invalid_argument, where,
                  "the real images were not measured for \"" + names[k] + "\"; measure both by the same properties");
    const auto column = static_cast<std::int64_t>(own - real.property_names.begin());
    std::vector<double> values, real_values;
    std::vector<std::uint8_t> outcomes;
    for (std::size_t i = 0; i < n; ++i) {
      if (!valid.empty() && valid[i] == 0) continue;
      values.push_back(static_cast<double>(generated(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k))));
      outcomes.push_back(failed[i]);
    }
    for (std::int64_t i = 0; i < real.size(); ++i)
      real_values.push_back(static_cast<double>(real.properties(i, column)));
    RealImageCheck& check =
        checks.emplace_back(check_on_real_images(names[k], values, outcomes, real_values, real.failed, binning));
    if (!real.property_units.empty())
      check.generated.unit = check.real.unit = real.property_units[static_cast<std::size_t>(column)];
  }
  return checks;
}

FAULTLINE_INLINE std::vector<RealImageCheck> check_causes(const FailureReport& report, const Problem& problem,
                                                          const LabelledTable& real, const ResponseBinning& binning) {
  constexpr const char* where = "check_causes";
  check_table(real, where);
  const auto position = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) - names.begin();
  };
  std::vector<RealImageCheck> checks;
  std::vector<std::string> of_causes;
  for (const Finding& finding : report.findings)
    for (const std::string& name : finding.condition.properties)
      if (std::find(of_causes.begin(), of_causes.end(), name) == of_causes.end()) of_causes.push_back(name);
  const std::vector<double> predicted =
      of_causes.empty() ? std::vector<double>() : OutcomeModel(problem, of_causes).predict(real);
  for (const Finding& finding : report.findings)
    for (const std::string& name : finding.condition.properties) {
      const std::optional<std::int64_t> label = finding.condition.class_label;
      const auto column = position(problem.property_names, name), real_column = position(real.property_names, name);
      if (column == static_cast<std::ptrdiff_t>(problem.property_names.size()) ||
          real_column == static_cast<std::ptrdiff_t>(real.property_names.size()))
        throw Error(ErrorCode::invalid_argument, where,
                    "generated and real images were not both measured for \"" + name +
                        "\"; measure both by the same properties");
      std::vector<double> values, real_values, expected;
      std::vector<std::uint8_t> failed, real_failed;
      for (const Population* split : {&problem.discovery, &problem.confirmation})
        for (std::int64_t i = 0; i < split->size(); ++i) {
          const auto at = static_cast<std::size_t>(i);
          if (!split->is_valid(at) || (label && split->label[at] != *label)) continue;
          values.push_back(static_cast<double>(split->properties(i, column)));
          failed.push_back(split->failed[at]);
        }
      for (std::int64_t i = 0; i < real.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (label && real.label[at] != *label) continue;
        real_values.push_back(static_cast<double>(real.properties(i, real_column)));
        real_failed.push_back(real.failed[at]);
        expected.push_back(predicted[at]);
      }
      if (values.empty() || real_values.empty()) continue;  // no real image of the class
      RealImageCheck& check =
          checks.emplace_back(check_on_real_images(name, values, failed, real_values, real_failed, binning));
      check.generated.class_label = check.real.class_label = label;
      detail::add_prediction(check, real_values, expected);
      if (!real.property_units.empty())
        check.generated.unit = check.real.unit = real.property_units[static_cast<std::size_t>(real_column)];
      for (const PropertyAtFlip& flip : finding.threshold.at_flip)
        if (flip.name == name) check.flip = flip.median;
      for (std::size_t b = 0; check.flip && b < check.real.bins.size(); ++b)
        if (const ResponseBin& bin = check.real.bins[b]; *check.flip >= bin.lower && *check.flip <= bin.upper)
          check.difference = bin.rate.estimate - check.generated.bins[b].rate.estimate;
    }
  return checks;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
