// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The JSON of render/comparison_report.hpp: one `json_of` per structure of the comparison, each listing its members in
// their order.

#include <faultline/render/comparison_report.hpp>
#include <faultline/render/json_report.hpp>

#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail::render {

struct ComparisonJson : ReportJson {
  using ReportJson::json_of;

  template <class T>
  static Json list_of(const std::vector<T>& values) {
    Json out = Json::array();
    for (const T& value : values) out.push_back(json_of(value));
    return out;
  }

  static Json json_of(const ComparedClassifier& x) {
    return {{"name", x.name},
            {"failure_rate", json_of(x.failure_rate)},
            {"class_rates", json_of(x.class_rates)},
            {"verdict", name_of(x.verdict)},
            {"reason", x.reason},
            {"findings", json_of(x.findings)}};
  }
  static Json json_of(const SeparatingDirection& x) {
    return {{"title", x.title},
            {"direction", json_of(x.direction)},
            {"discovery", json_of(x.discovery)},
            {"confirmation", json_of(x.confirmation)},
            {"intervention", json_of(x.intervention)},
            {"right_contrast", json_of(x.right_contrast)},
            {"wrong_contrast", json_of(x.wrong_contrast)},
            {"codes_for", x.codes_for},
            {"codes_against", x.codes_against},
            {"separation_p", json_of(x.separation_p)},
            {"separation_p_adjusted", json_of(x.separation_p_adjusted)},
            {"side_effects", json_of(x.side_effects)}};
  }
  static Json json_of(const OrderedComparison& x) {
    return {{"right", x.right},
            {"wrong", x.wrong},
            {"verdict", name_of(x.verdict)},
            {"reason", x.reason},
            {"effective_failures_discovery", json_of(x.effective_failures_discovery)},
            {"effective_failures_confirmation", json_of(x.effective_failures_confirmation)},
            {"samples_needed", x.samples_needed},
            {"directions", list_of(x.directions)},
            {"associated", list_of(x.associated)}};
  }
  static Json json_of(const PairedCounts& x) {
    return {{"both_right", x.both_right},
            {"only_first_fails", x.only_first_fails},
            {"only_second_fails", x.only_second_fails},
            {"both_fail", x.both_fail}};
  }
  static Json json_of(const PairedTest& x) {
    return {{"counts", json_of(x.counts)}, {"p", json_of(x.p)},         {"difference", json_of(x.difference)},
            {"lower", json_of(x.lower)},   {"upper", json_of(x.upper)}, {"confidence", json_of(x.confidence)}};
  }
  static Json json_of(const PairComparison& x) {
    return {{"first", x.first},
            {"second", x.second},
            {"test", json_of(x.test)},
            {"p_adjusted", json_of(x.p_adjusted)},
            {"orders", list_of(x.orders)}};
  }
  static Json json_of(const ComparedDistance& x) {
    return {{"sigmas", json_of(x.sigmas)},    {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},      {"crossed_share", json_of(x.crossed_share)},
            {"off_manifold", x.off_manifold}, {"judge_agreement", json_of(x.judge_agreement)}};
  }
  static Json json_of(const DistanceRatio& x) {
    return {{"first", x.first},
            {"second", x.second},
            {"ratio", json_of(x.ratio)},
            {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"second_farther", x.second_farther},
            {"first_farther", x.first_farther},
            {"p", json_of(x.p)},
            {"p_adjusted", json_of(x.p_adjusted)}};
  }
  static Json json_of(const PairedDistance& x) {
    return {{"title", x.title},
            {"source", x.source},
            {"sign", x.sign},
            {"direction", json_of(x.direction)},
            {"codes", x.codes},
            {"distances", list_of(x.distances)},
            {"ratios", list_of(x.ratios)}};
  }
  static Json json_of(const AccuracyBin& x) {
    return {{"lower", json_of(x.lower)}, {"upper", json_of(x.upper)}, {"rate", json_of(x.rate)}};
  }
  static Json json_of(const AccuracyCurve& x) {
    return {{"name", x.name}, {"class_label", json_of(x.class_label)}, {"bins", list_of(x.bins)}};
  }
  static Json json_of(const ComparisonReport& x) {
    return {{"schema", x.schema},
            {"classifiers", list_of(x.classifiers)},
            {"pairs", list_of(x.pairs)},
            {"distances", list_of(x.distances)},
            {"accuracy", list_of(x.accuracy)},
            {"accuracy_channels", json_of(x.accuracy_channels)},
            {"property_names", json_of(x.property_names)},
            {"classes", x.classes},
            {"class_names", json_of(x.class_names)},
            {"population_cost", json_of(x.population_cost)},
            {"cost", json_of(x.cost)},
            {"provenance", json_of(x.provenance)},
            {"warnings", json_of(x.warnings)}};
  }
};

}  // namespace detail::render

inline std::string to_json(const ComparisonReport& report) {
  return detail::render::ComparisonJson::json_of(report).dump(1, ' ', false,
                                                              detail::render::Json::error_handler_t::replace) +
         "\n";
}

}  // namespace v1
}  // namespace faultline
