// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Failing samples as a folder of labelled pictures: for retraining, for a ticket.

#include <faultline/analysis/describe/failing_samples.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

namespace detail {

/// Writes pictures one by one as `image(i)` gives them, `[C, H, W]` in [0, 1], and then the tables.
void write_failing_images(const std::filesystem::path& folder, std::span<const analysis::FailingSample> samples,
                          std::span<const std::string> properties, const ImageShape& shape,
                          const std::function<std::vector<float>(std::size_t)>& image);

}  // namespace detail

/// Writes a picture for each sample, of the generator's size, and two tables: `labels.csv` (file, label), which
/// `load_image_folder` and most training code read, and `failures.csv` with the answer, the probability of the label,
/// the sample's index, its score along the condition and the properties of the condition. The folder is created where
/// it is missing, pictures that an earlier call left in it are replaced; the tables are written last, each all or
/// nothing.
///
/// `run` is the report's provenance, whose sampler made the samples. Files are named by rank, label and answer:
/// `0001-label-7-answer-1.png`.
/// **Throws** inconsistent_files for another generator than the run's, or a folder that holds other pictures;
/// cannot_write, not_durable. **Cost**: one image of the generator per sample.
/// Example: `write_failing_images(generator, report.provenance, failing_samples(analyzer.problem(), cause), {"blur"},
/// "failures/blur")`
template <StyleGenerator G>
void write_failing_images(const G& generator, const Provenance& run, std::span<const analysis::FailingSample> samples,
                          std::span<const std::string> properties, const std::filesystem::path& folder) {
  core::within_memory("write_failing_images", [&] {
    if (generator.digest() != run.generator_digest)
      throw Error(ErrorCode::inconsistent_files, "write_failing_images",
                  "the samples are of the generator " + run.generator_digest.substr(0, 12) + ", not of " +
                      std::string(generator.digest()).substr(0, 12));
    const StyleSpaceSampler<G> sampler(generator, analysis::sampler_options(run));
    detail::write_failing_images(folder, samples, properties, generator.image_shape(), [&](std::size_t i) {
      const auto batch = sampler.sample(samples[i].index, 1);
      const ImageBatch images = to_unit_range(generator.image_to_host(batch.images), generator.value_range());
      return std::vector<float>(images.image(0).begin(), images.image(0).end());
    });
  });
}

}  // namespace render

using render::write_failing_images;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/failing_images_impl.hpp>
#endif
