// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/json_report.hpp: one `json_of` per structure of the report, each listing its members in their
// order.

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/json_report.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail::render {

using Json = nlohmann::ordered_json;

/// A class, so that every overload sees all the others.
struct ReportJson {
  static Json json_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
  static Json json_of(std::int64_t value) { return value; }
  static Json json_of(const std::string& value) { return value; }

  template <class T>
  static Json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : Json(nullptr);
  }
  template <class T>
  static Json json_of(const std::vector<T>& values) {
    Json out = Json::array();
    for (const T& value : values) out.push_back(json_of(value));
    return out;
  }

  static Json json_of(const StyleLayer& x) { return {{"name", x.name}, {"offset", x.offset}, {"width", x.width}}; }
  static Json json_of(const StyleChannel& x) { return {{"layer", x.layer}, {"channel", x.channel}, {"flat", x.flat}}; }
  static Json json_of(const Rate& x) {
    return {{"estimate", json_of(x.estimate)},
            {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"failures", x.failures},
            {"n", x.n},
            {"confidence", json_of(x.confidence)}};
  }
  static Json json_of(const Direction& x) {
    return {{"family", name_of(x.family)},
            {"name", x.name},
            {"w", json_of(x.w)},
            {"whitened", json_of(x.whitened)},
            {"explained", json_of(x.explained)},
            {"class_label", json_of(x.class_label)}};
  }
  static Json json_of(const DiscoveryEffect& x) { return {{"effect", json_of(x.effect)}, {"auc", json_of(x.auc)}}; }
  static Json json_of(const ConfirmationEffect& x) {
    return {{"effect", json_of(x.effect)},         {"auc", json_of(x.auc)}, {"t", json_of(x.t)}, {"p", json_of(x.p)},
            {"p_adjusted", json_of(x.p_adjusted)}, {"q", json_of(x.q)}};
  }
  static Json json_of(const InterventionEffect& x) {
    return {{"codes", x.codes},
            {"contrast", json_of(x.contrast)},
            {"lower", json_of(x.lower)},
            {"placebo", json_of(x.placebo)},
            {"probability_contrast", json_of(x.probability_contrast)},
            {"repaired_share", json_of(x.repaired_share)},
            {"repaired_placebo", json_of(x.repaired_placebo)},
            {"coverage", json_of(x.coverage)},
            {"repaired_failures", x.repaired_failures},
            {"classes", json_of(x.classes)}};
  }
  static Json json_of(const ClassContrast& x) {
    return {{"class_label", x.class_label}, {"codes", x.codes}, {"contrast", json_of(x.contrast)}};
  }
  static Json json_of(const ClassEffect& x) {
    return {{"class_label", x.class_label},
            {"failures", x.failures},
            {"successes", x.successes},
            {"effect", json_of(x.effect)},
            {"standard_error", json_of(x.standard_error)}};
  }
  static Json json_of(const ClassSplit& x) {
    return {{"common_share", json_of(x.common_share)},
            {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"common", json_of(x.common)},
            {"specific", json_of(x.specific)},
            {"q", json_of(x.q)},
            {"p", json_of(x.p)},
            {"classes", json_of(x.classes)}};
  }
  static Json json_of(const Crossing& x) {
    return {{"sigmas", json_of(x.sigmas)},
            {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"quartile_low", json_of(x.quartile_low)},
            {"quartile_high", json_of(x.quartile_high)},
            {"crossed_share", json_of(x.crossed_share)},
            {"codes", x.codes},
            {"left_out", x.left_out},
            {"percentile", json_of(x.percentile)},
            {"monotone", x.monotone},
            {"monotone_share", json_of(x.monotone_share)},
            {"off_manifold", x.off_manifold},
            {"off_manifold_share", json_of(x.off_manifold_share)},
            {"image_rms", json_of(x.image_rms)},
            {"image_ssim", json_of(x.image_ssim)}};
  }
  static Json json_of(const CentreDistance& x) {
    return {{"class_label", x.class_label},
            {"probability", json_of(x.probability)},
            {"half", json_of(x.half)},
            {"flip", json_of(x.flip)},
            {"paper", json_of(x.paper)}};
  }
  static Json json_of(const Profile& x) {
    return {{"sigmas", json_of(x.sigmas)},
            {"probability", json_of(x.probability)},
            {"failure_share", json_of(x.failure_share)},
            {"judge_agreement", json_of(x.judge_agreement)},
            {"properties", json_of(x.properties)}};
  }
  static Json json_of(const Threshold& x) {
    return {{"half", json_of(x.half)}, {"flip", json_of(x.flip)}, {"centres", json_of(x.centres)}};
  }
  static Json json_of(const Carrier& x) {
    return {{"channel", json_of(x.channel)},
            {"layer_name", x.layer_name},
            {"sign", x.sign},
            {"correlation", json_of(x.correlation)},
            {"effect", json_of(x.effect)},
            {"paper_effect", json_of(x.paper_effect)},
            {"sigma", json_of(x.sigma)},
            {"threshold", json_of(x.threshold)}};
  }
  static Json json_of(const PropertyEffect& x) { return {{"name", x.name}, {"strength", json_of(x.strength)}}; }
  static Json json_of(const Validity& x) {
    return {{"judge_agreement", json_of(x.judge_agreement)}, {"generator_suspect", x.generator_suspect}};
  }
  static Json json_of(const CoordinateHistogram& x) {
    return {{"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"failed", json_of(x.failed)},
            {"passed", json_of(x.passed)}};
  }
  static Json json_of(const ExampleCode& x) {
    return {{"index", x.index}, {"label", x.label}, {"probability", json_of(x.probability)}, {"flip", json_of(x.flip)}};
  }
  static Json json_of(const Finding& x) {
    return {{"direction", json_of(x.direction)},
            {"channel", json_of(x.channel)},
            {"sign", x.sign},
            {"discovery", json_of(x.discovery)},
            {"confirmation", json_of(x.confirmation)},
            {"intervention", json_of(x.intervention)},
            {"threshold", json_of(x.threshold)},
            {"profile", json_of(x.profile)},
            {"property", json_of(x.property)},
            {"side_effects", json_of(x.side_effects)},
            {"carriers", json_of(x.carriers)},
            {"validity", json_of(x.validity)},
            {"histogram", json_of(x.histogram)},
            {"examples", json_of(x.examples)},
            {"headline", x.headline},
            {"class_split", json_of(x.class_split)}};
  }
  static Json json_of(const PropertyDistance& x) {
    return {{"name", x.name}, {"sign", x.sign}, {"flip", json_of(x.flip)}, {"validity", json_of(x.validity)}};
  }
  static Json json_of(const RankedChannel& x) {
    return {{"channel", json_of(x.channel)},
            {"layer_name", x.layer_name},
            {"sign", x.sign},
            {"normalized_difference", json_of(x.normalized_difference)},
            {"stratified", json_of(x.stratified)},
            {"auc", json_of(x.auc)},
            {"gradient", json_of(x.gradient)},
            {"sigma_total", json_of(x.sigma_total)},
            {"sigma_within", json_of(x.sigma_within)},
            {"class_split", json_of(x.class_split)}};
  }
  static Json json_of(const ClassChannel& x) {
    return {
        {"channel", json_of(x.channel)}, {"layer_name", x.layer_name}, {"sign", x.sign}, {"effect", json_of(x.effect)}};
  }
  static Json json_of(const ClassRanking& x) {
    return {{"class_label", x.class_label},
            {"failures", x.failures},
            {"successes", x.successes},
            {"skipped", x.skipped},
            {"top", json_of(x.top)}};
  }
  static Json json_of(const Omnibus& x) {
    return {{"auc", json_of(x.auc)},
            {"lower", json_of(x.lower)},
            {"upper", json_of(x.upper)},
            {"p", json_of(x.p)},
            {"significant", x.significant}};
  }
  static Json json_of(const DetectableEffect& x) { return {{"effect", json_of(x.effect)}, {"auc", json_of(x.auc)}}; }
  static Json json_of(const CostCounters& x) {
    return {{"generator_images", x.generator_images},   {"generator_batches", x.generator_batches},
            {"classifier_images", x.classifier_images}, {"classifier_batches", x.classifier_batches},
            {"gradient_images", x.gradient_images},     {"property_images", x.property_images},
            {"judge_images", x.judge_images},           {"generator_macs", x.generator_macs},
            {"generator_bytes", x.generator_bytes},     {"generator_launches", x.generator_launches}};
  }
  static Json json_of(const LabelPolicy& x) {
    return {{"kind", name_of(x.kind)}, {"label", x.label}, {"labels", json_of(x.labels)}};
  }
  static Json json_of(const OptionValue& x) { return {{"name", x.name}, {"value", x.value}}; }
  static Json json_of(const Provenance& x) {
    return {{"library_version", x.library_version},
            {"generator_digest", x.generator_digest},
            {"classifier_name", x.classifier_name},
            {"criterion", x.criterion},
            {"torch_version", x.torch_version},
            {"cpu", x.cpu},
            {"seed", x.seed},
            {"samples_per_half", x.samples_per_half},
            {"batch_size", x.batch_size},
            {"truncation", json_of(x.truncation)},
            {"noise", name_of(x.noise)},
            {"labels", json_of(x.labels)},
            {"permutations_discovery", x.permutations_discovery},
            {"permutations_confirmation", x.permutations_confirmation},
            {"alpha", json_of(x.alpha)},
            {"backend", x.backend},
            {"cutoff", json_of(x.cutoff)},
            {"criterion_expression", x.criterion_expression},
            {"classifier_digest", json_of(x.classifier_digest)},
            {"judge_name", json_of(x.judge_name)},
            {"judge_digest", json_of(x.judge_digest)},
            {"compiler", x.compiler},
            {"command", x.command},
            {"method", json_of(x.method)},
            {"options", json_of(x.options)},
            {"properties", json_of(x.properties)}};
  }
  static Json json_of(const FailureReport& x) {
    return {{"schema", x.schema},
            {"verdict", name_of(x.verdict)},
            {"reason", x.reason},
            {"failure_rate", json_of(x.failure_rate)},
            {"class_rates", json_of(x.class_rates)},
            {"effective_failures_discovery", json_of(x.effective_failures_discovery)},
            {"effective_failures_confirmation", json_of(x.effective_failures_confirmation)},
            {"samples_needed", x.samples_needed},
            {"findings", json_of(x.findings)},
            {"associated", json_of(x.associated)},
            {"generator_suspect", json_of(x.generator_suspect)},
            {"property_distances", json_of(x.property_distances)},
            {"omnibus", json_of(x.omnibus)},
            {"explained_share", json_of(x.explained_share)},
            {"smallest_detectable", json_of(x.smallest_detectable)},
            {"paper_top", json_of(x.paper_top)},
            {"property_names", json_of(x.property_names)},
            {"property_r2", json_of(x.property_r2)},
            {"class_leak", json_of(x.class_leak)},
            {"layers", json_of(x.layers)},
            {"classes", x.classes},
            {"class_names", json_of(x.class_names)},
            {"cost", json_of(x.cost)},
            {"provenance", json_of(x.provenance)},
            {"warnings", json_of(x.warnings)},
            {"class_rankings", json_of(x.class_rankings)}};
  }
};

}  // namespace detail::render

inline std::string to_json(const FailureReport& report) {
  return detail::render::ReportJson::json_of(report).dump(1, ' ', false,
                                                          detail::render::Json::error_handler_t::replace) +
         "\n";
}

inline void write_json(const FailureReport& report, const std::filesystem::path& path) {
  write_file_atomically(path, to_json(report));
}

}  // namespace v1
}  // namespace faultline
