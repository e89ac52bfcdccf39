// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each default property measures its own thing on images whose answer is known, stays calm under the others'
// corruptions, and is finite for whatever comes.

#include <support/catch2.hpp>
#include <support/skip.hpp>

#include <faultline/analysis/properties/edge_width.hpp>
#include <faultline/analysis/properties/ink_shape.hpp>
#include <faultline/analysis/properties/intensity.hpp>
#include <faultline/analysis/properties/loops.hpp>
#include <faultline/analysis/properties/measure.hpp>
#include <faultline/analysis/properties/noise_level.hpp>
#include <faultline/analysis/properties/stroke_thickness.hpp>
#include <faultline/core/random.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/data/mnist.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fl = faultline;

constexpr fl::ImageShape canvas{1, 32, 32};
using Image = std::vector<float>;

/// A bright stroke of random course, 2 to 4 pixels thick, with soft edges: what an image of a digit is to these
/// measures.
Image stroke(std::int64_t index) {
  fl::core::CounterRandom random(11, fl::core::Stream::latents, index);
  const double thickness = 2.0 + 2.0 * random.uniform();
  double x = 9.0 + 14.0 * random.uniform(), y = 7.0 + 4.0 * random.uniform();
  double heading = 3.14 * random.uniform();
  const double bend = 0.16 * (random.uniform() - 0.5);
  Image image(32 * 32, 0.0f);
  for (int step = 0; step < 60; ++step) {
    for (int py = 0; py < 32; ++py)
      for (int px = 0; px < 32; ++px) {
        const auto ink = static_cast<float>(std::clamp(thickness / 2.0 + 0.5 - std::hypot(px - x, py - y), 0.0, 1.0));
        float& value = image[static_cast<std::size_t>(py * 32 + px)];
        value = std::max(value, ink);
      }
    x += 0.4 * std::cos(heading);
    y += 0.4 * std::sin(heading);
    heading += bend;
    if (x < 5 || x > 27) heading = 3.14 - heading;
    if (y < 5 || y > 27) heading = -heading;
    x = std::clamp(x, 4.0, 28.0);
    y = std::clamp(y, 4.0, 28.0);
  }
  return image;
}

Image disc(std::int64_t size, double radius, float level = 1.0f) {
  Image image(static_cast<std::size_t>(size * size));
  const double centre = static_cast<double>(size - 1) / 2.0;
  for (std::int64_t y = 0; y < size; ++y)
    for (std::int64_t x = 0; x < size; ++x)
      image[static_cast<std::size_t>(y * size + x)] =
          level *
          static_cast<float>(std::clamp(
              radius + 0.5 - std::hypot(static_cast<double>(x) - centre, static_cast<double>(y) - centre), 0.0, 1.0));
  return image;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// Share of pairs in which the second is the larger one.
double auc(const std::vector<double>& low, const std::vector<double>& high) {
  double sum = 0.0;
  for (const double a : low)
    for (const double b : high) sum += b > a ? 1.0 : b == a ? 0.5 : 0.0;
  return sum / static_cast<double>(low.size() * high.size());
}

using Measure = std::function<double(std::span<const float>, const fl::ImageShape&)>;

std::vector<double> measured(const Measure& measure, const std::vector<Image>& images,
                             const fl::data::CorruptionDraw& draw) {
  std::vector<double> values;
  for (std::size_t i = 0; i < images.size(); ++i) {
    Image image = images[i];
    fl::data::corrupt(image, 32, 32, draw, 5, static_cast<std::int64_t>(i));
    values.push_back(measure(image, canvas));
  }
  return values;
}

/// The admission rule of the method: AUC of at least .9 for the own corruption at every severity, and a response to the
/// other one of at most half the own. Responses are mean shifts against the clean images at equal severity; the second
/// image set noise and blur are applied to together tells whether one hides the other.
void check_admission(const std::vector<Image>& images) {
  for (int severity = 1; severity <= 3; ++severity) {
    const fl::data::CorruptionDraw blurred{severity, 0}, noisy{0, severity}, both{severity, severity};
    const auto noise_clean = measured(fl::analysis::noise_level, images, {}),
               blur_clean = measured(fl::analysis::edge_width, images, {});
    const auto noise_noisy = measured(fl::analysis::noise_level, images, noisy),
               blur_blurred = measured(fl::analysis::edge_width, images, blurred);
    CHECK(auc(noise_clean, noise_noisy) >= 0.9);
    CHECK(auc(blur_clean, blur_blurred) >= 0.9);
    CHECK(auc(measured(fl::analysis::noise_level, images, blurred),
              measured(fl::analysis::noise_level, images, both)) >= 0.9);
    CHECK(auc(measured(fl::analysis::edge_width, images, noisy), measured(fl::analysis::edge_width, images, both)) >=
          0.9);
    CHECK(std::abs(mean(measured(fl::analysis::noise_level, images, blurred)) - mean(noise_clean)) <=
          0.5 * (mean(noise_noisy) - mean(noise_clean)));
    CHECK(std::abs(mean(measured(fl::analysis::edge_width, images, noisy)) - mean(blur_clean)) <=
          0.5 * (mean(blur_blurred) - mean(blur_clean)));
  }
}

constexpr fl::ImageShape color_canvas{3, 32, 32};

/// The same strokes in a colour on a ground of another, brighter than it by .25 to .5 on average.
Image colored_stroke(std::int64_t index) {
  fl::core::CounterRandom random(12, fl::core::Stream::latents, index);
  const Image ink = stroke(index);
  std::vector<double> ground(3), rise(3);
  double mean_rise = 0.0;
  do {
    mean_rise = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      ground[c] = 0.45 * random.uniform();
      rise[c] = 0.05 + 0.5 * random.uniform();
      mean_rise += rise[c] / 3.0;
    }
  } while (mean_rise < 0.25);
  Image image;
  for (std::size_t c = 0; c < 3; ++c)
    for (const float v : ink) image.push_back(static_cast<float>(ground[c] + rise[c] * static_cast<double>(v)));
  return image;
}

/// Blur, then noise of brightness, the same in all channels.
Image disturbed(Image image, int blur, int noise, std::int64_t index) {
  fl::data::corrupt(image, 32, 32, {blur, 0}, 5, index);
  if (noise == 0) return image;
  std::vector<float> grain(32 * 32, 0.0f);
  fl::core::CounterRandom random(5, fl::core::Stream::corruptions, index);
  fl::data::gaussian_noise(grain, fl::data::noise_deviations[static_cast<std::size_t>(noise - 1)], random);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = std::clamp(image[i] + grain[i % grain.size()], 0.0f, 1.0f);
  return image;
}

/// Real digits, from beside the checkout or wherever the library itself finds them; without them the program ends as
/// skipped.
fl::LabelledImages real_digits() {
  std::filesystem::path folder;
#ifdef FAULTLINE_SOURCE_DIR
  const std::filesystem::path beside = std::filesystem::path(FAULTLINE_SOURCE_DIR) / ".." / "shared" / "data" / "mnist";
  if (std::filesystem::exists(beside)) folder = beside;
#endif
  try {
    if (folder.empty()) folder = fl::find_mnist();
  } catch (const fl::Error& error) {
    if (error.code() != fl::ErrorCode::data_unavailable) throw;
    skip_program(error.what());
  }
  return fl::load_mnist(folder, fl::MnistPart::test);
}

}  // namespace

TEST_CASE("noise level and blur are admitted on drawn strokes") {
  std::vector<Image> images;
  for (std::int64_t i = 0; i < 120; ++i) images.push_back(stroke(i));
  check_admission(images);
}

TEST_CASE("noise level and blur are admitted on coloured strokes that stand out little from their ground") {
  const auto values = [](const Measure& measure, int blur, int noise) {
    std::vector<double> all;
    for (std::int64_t i = 0; i < 120; ++i)
      all.push_back(measure(disturbed(colored_stroke(i), blur, noise, i), color_canvas));
    return all;
  };
  const auto shift = [&](const std::vector<double>& from, const std::vector<double>& to) {
    return mean(to) - mean(from);
  };
  const Measure blur = fl::analysis::edge_width, noise = fl::analysis::noise_level;
  const auto blur_clean = values(blur, 0, 0), noise_clean = values(noise, 0, 0);
  const double least_blur = shift(blur_clean, values(blur, 1, 0)),
               least_noise = shift(noise_clean, values(noise, 0, 1));
  CHECK(least_blur > 0.0);
  CHECK(least_noise > 0.0);
  for (int severity = 1; severity <= 3; ++severity) {
    INFO("severity " << severity);
    // The strongest noise moves blur by at most half of what the weakest blur does, and the other way round.
    CHECK(auc(blur_clean, values(blur, severity, 0)) >= 0.9);
    CHECK(std::abs(shift(blur_clean, values(blur, 0, severity))) <= 0.5 * least_blur);
    CHECK(auc(noise_clean, values(noise, 0, severity)) >= 0.9);
    CHECK(std::abs(shift(noise_clean, values(noise, severity, 0))) <= 0.5 * least_noise);
    CHECK(auc(values(noise, severity, 0), values(noise, severity, severity)) >= 0.9);
  }
  // Stronger blur leaves strokes that stand out less than the noise: then nothing is seen of it.
  CHECK(auc(values(blur, 0, 1), values(blur, 1, 1)) >= 0.9);
}

TEST_CASE("noise level does not depend on how bright the ground is") {
  for (const float ground : {0.3f, 0.5f, 0.6f}) {
    std::vector<double> clean, noisy;
    for (std::int64_t i = 0; i < 60; ++i) {
      Image image = stroke(i);
      for (float& v : image) v = ground + 0.3f * v;
      clean.push_back(fl::analysis::noise_level(image, canvas));
      fl::core::CounterRandom random(3, fl::core::Stream::corruptions, i);
      fl::data::gaussian_noise(image, 0.08, random);
      noisy.push_back(fl::analysis::noise_level(image, canvas));
    }
    INFO("ground " << ground);
    CHECK(mean(clean) < 0.004);  // edges of strokes are not noise
    CHECK(mean(noisy) == Approx(0.08).epsilon(0.05));
  }
}

TEST_CASE("noise level and blur are admitted on real digits", "[.data]") {
  std::vector<Image> images;
  const fl::LabelledImages test = real_digits();
  for (std::int64_t i = 0; i < 300; ++i) {
    Image image(32 * 32, 0.0f);
    for (std::int64_t y = 0; y < 28; ++y)
      for (std::int64_t x = 0; x < 28; ++x)
        image[static_cast<std::size_t>((y + 2) * 32 + x + 2)] =
            static_cast<float>(test.image(i)[static_cast<std::size_t>(y * 28 + x)]) / 255.0f;
    images.push_back(std::move(image));
  }
  check_admission(images);
}

TEST_CASE("real noughts mostly close their loop, eights have more than one, ones none", "[.data]") {
  std::vector<double> sum(10, 0.0), count(10, 0.0);
  const fl::LabelledImages test = real_digits();
  for (std::int64_t i = 0; i < 600; ++i) {
    Image image(28 * 28);
    for (std::size_t k = 0; k < image.size(); ++k) image[k] = static_cast<float>(test.image(i)[k]) / 255.0f;
    sum[static_cast<std::size_t>(test.label(i))] += fl::analysis::loops(image, test.shape());
    count[static_cast<std::size_t>(test.label(i))] += 1.0;
  }
  const auto loops_of = [&](std::size_t digit) { return sum[digit] / count[digit]; };
  // Many are drawn open: with any level from .2 to .5 of the range the means of these images are .85 to .91 and 1.51 to
  // 1.59.
  CHECK(loops_of(0) > 0.75);
  CHECK(loops_of(0) < 1.05);
  CHECK(loops_of(8) > 1.3);
  for (const std::size_t digit : {1U, 3U, 5U, 7U}) CHECK(loops_of(digit) < 0.2);
}

TEST_CASE("noise level estimates the standard deviation of noise") {
  for (const double sigma : {0.04, 0.08, 0.12}) {
    std::vector<double> grey, dark;
    for (std::int64_t i = 0; i < 40; ++i) {
      Image image(32 * 32, 0.5f);
      fl::core::CounterRandom random(3, fl::core::Stream::corruptions, i);
      fl::data::gaussian_noise(image, sigma, random);
      grey.push_back(fl::analysis::noise_level(image, canvas));
      for (float& v : image) v = std::max(0.0f, v - 0.5f);
      dark.push_back(fl::analysis::noise_level(image, canvas));
    }
    // 40 images of 900 correlated residuals: the standard error of the mean is below 1 % of sigma.
    CHECK(mean(grey) == Approx(sigma).epsilon(0.04));
    CHECK(mean(dark) > 0.45 * sigma);
    CHECK(mean(dark) < 0.75 * sigma);
  }
  CHECK(fl::analysis::noise_level(Image(32 * 32, 0.7f), canvas) == Approx(0.0).margin(1e-6));
}

TEST_CASE("edge width follows the blur of a disc and ignores its contrast") {
  for (const double sigma : {1.0, 2.0, 3.0}) {
    Image image = disc(64, 18.0);
    fl::data::gaussian_blur(image, 64, 64, sigma);
    const double width = fl::analysis::edge_width(image, {1, 64, 64});
    CHECK(width == Approx(2.563 * sigma).epsilon(0.15));
    for (float& v : image) v = 0.2f + 0.4f * v;
    CHECK(fl::analysis::edge_width(image, {1, 64, 64}) == Approx(width).epsilon(0.01));
    for (float& v : image) v = 1.0f - v;
    CHECK(fl::analysis::edge_width(image, {1, 64, 64}) == Approx(width).epsilon(0.01));
  }
}

TEST_CASE("stroke thickness is the radius of a disc and the width of a ring") {
  for (const double radius : {6.0, 9.0, 13.0})
    CHECK(fl::analysis::stroke_thickness(disc(40, radius), {1, 40, 40}) == Approx(radius).epsilon(0.06));
  for (const double width : {3.0, 5.0}) {
    Image ring = disc(40, 15.0);
    const Image hole = disc(40, 15.0 - width);
    for (std::size_t i = 0; i < ring.size(); ++i) ring[i] -= hole[i];
    CHECK(fl::analysis::stroke_thickness(ring, {1, 40, 40}) == Approx(width).epsilon(0.1));
  }
  CHECK(fl::analysis::stroke_thickness(disc(40, 9.0, 0.4f), {1, 40, 40}) == 0.0);
}

TEST_CASE("contrast, mean intensity and ink area are what their names say") {
  Image image(32 * 32, 0.2f);
  for (std::size_t i = 0; i < 256; ++i) image[i] = 0.8f;
  image[500] = 1.0f;  // one outlier moves no percentile
  CHECK(fl::analysis::contrast(image, canvas) == Approx(0.6));
  Image dimmed = image;
  for (float& v : dimmed) v *= 0.5f;
  CHECK(fl::analysis::contrast(dimmed, canvas) == Approx(0.6));  // a ratio
  Image veiled = image;
  for (float& v : veiled) v = 0.5f + 0.5f * v;
  CHECK(fl::analysis::contrast(veiled, canvas) == Approx(0.3 / 1.5));
  CHECK(fl::analysis::contrast(Image(32 * 32, 0.0f), canvas) == 0.0);
  CHECK(fl::analysis::ink_area(image, canvas) == Approx(257.0 / 1024.0));
  CHECK(fl::analysis::mean_intensity(image, canvas) == Approx((256 * 0.8 + 767 * 0.2 + 1.0) / 1024.0));
}

/// Ink inside |x| <= half_width, |y| <= half_height around (x, y) from the middle, y upwards, sheared by `lean`;
/// antialiased by 8 x 8 samples a pixel.
Image bar(double half_width, double half_height, double lean = 0.0, double x0 = 0.0, double y0 = 0.0) {
  Image image(32 * 32, 0.0f);
  for (int row = 0; row < 32; ++row)
    for (int column = 0; column < 32; ++column)
      for (int k = 0; k < 64; ++k) {
        const double y = 15.5 - row + (k / 8 - 3.5) / 8.0 - y0, x = column - 15.5 + (k % 8 - 3.5) / 8.0 - x0 - lean * y;
        if (std::abs(x) <= half_width && std::abs(y) <= half_height)
          image[static_cast<std::size_t>(row * 32 + column)] += 1.0f / 64.0f;
      }
  return image;
}

/// Rings of outer radius 5 and thickness 2.5, around centres in pixels.
Image rings(const std::vector<std::pair<double, double>>& centres) {
  Image image(32 * 32, 0.0f);
  for (const auto& [cx, cy] : centres)
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x) {
        float& value = image[static_cast<std::size_t>(y * 32 + x)];
        value = std::max(
            value, static_cast<float>(std::clamp(1.25 + 0.5 - std::abs(std::hypot(x - cx, y - cy) - 3.75), 0.0, 1.0)));
      }
  return image;
}

TEST_CASE("slant, width, height and position of a bar are its own, through veil, fading, noise and blur") {
  struct Bar {
    double half_width, half_height, lean, x, y;
  };
  for (const Bar& b : std::vector<Bar>{{3, 8, 0, 0, 0},
                                       {5, 9, 0.5, 0, 0},
                                       {4, 9, -0.6, 0, 0},
                                       {8, 4, 0, 4, -3},
                                       {3, 6, 0.3, -5, 6},
                                       {2.5, 10, 0.25, 2.5, 1}}) {
    INFO(b.half_width << " x " << b.half_height << " lean " << b.lean);
    const Image plain = bar(b.half_width, b.half_height, b.lean, b.x, b.y);
    const auto check = [&](const Image& image, double loose) {
      CHECK(fl::analysis::slant(image, canvas) == Approx(b.lean).margin(0.03 * loose));
      // The median takes up to a pixel off the ends of narrow, leaning bars.
      CHECK(fl::analysis::ink_width(image, canvas) == Approx(2 * b.half_width).margin(0.5 + 0.2 * loose));
      CHECK(fl::analysis::ink_height(image, canvas) == Approx(2 * b.half_height).margin(0.8 + 0.2 * loose));
      CHECK(fl::analysis::horizontal_position(image, canvas) == Approx(b.x).margin(0.1 * loose));
      CHECK(fl::analysis::vertical_position(image, canvas) == Approx(b.y).margin(0.1 * loose));
    };
    check(plain, 1.0);
    Image veiled = plain;
    for (float& v : veiled) v = 0.3f + 0.35f * v;
    check(veiled, 1.0);
    for (std::int64_t i = 0; i < 10; ++i) {
      Image noisy = plain, blurred = plain;
      fl::data::corrupt(noisy, 32, 32, {0, 3}, 5, i);
      check(noisy, 3.0);
      fl::data::corrupt(blurred, 32, 32, {1, 0}, 5, i);
      check(blurred, 2.0);
    }
  }
}

TEST_CASE("the signs of slant and position are those of a reader") {
  CHECK(fl::analysis::slant(bar(3, 9, 0.4), canvas) > 0.3);    // a slash, leaning to the right
  CHECK(fl::analysis::slant(bar(3, 9, -0.4), canvas) < -0.3);  // a backslash
  CHECK(fl::analysis::horizontal_position(bar(3, 3, 0, 6, 0), canvas) > 5.0);
  CHECK(fl::analysis::vertical_position(bar(3, 3, 0, 0, 6), canvas) > 5.0);
  CHECK(fl::analysis::vertical_position(bar(3, 3, 0, 0, -6), canvas) < -5.0);
  Image top(32 * 32, 0.0f);
  for (std::size_t i = 32; i < 96; ++i) top[i] = 1.0f;  // bright rows 1 and 2
  CHECK(fl::analysis::vertical_position(top, canvas) == Approx(14.0).margin(0.3));
  for (const auto& measure : {fl::analysis::slant, fl::analysis::ink_width, fl::analysis::ink_height,
                              fl::analysis::horizontal_position, fl::analysis::vertical_position, fl::analysis::loops})
    CHECK(measure(Image(32 * 32, 0.3f), canvas) == 0.0);
}

TEST_CASE("loops are counted, whatever the noise, and open ones are not") {
  const std::vector<std::pair<double, Image>> drawn = {{0, bar(3, 9)},
                                                       {1, rings({{15.5, 15.5}})},
                                                       {2, rings({{15.5, 10.0}, {15.5, 20.5}})},
                                                       {3, rings({{8, 8}, {22, 9}, {15, 22}})},
                                                       {0, stroke(4)}};
  for (const auto& [count, image] : drawn) {
    INFO(count << " loops");
    CHECK(fl::analysis::loops(image, canvas) == count);
    int same = 0;
    for (std::int64_t i = 0; i < 50; ++i) {
      Image noisy = image;
      fl::data::corrupt(noisy, 32, 32, {0, 2}, 5, i);
      same += fl::analysis::loops(noisy, canvas) == count ? 1 : 0;
    }
    CHECK(same >= 48);
    Image veiled = image;
    for (float& v : veiled) v = 0.2f + 0.3f * v;
    CHECK(fl::analysis::loops(veiled, canvas) == count);
  }
  Image open = rings({{15.5, 15.5}});
  for (std::size_t y = 14; y < 18; ++y)
    for (std::size_t x = 16; x < 32; ++x) open[y * 32 + x] = 0.0f;
  CHECK(fl::analysis::loops(open, canvas) == 0.0);
  Image diamond(32 * 32, 0.0f);  // joined across corners only: ink is 8-connected
  for (int i = -4; i <= 4; ++i)
    diamond[static_cast<std::size_t>((16 + i) * 32 + 16 + 4 - std::abs(i))] =
        diamond[static_cast<std::size_t>((16 + i) * 32 + 16 - 4 + std::abs(i))] = 1.0f;
  for (std::size_t x = 0; x < 32; ++x) diamond[32 * 31 + x] = 1.0f;  // enough ink for a 98th percentile
  CHECK(fl::analysis::loops(diamond, canvas) == 1.0);
  Image at_border(32 * 32, 0.0f);  // an arch that stands on the border encloses nothing
  for (std::size_t y = 20; y < 32; ++y)
    for (std::size_t x = 8; x < 24; ++x) at_border[y * 32 + x] = y < 23 || x < 11 || x > 20 ? 1.0f : 0.0f;
  CHECK(fl::analysis::loops(at_border, canvas) == 0.0);
  Image pinhole = bar(8, 8);
  pinhole[16 * 32 + 16] = 0.0f;
  CHECK(fl::analysis::loops(pinhole, canvas) == 0.0);
}

TEST_CASE("colour images are measured by the mean of their channels") {
  const Image grey = stroke(4);
  Image colour;
  for (const float share : {0.5f, 1.0f, 0.75f})
    for (const float v : grey) colour.push_back(share * v);
  Image average;
  for (const float v : grey) average.push_back(0.75f * v);
  for (const fl::Property& property : fl::applicable_properties(fl::default_properties(), canvas))
    CHECK(property.measure(colour, {3, 32, 32}) ==
          Approx(property.measure(average, canvas)).epsilon(1e-4).margin(1e-6));
}

TEST_CASE("default properties are finite for any image") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const fl::ImageShape shape :
       {fl::ImageShape{1, 0, 0}, {1, 1, 1}, {3, 2, 5}, {1, 1, 40}, {1, 40, 1}, {1, 3, 3}, {3, 17, 9}, {1, 32, 32}}) {
    for (const float level : {0.0f, 0.05f, 0.5f, 1.0f, -3.0f, 7.0f, nan, infinity, -infinity}) {
      Image image(static_cast<std::size_t>(shape.elements()), level);
      for (int pass = 0; pass < 2; ++pass) {
        for (const fl::Property& property : fl::default_properties()) {
          INFO(property.name << " of " << shape.channels << " x " << shape.height << " x " << shape.width << " at "
                             << level);
          CHECK(std::isfinite(property.measure(image, shape)));
        }
        fl::core::CounterRandom random(1, fl::core::Stream::corruptions, pass);
        for (float& v : image) v = random.uniform() < 0.3 ? nan : static_cast<float>(random.normal());
      }
    }
  }
}

TEST_CASE("measure_properties fills one row per image and one column per property") {
  fl::ImageBatch images(3, canvas);
  for (std::int64_t i = 0; i < 3; ++i) std::ranges::copy(stroke(i), images.image(i).begin());
  std::vector<fl::Property> properties = fl::applicable_properties(fl::default_properties(), canvas);
  REQUIRE(properties.size() == 12);
  properties.push_back({"first pixel", [](std::span<const float> image, const fl::ImageShape&) {
                          return static_cast<double>(image[0]);
                        }});
  images.image(2)[0] = 0.25f;
  const fl::Matrix<float> values = fl::analysis::measure_properties(properties, images);
  REQUIRE(values.rows() == 3);
  REQUIRE(values.cols() == 13);
  CHECK(values(2, 12) == 0.25f);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(values(i, 4) == Approx(fl::analysis::ink_area(images.image(i), canvas)));
}

TEST_CASE("measure_properties blames the property that misbehaves") {
  fl::ImageBatch images(2, canvas);
  images.image(1)[0] = 1.0f;
  const auto fails_with = [&](const fl::Property& property) {
    std::vector<fl::Property> properties = fl::default_properties();
    properties.push_back(property);
    try {
      (void)fl::analysis::measure_properties(properties, images);
    } catch (const fl::Error& error) {
      return std::make_pair(error.code(), std::string(error.what()));
    }
    return std::make_pair(fl::ErrorCode::invalid_argument, std::string("nothing was thrown"));
  };
  const auto on_second = [](std::span<const float> image) { return image[0] > 0.5f; };
  const auto [thrown, thrown_text] =
      fails_with({"slant", [&](std::span<const float> image, const fl::ImageShape&) -> double {
                    if (on_second(image)) throw std::runtime_error("no ink");
                    return 0.0;
                  }});
  CHECK(thrown == fl::ErrorCode::property_threw);
  CHECK(thrown_text.find("\"slant\" threw on image 1") != std::string::npos);
  CHECK(thrown_text.find("no ink") != std::string::npos);
  const auto [odd, odd_text] =
      fails_with({"odd", [](std::span<const float>, const fl::ImageShape&) -> double { throw 3; }});
  CHECK(odd == fl::ErrorCode::property_threw);
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300}) {
    const auto [code, text] = fails_with(
        {"ratio", [&](std::span<const float> image, const fl::ImageShape&) { return on_second(image) ? value : 0.0; }});
    CHECK(code == fl::ErrorCode::property_threw);
    CHECK(text.find("\"ratio\" returned") != std::string::npos);
  }
  const auto [empty, empty_text] = fails_with({"nameless", nullptr});
  CHECK(empty == fl::ErrorCode::invalid_argument);
  CHECK(empty_text.find("nameless") != std::string::npos);
}
