// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measures of colour against values worked out by hand, and which images have them.

#include <support/catch2.hpp>

#include <faultline/analysis/properties/color.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/make_classifier.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace fl = faultline;
namespace fa = faultline::analysis;

using Color = std::array<float, 3>;

struct Picture {
  std::vector<float> values;  // [3, 1, W]
  fl::ImageShape shape;
};

/// A row of pixels.
Picture row(const std::vector<Color>& pixels) {
  Picture picture{{}, {3, 1, static_cast<std::int64_t>(pixels.size())}};
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (const Color& pixel : pixels) picture.values.push_back(pixel[channel]);
  return picture;
}

struct Measured {
  double saturation, hue_spread, color_cast;
};
Measured measure(const Picture& picture) {
  return {fa::saturation(picture.values, picture.shape), fa::hue_spread(picture.values, picture.shape),
          fa::color_cast(picture.values, picture.shape)};
}
void check(const std::vector<Color>& pixels, const Measured& expected) {
  const Measured found = measure(row(pixels));
  CHECK(found.saturation == Approx(expected.saturation).margin(1e-6));
  CHECK(found.hue_spread == Approx(expected.hue_spread).margin(1e-6));
  CHECK(found.color_cast == Approx(expected.color_cast).margin(1e-6));
}

constexpr Color red{1, 0, 0}, green{0, 1, 0}, blue{0, 0, 1}, cyan{0, 1, 1}, grey{0.5f, 0.5f, 0.5f}, black{0, 0, 0};
const double nothing = 0.0;

}  // namespace

TEST_CASE("grey and black images have no colour") {
  check({grey, black, {0.9f, 0.9f, 0.9f}}, {nothing, nothing, nothing});
  check({black, black}, {nothing, nothing, nothing});
}

TEST_CASE("one colour all over is its saturation and its distance from grey") {
  check({red, red}, {1.0, 0.0, 1.0});
  check({{0.8f, 0.4f, 0.4f}}, {0.5, 0.0, 0.4});
  // orange: max - min is .5 of 1; differences .25, .25 and .5, squares .0625 + .0625 + .25, half of it .1875
  check({{1.0f, 0.75f, 0.5f}}, {0.5, 0.0, std::sqrt(0.1875)});
}

TEST_CASE("a pixel counts by its value in the saturation and by its chroma in the hue") {
  check({red, grey}, {1.0 / 1.5, 0.0, 0.5});  // ranges 1 and 0 of values 1 and .5; the mean is (.75, .25, .25)
  check({red, black, black, black}, {1.0, 0.0, 0.25});
}

TEST_CASE("hues cancel out by the angle between them") {
  check({red, cyan}, {1.0, 1.0, 0.0});         // complements
  check({red, green, blue}, {1.0, 1.0, 0.0});  // thirds of the circle
  check({red, green}, {1.0, 0.5, 0.5});        // 120 degrees apart: half of the length is left
  // (1, 0) and half of (-.5, -.866): the sum is (.75, -.433), of length .866; lengths add up to 1.5
  check({red, {0, 0, 0.5f}}, {1.0, 1.0 - std::sqrt(0.75) / 1.5, std::sqrt(0.75) / 2.0});
}

TEST_CASE("brightness by a factor changes neither saturation nor hue spread, grey noise no hue") {
  const std::vector<Color> pixels = {{0.8f, 0.2f, 0.4f}, {0.3f, 0.6f, 0.3f}, {0.2f, 0.3f, 0.7f}, {0.5f, 0.5f, 0.2f}};
  std::vector<Color> darker = pixels, noisy = pixels;
  for (Color& pixel : darker)
    for (float& value : pixel) value *= 0.5f;
  float grain = 0.15f;
  for (Color& pixel : noisy) {
    for (float& value : pixel) value += grain;
    grain = -grain;
  }
  const Measured before = measure(row(pixels)), dark = measure(row(darker)), loud = measure(row(noisy));
  CHECK(before.hue_spread > 0.1);
  CHECK(dark.saturation == Approx(before.saturation));
  CHECK(dark.hue_spread == Approx(before.hue_spread));
  CHECK(dark.color_cast == Approx(0.5 * before.color_cast));
  CHECK(loud.hue_spread == Approx(before.hue_spread));
  CHECK(loud.color_cast == Approx(before.color_cast));
}

TEST_CASE("colour fades to nothing with the last of the light") {
  check({{0.01f, 0, 0}, {0.01f, 0, 0}}, {0.5, 0.0, 0.01});  // .01 of at least .02
  check({{0.01f, 0, 0}, {0, 0.01f, 0.01f}}, {0.5, 0.5, 0.0});
  const Measured faint = measure(row({{0.5f, 0.5001f, 0.5f}, {0.5f, 0.5f, 0.5001f}}));  // all but grey
  CHECK(faint.saturation < 0.001);
  CHECK(faint.hue_spread < 0.01);
}

TEST_CASE("values outside the range count as its ends and no number as black") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check({{7.0f, -3.0f, nan}}, {1.0, 0.0, 1.0});
}

TEST_CASE("colour is a property of images of three channels only") {
  const std::vector<float> values(4 * 6, 0.25f);
  for (const std::int64_t channels : {1, 2, 4}) {
    const fl::ImageShape shape{channels, 2, 3};
    CHECK(fa::saturation(values, shape) == nothing);
    CHECK(fa::hue_spread(values, shape) == nothing);
    CHECK(fa::color_cast(values, shape) == nothing);
  }
  std::vector<std::string> grey_names, names;
  for (const fl::Property& property : fl::applicable_properties(fl::default_properties(), {1, 8, 8}))
    grey_names.push_back(property.name);
  for (const fl::Property& property : fl::applicable_properties(fl::default_properties(), {3, 8, 8}))
    names.push_back(property.name);
  REQUIRE(grey_names.size() == 12);
  REQUIRE(names.size() == 15);
  CHECK(std::vector<std::string>(names.begin(), names.begin() + 12) == grey_names);
  CHECK(std::vector<std::string>(names.begin() + 12, names.end()) ==
        std::vector<std::string>{"saturation", "hue spread", "colour cast"});
}

TEST_CASE("labelled images are measured in colour where they have it") {
  auto classifier = fl::make_classifier(
      [](fl::ImageView images) {
        fl::ScoreMatrix scores(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 1) = images(i, 0, 0, 0) - 0.5f;
        return scores;
      },
      {.classes = 2, .scores = fl::Scores::logits});
  for (const std::int64_t channels : {1, 3}) {
    fl::LabelledImages images{.count = 20, .height = 4, .width = 4, .classes = 2};
    images.channels = channels;
    for (std::int64_t i = 0; i < images.count; ++i) {
      images.labels.push_back(static_cast<std::uint8_t>(i % 2));
      for (std::int64_t v = 0; v < channels * 16; ++v)
        images.pixels.push_back(static_cast<std::uint8_t>(v < 16 ? 10 * i + 60 : 60));  // redder and redder
    }
    const fl::LabelledTable table = fl::measure_labelled_images(images, classifier);
    REQUIRE(table.property_names.size() == (channels == 3 ? 15u : 12u));
    REQUIRE(table.properties.cols() == (channels == 3 ? 15 : 12));
    if (channels == 1) continue;
    CHECK(table.property_names[12] == "saturation");
    for (std::int64_t i = 0; i < images.count; ++i)
      CHECK(static_cast<double>(table.properties(i, 12)) ==
            Approx(10.0 * static_cast<double>(i) / (10.0 * static_cast<double>(i) + 60.0)).margin(1e-5));
  }
}
