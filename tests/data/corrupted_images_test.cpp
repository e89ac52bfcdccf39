// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/corrupted_images.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>

namespace fl = faultline;
using faultline_tests::error_code;
using fl::CorruptionMix;
using fl::ErrorCode;

namespace {

fl::LabelledImages tiny_set() { return {3, 2, 2, 10, {0, 51, 102, 255, 255, 255, 255, 255, 1, 2, 3, 4}, {4, 5, 6}}; }

std::vector<float> image_of(const fl::LabelledImages& images, std::int64_t index,
                            const fl::CorruptionOptions& options) {
  std::vector<float> out(static_cast<std::size_t>(fl::data::canvas_shape(images, options).elements()), -7.0f);
  fl::data::make_corrupted_image(images, index, options, out);
  return out;
}

}  // namespace

TEST_CASE("A clean training image is the padded original in the unit interval", "[corrupted_images]") {
  const auto image = image_of(tiny_set(), 0, {.mix = CorruptionMix::none, .padding = 1});
  CHECK(image == std::vector<float>{0, 0, 0, 0, 0, 0, 51 / 255.0f, 0, 0, 102 / 255.0f, 1, 0, 0, 0, 0, 0});
  fl::LabelledImages digits{1, 28, 28, 10, std::vector<std::uint8_t>(28 * 28, 255), {0}};
  CHECK(fl::data::canvas_shape(digits, {}) == fl::ImageShape{1, 32, 32});
}

TEST_CASE("Padding comes before corruption, so noise and blur cover the whole canvas", "[corrupted_images]") {
  const auto images = tiny_set();
  bool noisy_corner = false, blurred_border = false;
  for (std::int64_t index = 1; index < 200; index += 3) {  // image 1 is white
    const fl::data::CorruptionDraw draw = fl::data::draw_corruption(CorruptionMix::independent, 3, index);
    const auto image = image_of(images, index, {.seed = 3});
    if (draw == fl::data::CorruptionDraw{0, 3} && image[0] > 0.0f) noisy_corner = true;
    if (draw.blur_severity == 1 && draw.noise_severity == 0) {
      CHECK(image[6 * 1 + 2] > 0.01f);  // one row above the white square
      CHECK(image[6 * 2 + 2] < 0.9f);
      blurred_border = true;
    }
  }
  CHECK(noisy_corner);
  CHECK(blurred_border);
}

TEST_CASE("The index alone decides, and counts on over epochs", "[corrupted_images]") {
  const auto images = tiny_set();
  const fl::CorruptionOptions options{.seed = 8};
  CHECK(image_of(images, 5, options) == image_of(images, 5, options));
  const fl::CorruptionOptions clean{.mix = CorruptionMix::none};
  CHECK(image_of(images, 5, clean) == image_of(images, 2, clean));
  int equal = 0;
  for (std::int64_t epoch = 1; epoch <= 40; ++epoch)
    equal += image_of(images, 1, options) == image_of(images, 1 + 3 * epoch, options) ? 1 : 0;
  CHECK(equal < 40);  // fresh corruptions in later epochs

  const fl::ImageBatch batch = fl::corrupted_images(images, 4, 20, options);
  CHECK(batch.count() == 20);
  CHECK(batch.shape() == fl::ImageShape{1, 6, 6});
  for (std::int64_t i = 0; i < 20; ++i) {
    const auto alone = image_of(images, 4 + i, options);
    CHECK(std::equal(alone.begin(), alone.end(), batch.image(i).begin()));
  }
}

TEST_CASE("Both options of mix and axis reach the image", "[corrupted_images]") {
  const auto images = tiny_set();
  int mixes = 0, axes = 0;
  for (std::int64_t index = 0; index < 60; ++index) {
    mixes += image_of(images, index, {.mix = CorruptionMix::paper, .seed = 1}) != image_of(images, index, {.seed = 1})
                 ? 1
                 : 0;
    axes += image_of(images, index, {.seed = 1, .axis = fl::data::BlurAxis::vertical}) !=
                    image_of(images, index, {.seed = 1})
                ? 1
                : 0;
  }
  CHECK(mixes > 0);
  CHECK(axes > 0);
}

TEST_CASE("Requests that cannot be met are refused", "[corrupted_images]") {
  const auto images = tiny_set();
  std::vector<float> out(36);
  CHECK(error_code([&] { fl::data::make_corrupted_image({}, 0, {}, out); }) == ErrorCode::empty_input);
  CHECK(error_code([&] { fl::data::make_corrupted_image(images, -1, {}, out); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::data::make_corrupted_image(images, 0, {.padding = -1}, out); }) ==
        ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::data::make_corrupted_image(images, 0, {.padding = 4097}, out); }) ==
        ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::data::make_corrupted_image(images, 0, {.padding = 1}, out); }) ==
        ErrorCode::shape_mismatch);
  CHECK(error_code([&] { (void)fl::corrupted_images(images, 0, -1); }) == ErrorCode::invalid_argument);
  CHECK(fl::corrupted_images(images, 0, 0).count() == 0);
}
