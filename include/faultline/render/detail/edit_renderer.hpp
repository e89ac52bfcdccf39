// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin layer between sheets and models: draws start latents again as the report describes its run, and answers
// edits of them as the analysis does.

#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/render/detail/render_backend.hpp>
#include <faultline/render/detail/report_sheets.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <optional>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// By how much probabilities may miss a sum of 1 in this run.
inline double tolerance_of(const Provenance& run) {
  for (const analysis::OptionValue& option : run.method)
    if (option.name == "probability_tolerance")
      return number_from(option.value).value_or(classify::default_probability_tolerance);
  return classify::default_probability_tolerance;
}

/// Those of the library's properties that a report names; a report does not hold the measures of users.
inline std::vector<Property> known_properties(const std::vector<std::string>& names) {
  std::vector<Property> known;
  for (Property& property : default_properties())
    if (std::find(names.begin(), names.end(), property.name) != names.end()) known.push_back(std::move(property));
  return known;
}

/// What sheets mark as a failure.
inline classify::AnyCriterion criterion_of(const FailureReport& report, const RenderOptions& options) {
  const std::optional<CriterionFunction> named = report_criterion(report, options);
  return named ? classify::AnyCriterion(*named) : classify::AnyCriterion(Misclassified{});
}

/// Makes and judges edited samples of a run as its report describes it. Borrows generator and classifier.
template <StyleGenerator G, Classifier C>
class EditRenderer {
 public:
  EditRenderer(const G& generator, C& classifier, const FailureReport& report, const RenderOptions& options)
      : sampler_(generator, analysis::sampler_options(report.provenance)),
        source_(sampler_, classify::hold<typename G::image_type>(classifier), criterion_of(report, options),
                {.properties = known_properties(report.property_names),
                 .batch_size = report.provenance.batch_size,
                 .probability_tolerance = tolerance_of(report.provenance)},
                "DirectionRenderer") {
    for (const Property& property : known_properties(report.property_names)) property_names_.push_back(property.name);
  }

  [[nodiscard]] RenderBackend backend() {
    return {sampler_.options().batch_size,
            [this](std::int64_t first, std::int64_t count) { return sampler_.labels(first, count); },
            [this](std::span<const EditedSample> samples) { return starts(samples); },
            [this](std::span<const analysis::EditedLatent> edits, const analysis::WantedAnswers& wanted) {
              return source_.answer_edits(edits, wanted);
            },
            nullptr,
            property_names_};
  }

 private:
  std::vector<analysis::StartLatent> starts(std::span<const EditedSample> samples) {
    check(samples);
    remember(samples);
    std::vector<analysis::StartLatent> result;
    for (const EditedSample& sample : samples) result.push_back({latents_.at(sample.index), sample.label});
    return result;
  }

  /// Everything that comes from the report.
  void check(std::span<const EditedSample> samples) const {
    const std::int64_t w_dim = sampler_.generator().w_dim(), dimension = sampler_.generator().layout().dimension();
    for (const EditedSample& sample : samples) {
      const auto step = static_cast<std::int64_t>(sample.edit.step().size());
      if (step != 0 && step != w_dim)
        throw Error(ErrorCode::shape_mismatch, "DirectionRenderer",
                    "a direction of the report has " + std::to_string(step) + " components, the generator's w has " +
                        std::to_string(w_dim));
      for (const std::int64_t channel : sample.edit.channels())
        if (channel < 0 || channel >= dimension)
          throw Error(ErrorCode::shape_mismatch, "DirectionRenderer",
                      "the report names style channel " + std::to_string(channel) + ", the generator has " +
                          std::to_string(dimension));
      if (latents_.find(sample.index) != latents_.end()) continue;
      if (const std::int64_t label = sampler_.labels(sample.index, 1).front(); label != sample.label)
        throw Error(ErrorCode::incompatible_models, "DirectionRenderer",
                    "the report gives sample " + std::to_string(sample.index) + " label " +
                        std::to_string(sample.label) + ", its seed and label policy give " + std::to_string(label));
    }
  }

  /// Maps the start latents that are not known yet, runs of consecutive ones together.
  void remember(std::span<const EditedSample> samples) {
    std::set<std::int64_t> missing;
    for (const EditedSample& sample : samples)
      if (latents_.find(sample.index) == latents_.end()) missing.insert(sample.index);
    for (auto at = missing.begin(); at != missing.end();) {
      const std::int64_t first = *at;
      std::int64_t count = 0;
      while (at != missing.end() && *at == first + count && count < sampler_.options().batch_size) ++at, ++count;
      const Matrix<float> w = sampler_.latents_w(first, count);
      for (std::int64_t i = 0; i < count; ++i)
        latents_.emplace(first + i, std::vector<float>(w.row_span(i).begin(), w.row_span(i).end()));
    }
  }

  StyleSpaceSampler<G> sampler_;
  analysis::ProblemSource<G, classify::HeldClassifier<C, typename G::image_type>, classify::AnyCriterion> source_;
  std::map<std::int64_t, std::vector<float>> latents_;
  std::vector<std::string> property_names_;
};

/// Draws and answers for the sheets of a report; owns what it needs but generator and classifier.
template <StyleGenerator G, Classifier C>
[[nodiscard]] RenderBackend make_render_backend(const G& generator, C& classifier, const FailureReport& report,
                                                const RenderOptions& options) {
  const auto renderer = std::make_shared<EditRenderer<G, C>>(generator, classifier, report, options);
  RenderBackend backend = renderer->backend();
  backend.owner = renderer;
  return backend;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifdef FAULTLINE_COMPILED
#include <faultline/render/detail/compiled_backends.hpp>
#endif
