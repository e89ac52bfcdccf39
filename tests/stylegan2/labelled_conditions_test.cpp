// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The worked case without its generator: what the shipped classifier's failures on corrupted test digits go with, and
// whether generated digits fail where real ones do.
#include <faultline/analysis/describe/real_image_check.hpp>
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/data/classifier_file.hpp>

#include <support/catch2.hpp>
#include <support/skip.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace fl = faultline;

namespace {

fl::LabelledTable corrupted_digits(std::int64_t seed) {
  std::filesystem::path folder;
  try {
    folder = fl::find_mnist();
  } catch (const fl::Error& error) {
    skip_program(error.what());
  }
  auto clean = fl::load_classifier(std::string(FAULTLINE_TEST_ASSETS_DIR) + "/clean.safetensors");
  return fl::measure_labelled_images(
      fl::load_labelled_images(folder), clean, fl::Misclassified{},
      {.corruption = {.mix = fl::CorruptionMix::independent, .seed = seed, .padding = 2}});
}

}  // namespace

TEST_CASE("failures of clean on corrupted test digits go with blur first and noise level second", "[.data]") {
  for (const std::int64_t seed : {0, 1}) {
    const auto found = fl::find_labelled_conditions(
        corrupted_digits(seed), {.seed = seed, .conditions = {.permutations = 999, .half_samples = 0}});
    REQUIRE(found.conditions.size() >= 2);
    CHECK(found.conditions[0].name == "blur");
    CHECK(found.conditions[1].name == "noise level");
    for (std::size_t k = 0; k < found.conditions.size(); ++k) {
      if (k < 2) CHECK(found.conditions[k].failing == fl::analysis::FailingValues::more);
      if (k >= 2) CHECK(found.conditions[k].share < found.conditions[1].share);
    }
    CHECK(found.conditions[0].share > 0.45);
    CHECK(found.failure_rate.estimate > 0.25);
    CHECK(found.failure_rate.estimate < 0.35);
  }
}

TEST_CASE("generated digits fail at the blur at which real ones do", "[.data]") {
  const fl::LabelledTable real = corrupted_digits(0);
  const auto generator =
      fl::Generator<fl::CpuBackend>::load(std::string(FAULTLINE_TEST_ASSETS_DIR) + "/digits.safetensors");
  auto clean = fl::load_classifier(std::string(FAULTLINE_TEST_ASSETS_DIR) + "/clean.safetensors");
  const fl::StyleSpaceSampler sampler(generator, {.seed = 7});
  fl::FailureAnalyzer analyzer(sampler, clean, fl::Misclassified{}, {.samples = 2000});
  const fl::Population& generated = analyzer.problem().discovery;
  const auto checks = fl::check_on_real_images(analyzer.problem().property_names, generated.properties,
                                               generated.failed, generated.valid, real);
  REQUIRE(checks.size() == analyzer.problem().property_names.size());
  for (const fl::RealImageCheck& check : checks) {
    UNSCOPED_INFO(check.property << ": " << check.rank_correlation.value_or(-2.0) << " over " << check.bins);
    if (check.property != "blur") continue;
    CHECK(check.bins >= 8);
    REQUIRE(check.rank_correlation);
    CHECK(*check.rank_correlation > 0.9);
  }
}
