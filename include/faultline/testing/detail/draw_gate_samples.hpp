// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Draws the samples of one population for every gate that watches them.

#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/properties/measure.hpp>
#include <faultline/classify/input_spec_text.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/preflight.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/detail/gate_watcher.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Whether a watcher wants no more: it knows, or its budget has ended.
[[nodiscard]] inline bool is_done(const GateWatcher& watcher, std::int64_t drawn) {
  return watcher.known() || drawn >= watcher.budget();
}

/// Draws until all watchers know or have used up their budgets, and says how.
///
/// Batches start at multiples of the batch size, whatever the budgets, so that a larger one sees the same bits, and a
/// gate in company what it sees alone.
template <StyleGenerator G, Classifier C>
[[nodiscard]] Provenance draw_gate_samples(const G& generator, C& classifier, const GatePopulation& population,
                                           std::span<GateWatcher* const> watchers) {
  return core::within_memory("gate", [&] {
    const GateModels models{.classes = std::max<std::int64_t>(generator.num_classes(), 1),
                            .conditional = generator.num_classes() > 0,
                            .image_shape = generator.image_shape(),
                            .generator_digest = generator.digest(),
                            .input = classify::input_spec_text(input_spec_of(classifier))};
    std::vector<Property> properties;
    std::vector<std::string> names;
    for (GateWatcher* watcher : watchers) {
      watcher->begin(models);
      for (Property& property : watcher->properties())
        if (std::ranges::find(names, property.name) == names.end()) {
          names.push_back(property.name);
          properties.push_back(std::move(property));
        }
    }
    const StyleSpaceSampler<G> sampler(generator, population.sampling);
    const std::int64_t batch_size = population.sampling.batch_size;
    classify::Scorer<C> scorer(classifier, generator.image_shape(), generator.value_range(), sampler.classes(),
                               batch_size, population.probability_tolerance);
    for (GateWatcher* watcher : watchers) {
      watcher->bind(names);
      sampling::check_premises("gate", sampler, classifier, watcher->criterion());
    }
    sampling::preflight("gate", sampler, classifier, scorer, watchers.front()->criterion());

    std::int64_t budget = 0;
    for (const GateWatcher* watcher : watchers) budget = std::max(budget, watcher->budget());
    for (std::int64_t drawn = 0; drawn < budget;) {
      if (std::ranges::all_of(watchers, [&](const GateWatcher* watcher) { return is_done(*watcher, drawn); })) break;
      const auto batch = sampler.sample(core::gate_first + drawn, std::min(batch_size, budget - drawn));
      const classify::SampleOrigin origin{batch.index, population.sampling.seed};
      const classify::ScoredImages scored = [&] {
        if constexpr (ResidentClassifier<C, typename G::image_type>)
          return scorer.resident(batch.images, batch.label, origin);
        else return scorer(generator.image_to_host(batch.images), batch.label, origin);
      }();
      Matrix<float> values;
      if (!properties.empty())
        values = analysis::measure_properties(
            properties, to_unit_range(generator.image_to_host(batch.images), generator.value_range()),
            [&](std::int64_t i) { return "sample " + std::to_string(batch.index[static_cast<std::size_t>(i)]); });
      for (std::int64_t i = 0; i < batch.size(); ++i, ++drawn) {
        const auto at = static_cast<std::size_t>(i);
        GateSample sample{.number = drawn, .label = batch.label[at], .prediction = scored.prediction[at]};
        sample.probabilities = scored.probabilities.row_span(i);
        if (!properties.empty()) sample.properties = values.row_span(i);
        for (GateWatcher* watcher : watchers)
          if (!is_done(*watcher, drawn)) watcher->add(sample);
      }
    }
    Provenance run = analysis::describe_sampling(sampler, watchers.front()->criterion(), 0);
    analysis::describe_classifier(run, classifier);
    return run;
  });
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
