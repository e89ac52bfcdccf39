// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The quality of a generator against real images of any number of channels, and sets that cannot stand beside it.

#include <faultline/classify/initial_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/sampling/generator_quality.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

namespace fl = faultline;
namespace fc = faultline::classify;
using fl::ErrorCode;

namespace {

ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

/// Colour noise of 12x12 pixels, brighter the larger the label, of three classes.
fl::LabelledImages noise(std::int64_t count, std::int64_t seed) {
  fl::LabelledImages images{.count = count, .height = 12, .width = 12, .classes = 3, .channels = 3};
  for (std::int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<std::uint8_t>(i % 3));
    fl::core::CounterRandom random(seed, fl::core::Stream::latents, i);
    for (int p = 0; p < 3 * 144; ++p)
      images.pixels.push_back(static_cast<std::uint8_t>(random.below(100) + 70 * (i % 3)));
  }
  return images;
}

}  // namespace

TEST_CASE("a generator is measured against colour pictures, padded to its size") {
  const auto generator = fl::Generator<fl::CpuBackend>::load(std::filesystem::path(FAULTLINE_SOURCE_DIR) /
                                                             "tests/fixtures/small.generator.safetensors");
  REQUIRE(generator.image_shape() == fl::ImageShape{3, 16, 16});
  const auto judge_of = [](fl::InputSpec input, std::int64_t classes = 3) {
    return fc::NetworkClassifier(fc::initial_classifier({.classes = classes, .input = std::move(input)}, 5));
  };
  const fc::NetworkClassifier judge = judge_of({.channels = 3, .height = 14, .width = 14});
  const fl::LabelledImages others = noise(40, 1), test = noise(50, 2);
  const fl::QualityOptions options{.samples = 40, .mix = fl::CorruptionMix::none};
  const fl::GeneratorQuality quality = fl::evaluate_generator(generator, judge, others, test, options);

  const fl::ImageBatch prepared =
      fl::prepare_images(fl::corrupted_images(test, 0, 40, {.mix = fl::CorruptionMix::none, .padding = 2}), {0.0, 1.0},
                         judge.input_spec());
  fc::ClassAccuracy by_hand;
  fc::count_correct(judge, prepared, std::vector<std::int64_t>(test.labels.begin(), test.labels.begin() + 40), by_hand);
  CHECK(quality.real.correct == by_hand.correct);
  CHECK(quality.real.count == std::vector<std::int64_t>{14, 13, 13});
  CHECK(quality.generated.count == std::vector<std::int64_t>{14, 13, 13});
  CHECK(quality.distance_real > 0.0);
  CHECK(quality.distance_generated > quality.distance_real);  // the generator has learned nothing of this noise
  // Of a set and itself
  const fl::GeneratorQuality same = fl::evaluate_generator(generator, judge, test, test, options);
  CHECK(std::abs(same.distance_real) < 1e-6 * same.distance_generated);
  CHECK(same.cover_real.coverage == 1.0);

  const auto code = [&](const fc::NetworkClassifier& asked, const fl::LabelledImages& train,
                        const fl::LabelledImages& real, const fl::QualityOptions& chosen) {
    return code_of([&] { (void)fl::evaluate_generator(generator, asked, train, real, chosen); });
  };
  const fl::InputSpec fits{.channels = 3, .height = 14, .width = 14};
  CHECK(code(judge_of(fits, 4), others, test, options) == ErrorCode::incompatible_models);
  CHECK(code(judge_of({.channels = 3, .height = 14, .width = 18}), others, test, options) ==
        ErrorCode::incompatible_models);
  CHECK(code(judge_of({.channels = 3, .height = 14, .width = 14, .mean = {0.5}}), others, test, options) ==
        ErrorCode::incompatible_models);
  const auto with = [&](const std::function<void(fl::LabelledImages&)>& change) {
    fl::LabelledImages changed = test;
    change(changed);
    return code(judge, others, changed, options);
  };
  CHECK(with([](fl::LabelledImages& set) { set.channels = 1, set.width = 36; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.height = 11; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.height = 18; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.width = 10; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.classes = 4; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.labels.clear(), set.classes = 0; }) == ErrorCode::incompatible_models);
  CHECK(with([](fl::LabelledImages& set) { set.count = 0; }) == ErrorCode::empty_input);
  CHECK(with([](fl::LabelledImages& set) { set.count = 39; }) == ErrorCode::invalid_argument);
  CHECK(code(judge, others, test, {.samples = 45, .mix = fl::CorruptionMix::independent}) == ErrorCode{0});
}
