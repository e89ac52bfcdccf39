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
#include <faultline/core/interrupted.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/preflight.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/detail/gate_watcher.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// The properties of all watchers, each once, and which of them each watcher wants.
class WantedProperties {
 public:
  /// Called for every watcher, in the order of `watchers` below.
  void add(std::vector<Property> properties) {
    std::vector<std::size_t>& own = of_watcher_.emplace_back();
    for (Property& property : properties) {
      const auto found = std::ranges::find(names_, property.name);
      own.push_back(static_cast<std::size_t>(found - names_.begin()));
      if (found != names_.end()) continue;
      names_.push_back(property.name);
      properties_.push_back(std::move(property));
    }
  }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  /// `[images, names]` what those want that still watch; NaN where nobody asks. `images` are asked for if anybody does.
  template <class Images, class Describe>
  [[nodiscard]] Matrix<float> measure(std::span<GateWatcher* const> watchers, std::int64_t drawn, std::int64_t count,
                                      const Images& images, const Describe& describe) const {
    std::vector<std::uint8_t> wanted(names_.size(), 0);
    for (std::size_t k = 0; k < watchers.size(); ++k)
      if (!is_done(*watchers[k], drawn))
        for (const std::size_t p : of_watcher_[k]) wanted[p] = 1;
    std::vector<Property> asked;
    for (std::size_t p = 0; p < names_.size(); ++p)
      if (wanted[p] != 0) asked.push_back(properties_[p]);
    Matrix<float> values = Matrix<float>::Constant(count, static_cast<std::int64_t>(names_.size()),
                                                   std::numeric_limits<float>::quiet_NaN());
    if (asked.empty()) return values;
    const Matrix<float> measured = analysis::measure_properties(asked, images(), describe);
    std::int64_t next = 0;
    for (std::size_t p = 0; p < names_.size(); ++p)
      if (wanted[p] != 0) values.col(static_cast<std::int64_t>(p)) = measured.col(next++);
    return values;
  }

 private:
  std::vector<std::string> names_;
  std::vector<Property> properties_;
  std::vector<std::vector<std::size_t>> of_watcher_;
};

/// Draws until all watchers know or have used up their budgets, and says how. An error of the classifier ends it:
/// `Interrupted<SamplesDrawn>`, and what the watchers have seen stands.
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
    WantedProperties properties;
    for (GateWatcher* watcher : watchers) {
      watcher->begin(models);
      properties.add(watcher->properties());
    }
    const StyleSpaceSampler<G> sampler(generator, population.sampling);
    const std::int64_t batch_size = population.sampling.batch_size;
    classify::Scorer<C> scorer(classifier, generator.image_shape(), generator.value_range(), sampler.classes(),
                               batch_size, population.probability_tolerance);
    for (GateWatcher* watcher : watchers) {
      watcher->bind(properties.names());
      sampling::check_premises("gate", sampler, classifier, watcher->criterion());
    }
    sampling::preflight("gate", sampler, classifier, scorer, watchers.front()->criterion());

    std::int64_t budget = 0, drawn = 0;
    for (const GateWatcher* watcher : watchers) budget = std::max(budget, watcher->budget());
    const auto described = [&] {
      Provenance run = analysis::describe_sampling(sampler, watchers.front()->criterion(), 0);
      analysis::describe_classifier(run, classifier);
      return run;
    };
    try {
      while (drawn < budget) {
        if (std::ranges::all_of(watchers, [&](const GateWatcher* watcher) { return is_done(*watcher, drawn); })) break;
        const auto batch = sampler.sample(core::gate_first + drawn, std::min(batch_size, budget - drawn));
        const classify::SampleOrigin origin{batch.index, population.sampling.seed};
        const classify::ScoredImages scored = [&] {
          if constexpr (ResidentClassifier<C, typename G::image_type>)
            return scorer.resident(batch.images, batch.label, origin);
          else return scorer(generator.image_to_host(batch.images), batch.label, origin);
        }();
        const Matrix<float> values = properties.measure(
            watchers, drawn, batch.size(),
            [&] { return to_unit_range(generator.image_to_host(batch.images), generator.value_range()); },
            [&](std::int64_t i) { return "sample " + std::to_string(batch.index[static_cast<std::size_t>(i)]); });
        for (std::int64_t i = 0; i < batch.size(); ++i, ++drawn) {
          const auto at = static_cast<std::size_t>(i);
          GateSample sample{.number = drawn, .label = batch.label[at], .prediction = scored.prediction[at]};
          sample.probabilities = scored.probabilities.row_span(i);
          sample.properties = values.row_span(i);
          for (GateWatcher* watcher : watchers)
            if (!is_done(*watcher, drawn)) watcher->add(sample);
        }
      }
    } catch (const Error& error) {
      if (!core::is_interruption(error)) throw;
      std::throw_with_nested(Interrupted<SamplesDrawn>(error, {described(), drawn}));
    }
    return described();
  });
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
