// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What failed in a gate, as a picture beside its message.

#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/random.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// A sample on which the classifier failed.
struct FailedSample {
  std::int64_t index = 0;  ///< of the sample, from 2^43 on
  std::int64_t label = 0;
  std::int64_t prediction = 0;
  double probability = 0.0;  ///< of the label
  ImageBatch image;          ///< one, in [0, 1]
};

/// Samples to a picture.
inline constexpr std::int64_t pictured_failures = 16;

namespace detail {

/// Writes `<folder>/<name>.png`, with _ for spaces and slashes in the name, makes the folder where there is none, and
/// returns the file's path.
[[nodiscard]] std::string draw_failures(const std::vector<FailedSample>& failures, const GateResult& result,
                                        const std::vector<std::string>& class_names,
                                        const std::filesystem::path& folder, const std::string& name);

}  // namespace detail

/// The same result with a picture of the first failures among its samples, which are drawn again; a gate that passed,
/// and one without failures, is returned as it is.
///
/// Give the generator, classifier and criterion of the gate.
/// **Throws** cannot_write, and what sampling and scoring throw.
/// **Cost**: the gate's samples up to the sixteenth failure, once more.
/// Example: `REQUIRE_THAT(with_pictures(gate(generator, mine, policy), generator, mine, "failures", "release"),
/// Holds());`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
[[nodiscard]] GateResult with_pictures(const GateResult& result, const G& generator, C& classifier,
                                       const std::filesystem::path& folder, const std::string& name,
                                       const F& criterion = {}) {
  if (result.passed()) return result;
  const StyleSpaceSampler<G> sampler(generator, sampler_options(result.run()));
  const std::int64_t batch_size = result.run().batch_size, drawn = result.run().samples_per_split;
  const auto held = classify::hold<typename G::image_type>(classifier);
  classify::Scorer scorer(*held, generator.image_shape(), generator.value_range(), sampler.classes(), batch_size, 0.1);
  std::vector<FailedSample> failures;
  const auto full = [&] { return static_cast<std::int64_t>(failures.size()) == pictured_failures; };
  for (std::int64_t done = 0; done < drawn && !full(); done += batch_size) {
    const auto batch = sampler.sample(core::gate_first + done, std::min(batch_size, drawn - done));
    const ImageBatch images = generator.image_to_host(batch.images);
    const classify::ScoredImages scored = scorer(images, batch.label, {batch.index, result.run().seed});
    const ImageBatch unit = to_unit_range(images, generator.value_range());
    for (std::int64_t i = 0; i < batch.size() && !full(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!judge_outcome("with_pictures", criterion, scored.probabilities.row_span(i), batch.label[at])) continue;
      FailedSample one{batch.index[at], batch.label[at], scored.prediction[at],
                       static_cast<double>(scored.probability[at]), ImageBatch(1, unit.shape())};
      std::ranges::copy(unit.image(i), one.image.image(0).begin());
      failures.push_back(std::move(one));
    }
  }
  if (failures.empty()) return result;
  GateFindings found = result.findings();
  found.pictures.push_back(detail::draw_failures(failures, result, analysis::class_names_of(generator), folder, name));
  return GateResult(std::move(found));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/failure_pictures_impl.hpp>
#endif
