// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Augmentation: known results, the resampling against a slow one written from its definition, gradients, and the
// distribution of the draws.

#include <support/catch2.hpp>

#include <torch/support.hpp>

#include <faultline/torch/training/augment.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

using namespace test;
namespace ft = faultline::training;
using Draw = ft::AugmentationDraw;
using fl::ErrorCode;

namespace {

at::Tensor one(const at::Tensor& image, const Draw& draw) { return ft::augment(image, std::array{draw}); }

double pixel(const at::Tensor& image, std::int64_t y, std::int64_t x) { return image[0][0][y][x].item<double>(); }

using Plane = std::vector<std::vector<double>>;

/// The geometric step for one plane, written from its definition: mirror by the margins, insert zeros, filter, sample
/// bilinearly, filter, drop every other sample. `map` takes (x, y) of an output pixel from the centre to the image; the
/// margins are left, top, right, bottom.
Plane slow_resample(const Plane& image, const std::function<std::array<double, 2>(double, double)>& map,
                    std::array<std::int64_t, 4> margins) {
  const std::array<double, 12> raw = {0.015404109327027373, 0.0034907120842174702, -0.11799011114819057,
                                      -0.048311742585633,   0.4910559419267466,    0.787641141030194,
                                      0.3379294217276218,   -0.07263752278646252,  -0.021060292512300564,
                                      0.04472490177066578,  0.0017677118642428036, -0.007800708325034148};
  std::array<double, 12> h{};
  double sum = 0.0;
  for (const double value : raw) sum += value;
  for (std::size_t i = 0; i < 12; ++i) h[i] = raw[i] / sum;
  const auto size = static_cast<std::int64_t>(image.size());
  const auto mirror = [&](std::int64_t i) {
    while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
    return static_cast<std::size_t>(i);
  };
  const std::int64_t left = margins[0], top = margins[1], right = margins[2], bottom = margins[3];
  const std::int64_t width = size + left + right, height = size + top + bottom, fine_width = 2 * width,
                     fine_height = 2 * height;
  // Zero insertion with 6 zeros before and 5 after, as a function; then convolution, rows and columns at once.
  const auto inserted = [&](std::int64_t y, std::int64_t x) {
    y -= 6;
    x -= 6;
    if (y < 0 || x < 0 || y >= fine_height || x >= fine_width || y % 2 != 0 || x % 2 != 0) return 0.0;
    return image[mirror(y / 2 - top)][mirror(x / 2 - left)];
  };
  Plane fine(static_cast<std::size_t>(fine_height), std::vector<double>(static_cast<std::size_t>(fine_width), 0.0));
  for (std::int64_t y = 0; y < fine_height; ++y)
    for (std::int64_t x = 0; x < fine_width; ++x)
      for (std::int64_t i = 0; i < 12; ++i)
        for (std::int64_t j = 0; j < 12; ++j)
          fine[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] +=
              4.0 * h[static_cast<std::size_t>(i)] * h[static_cast<std::size_t>(j)] * inserted(y + 11 - i, x + 11 - j);
  const auto at_fine = [&](std::int64_t y, std::int64_t x) {
    return y < 0 || x < 0 || y >= fine_height || x >= fine_width
               ? 0.0
               : fine[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
  };
  const std::int64_t canvas = 2 * (size + 6);
  Plane sampled(static_cast<std::size_t>(canvas), std::vector<double>(static_cast<std::size_t>(canvas), 0.0));
  for (std::int64_t y = 0; y < canvas; ++y)
    for (std::int64_t x = 0; x < canvas; ++x) {
      const double centre = static_cast<double>(canvas - 1) / 2.0;
      // Half a sample forth, to pixels, through the map with uneven margins, to samples, half a sample back.
      auto [u, v] = map((static_cast<double>(x) - centre + 0.5) / 2.0, (static_cast<double>(y) - centre + 0.5) / 2.0);
      u = 2.0 * (u + static_cast<double>(left - right) / 2.0) - 0.5 + static_cast<double>(fine_width - 1) / 2.0;
      v = 2.0 * (v + static_cast<double>(top - bottom) / 2.0) - 0.5 + static_cast<double>(fine_height - 1) / 2.0;
      const auto x0 = static_cast<std::int64_t>(std::floor(u)), y0 = static_cast<std::int64_t>(std::floor(v));
      const double a = u - static_cast<double>(x0), b = v - static_cast<double>(y0);
      sampled[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] =
          (1 - b) * ((1 - a) * at_fine(y0, x0) + a * at_fine(y0, x0 + 1)) +
          b * ((1 - a) * at_fine(y0 + 1, x0) + a * at_fine(y0 + 1, x0 + 1));
    }
  Plane result(image.size(), std::vector<double>(image.size(), 0.0));
  for (std::size_t y = 0; y < image.size(); ++y)
    for (std::size_t x = 0; x < image.size(); ++x)
      for (std::size_t i = 0; i < 12; ++i)
        for (std::size_t j = 0; j < 12; ++j) result[y][x] += h[i] * h[j] * sampled[2 * y + 1 + i][2 * x + 1 + j];
  return result;
}

Plane plane_of(const at::Tensor& image) {
  Plane plane(static_cast<std::size_t>(image.size(2)), std::vector<double>(static_cast<std::size_t>(image.size(3))));
  for (std::size_t y = 0; y < plane.size(); ++y)
    for (std::size_t x = 0; x < plane.size(); ++x)
      plane[y][x] = pixel(image, static_cast<std::int64_t>(y), static_cast<std::int64_t>(x));
  return plane;
}

double distance(const at::Tensor& image, const Plane& plane) {
  double worst_pixel = 0.0;
  for (std::size_t y = 0; y < plane.size(); ++y)
    for (std::size_t x = 0; x < plane.size(); ++x)
      worst_pixel =
          std::max(worst_pixel,
                   std::abs(pixel(image, static_cast<std::int64_t>(y), static_cast<std::int64_t>(x)) - plane[y][x]));
  return worst_pixel;
}

/// The inverse map of a draw, step by step on a point instead of by matrices: the last step of the draw acts first on
/// an output pixel.
std::array<double, 2> where_from(const Draw& draw, double size, double x, double y) {
  const auto turn = [&](double angle) {
    const double kept = x;
    x = std::cos(angle) * kept - std::sin(angle) * y;
    y = std::sin(angle) * kept + std::cos(angle) * y;
  };
  x -= draw.offset_x * size;
  y -= draw.offset_y * size;
  turn(draw.rotation_after);
  x /= draw.stretch;
  y *= draw.stretch;
  turn(draw.rotation_before);
  x /= draw.scale;
  y /= draw.scale;
  x -= std::round(draw.shift_x * size);
  y -= std::round(draw.shift_y * size);
  turn(std::numbers::pi / 2 * static_cast<double>(draw.quarter_turns));
  return {draw.flip ? -x : x, y};
}

/// The margins that the furthest corner of the image needs, with room for the filter.
std::array<std::int64_t, 4> needed_margins(const Draw& draw, std::int64_t size) {
  const double half = static_cast<double>(size - 1) / 2.0;
  std::array<double, 4> need = {-1e9, -1e9, -1e9, -1e9};
  for (const double cx : {-half, half})
    for (const double cy : {-half, half}) {
      const auto [x, y] = where_from(draw, static_cast<double>(size), cx, cy);
      need = {std::max(need[0], -x), std::max(need[1], -y), std::max(need[2], x), std::max(need[3], y)};
    }
  std::array<std::int64_t, 4> margins{};
  for (std::size_t i = 0; i < 4; ++i)
    margins[i] =
        static_cast<std::int64_t>(std::ceil(std::clamp(need[i] + 6.0 - half, 0.0, static_cast<double>(size - 1))));
  return margins;
}

}  // namespace

TEST_CASE("strength 0 keeps every bit, and so does a draw that does nothing beside others that do") {
  for (const std::int64_t channels : {1, 3, 4}) {
    const at::Tensor images = normals({5, channels, 8, 8}, 1);
    CHECK(ft::augment(images, 0.0, 3, 100).equal(images));
    const std::array<Draw, 5> draws = {Draw{}, Draw{.flip = true}, Draw{},
                                       Draw{.scale = 1.3, .brightness = 0.2, .hue = 1.0}, Draw{}};
    const at::Tensor augmented = ft::augment(images, draws);
    for (const std::int64_t i : {0, 2, 4}) CHECK(augmented[i].equal(images[i]));
    for (const std::int64_t i : {1, 3}) CHECK(worst(augmented[i], images[i]) > 0.1);
    for (std::int64_t i = 0; i < 5; ++i)
      CHECK(worst(augmented.narrow(0, i, 1), one(images.narrow(0, i, 1), draws[static_cast<std::size_t>(i)])) < 1e-5);
  }
}

TEST_CASE("flips, quarter turns and whole shifts move pixels exactly") {
  const at::Tensor image = normals({1, 2, 8, 8}, 2);
  const at::Tensor flipped = one(image, {.flip = true}), shifted = one(image, {.shift_x = 0.125, .shift_y = -0.25}),
                   both = one(image, {.flip = true, .shift_x = 0.125});
  CHECK(flipped.equal(image.flip(3)));
  CHECK(one(image, {.shift_x = 0.06, .shift_y = -0.06}).equal(image));  // less than half a pixel
  CHECK(one(flipped, {.flip = true}).equal(image));
  at::Tensor turned = image;
  for (std::int64_t turns = 1; turns < 4; ++turns) {
    turned = turned.transpose(2, 3).flip(2);  // counterclockwise
    CHECK(one(image, {.quarter_turns = turns}).equal(turned));
  }
  const auto mirrored = [](std::int64_t i) { return i < 0 ? -i : i > 7 ? 14 - i : i; };
  std::int64_t wrong = 0;
  for (std::int64_t y = 0; y < 8; ++y)
    for (std::int64_t x = 0; x < 8; ++x) {
      // Right by one, up by two
      wrong += pixel(shifted, y, x) != pixel(image, mirrored(y + 2), mirrored(x - 1)) ? 1 : 0;
      wrong += pixel(both, y, x) != pixel(flipped, y, mirrored(x - 1)) ? 1 : 0;  // flipped first
    }
  CHECK(wrong == 0);
}

TEST_CASE("resampling to whole pixels gives what moving pixels gives") {
  // The filter is one of perfect reconstruction: twice up and twice down is the identity, so nothing may be lost.
  const at::Tensor image = normals({1, 1, 16, 16}, 3, at::kDouble);
  CHECK(worst(one(image, {.offset_x = 0.125, .offset_y = -0.0625}),
              one(image, {.shift_x = 0.125, .shift_y = -0.0625})) < 1e-9);
  // The filter is not symmetric: only up to its own mirror image
  CHECK(worst(one(image, {.flip = true, .offset_x = 0.125}), one(image, {.flip = true, .shift_x = 0.125})) > 1e-3);
  CHECK(worst(one(image, {.offset_x = 1.0 / 32}), image) > 0.1);
}

TEST_CASE("resampling follows its definition") {
  const std::int64_t size = 8;
  const at::Tensor image = normals({1, 1, size, size}, 4, at::kDouble);
  const std::array<Draw, 8> draws = {
      Draw{.scale = 0.7},
      Draw{.scale = 1.4},
      Draw{.rotation_before = 0.5},
      Draw{.stretch = 1.3},
      Draw{.rotation_before = -2.0, .stretch = 0.8, .rotation_after = 0.7},
      Draw{.offset_x = 0.17, .offset_y = -0.11},
      Draw{.flip = true, .quarter_turns = 1, .shift_x = 0.1, .shift_y = 0.07, .scale = 1.1, .offset_x = -0.05},
      Draw{.flip = true,
           .quarter_turns = 3,
           .shift_x = -0.1,
           .scale = 0.9,
           .rotation_before = 1.0,
           .stretch = 1.2,
           .rotation_after = -0.4,
           .offset_y = 0.2}};
  for (std::size_t i = 0; i < draws.size(); ++i) {
    INFO("draw " << i);
    const auto map = [&](double x, double y) { return where_from(draws[i], static_cast<double>(size), x, y); };
    const at::Tensor augmented = one(image, draws[i]);
    CHECK(distance(augmented, slow_resample(plane_of(image), map, {size - 1, size - 1, size - 1, size - 1})) < 1e-9);
    // The narrower margins of the original are wide enough but for the last tails of the filter in the corners.
    CHECK(distance(augmented, slow_resample(plane_of(image), map, needed_margins(draws[i], size))) < 1e-5);
  }
}

TEST_CASE("geometry does what its names say to a smooth image") {
  const std::int64_t size = 32;
  const auto blob = [&](double x0, double y0, double wide, double high) {
    at::Tensor image = at::empty({1, 1, size, size}, at::kDouble);
    for (std::int64_t y = 0; y < size; ++y)
      for (std::int64_t x = 0; x < size; ++x) {
        const double dx = (static_cast<double>(x) - 15.5 - x0) / wide, dy = (static_cast<double>(y) - 15.5 - y0) / high;
        image.data_ptr<double>()[y * size + x] = std::exp(-0.5 * (dx * dx + dy * dy));
      }
    return image;
  };
  const at::Tensor image = blob(3, 0, 2, 2);  // small enough that its mirror images stay out of the corners
  CHECK(worst(one(image, {.scale = 1.5}), blob(4.5, 0, 3, 3)) < 0.02);
  CHECK(worst(one(image, {.stretch = 1.25}), blob(3.75, 0, 2.5, 1.6)) < 0.02);
  CHECK(worst(one(image, {.offset_x = 2.5 / 32, .offset_y = -1.25 / 32}), blob(5.5, -1.25, 2, 2)) < 0.02);
  const double angle = 0.7;
  for (const Draw& draw : {Draw{.rotation_before = angle}, Draw{.rotation_after = angle}})
    CHECK(worst(one(image, draw), blob(3 * std::cos(angle), -3 * std::sin(angle), 2, 2)) < 0.02);
}

TEST_CASE("colour follows its formulas") {
  const at::Tensor rgb = normals({1, 3, 4, 4}, 5, at::kDouble), red = rgb.narrow(1, 0, 1), green = rgb.narrow(1, 1, 1),
                   blue = rgb.narrow(1, 2, 1), luma = rgb.mean(1, true);
  for (const std::int64_t channels : {1, 2, 3, 5}) {
    const at::Tensor image = normals({1, channels, 4, 4}, 6, at::kDouble);
    CHECK(worst(one(image, {.brightness = 0.3}), image + 0.3) < 1e-12);
    CHECK(worst(one(image, {.brightness = 0.3, .contrast = 0.5}), (image + 0.3) * 0.5) < 1e-12);
    if (channels == 3) continue;
    CHECK(worst(one(image, {.brightness = 0.3, .contrast = 0.5, .luma_flip = true}), (image + 0.3) * -0.5) < 1e-12);
    CHECK(one(image, {.hue = 1.0, .saturation = 0.5}).equal(image));
  }
  CHECK(worst(one(rgb, {.luma_flip = true}), rgb - 2.0 * luma) < 1e-12);
  CHECK(worst(one(rgb, {.saturation = 0.25}), luma + (rgb - luma) * 0.25) < 1e-12);
  CHECK(worst(one(rgb, {.hue = 2.0 * std::numbers::pi / 3.0}), at::cat({blue, red, green}, 1)) < 1e-12);
  CHECK(worst(one(rgb, {.hue = std::numbers::pi}), 2.0 * luma - rgb) < 1e-12);
  CHECK(worst(one(rgb,
                  {.brightness = 0.1, .contrast = 2.0, .luma_flip = true, .hue = std::numbers::pi, .saturation = 0.5}),
              0.5 * (2.0 * rgb - 2.0 * luma) * -1.0 - (luma + 0.1) * 2.0) < 1e-12);
}

TEST_CASE("first and second derivatives with respect to the images agree with central differences") {
  for (const std::int64_t channels : {1, 3}) {
    const at::Tensor start = normals({3, channels, 4, 4}, 7, at::kDouble),
                     y = normals({3, channels, 4, 4}, 8, at::kDouble);
    std::vector<Draw> draws;
    for (std::int64_t i = 0; i < 3; ++i) draws.push_back(ft::draw_augmentation(1.0, 5, i));
    draws[1] = {.flip = true, .quarter_turns = 1, .contrast = 0.8};
    const auto critic = [&](const at::Tensor& images) { return (ft::augment(images, draws).tanh() * y).sum(); };
    const auto penalty = [&](const at::Tensor& images) {
      return torch::autograd::grad({critic(images)}, {images}, {}, true, true).front().square().sum();
    };
    for (const bool second : {false, true}) {
      const auto value = [&](const at::Tensor& images) { return second ? penalty(images) : critic(images); };
      at::Tensor images = start.clone().set_requires_grad(true);
      const at::Tensor gradient = torch::autograd::grad({value(images)}, {images}).front();
      CHECK(gradient.abs().max().item<double>() > 0.1);
      double error = 0.0;
      for (std::int64_t i = 0; i < start.numel(); ++i) {
        std::array<double, 2> ends{};
        for (const std::size_t side : {0u, 1u}) {
          const at::Tensor moved = start.clone();
          moved.data_ptr<double>()[i] += side == 0 ? -1e-5 : 1e-5;
          ends[side] = value(moved.set_requires_grad(true)).item<double>();
        }
        error = std::max(error, std::abs((ends[1] - ends[0]) / 2e-5 - gradient.view(-1)[i].item<double>()));
      }
      CHECK(error < 1e-6);
    }
  }
}

// The checks below compare means of independent draws with their expectations, at 5 standard errors: each fails falsely
// with a probability of 6e-7, all together below 2e-4.
TEST_CASE("draws have the distribution that does not leak") {
  const double p = 0.6;
  const std::int64_t count = 20'000;
  std::vector<Draw> draws;
  for (std::int64_t i = 0; i < count; ++i) draws.push_back(ft::draw_augmentation(p, 9, i));
  const auto check_mean = [&](const std::string& what, double expected, double deviation, const auto& value) {
    double sum = 0.0;
    for (const Draw& draw : draws) sum += value(draw);
    INFO(what);
    CHECK(std::abs(sum / static_cast<double>(count) - expected) <=
          5.0 * deviation / std::sqrt(static_cast<double>(count)));
  };
  const auto check_share = [&](const std::string& what, double expected, const auto& is) {
    check_mean(what, expected, std::sqrt(expected * (1.0 - expected)),
               [&](const Draw& draw) { return is(draw) ? 1.0 : 0.0; });
  };
  // The identity is the most frequent of the flips and turns, the others are equally frequent.
  check_share("flip", p / 2, [](const Draw& draw) { return draw.flip; });
  check_share("luma flip", p / 2, [](const Draw& draw) { return draw.luma_flip; });
  check_share("no turn", 1 - 0.75 * p, [](const Draw& draw) { return draw.quarter_turns == 0; });
  for (std::int64_t turns = 1; turns < 4; ++turns)
    check_share("quarter turn", p / 4, [&](const Draw& draw) { return draw.quarter_turns == turns; });
  check_share("unrotated", 1 - p,
              [](const Draw& draw) { return draw.rotation_before == 0.0 && draw.rotation_after == 0.0; });
  // A distribution over a group of transforms can be recovered exactly when no Fourier coefficient of the random
  // transform is 0: here all of them are 1 − p.
  check_mean("flips", 1 - p, 1.0, [](const Draw& draw) { return draw.flip ? -1.0 : 1.0; });
  check_mean("luma flips", 1 - p, 1.0, [](const Draw& draw) { return draw.luma_flip ? -1.0 : 1.0; });
  for (const double k : {1.0, 2.0, 3.0}) {
    check_mean("turns", 1 - p, 1.0, [&](const Draw& draw) {
      return std::cos(k * std::numbers::pi / 2 * static_cast<double>(draw.quarter_turns));
    });
    check_mean("rotations", 1 - p, 1.0,
               [&](const Draw& draw) { return std::cos(k * (draw.rotation_before + draw.rotation_after)); });
    check_mean("rotations, odd part", 0.0, 1.0,
               [&](const Draw& draw) { return std::sin(k * (draw.rotation_before + draw.rotation_after)); });
    check_mean("hues", 1 - p, 1.0, [&](const Draw& draw) { return std::cos(k * draw.hue); });
  }
  // Everything else: how often it is on, mean and variance of its value.
  const auto check_value = [&](const std::string& what, double variance, double fourth, const auto& value) {
    check_share(what + " is on", p, [&](const Draw& draw) { return value(draw) != 0.0; });
    check_mean(what, 0.0, std::sqrt(p * variance), value);
    check_mean(what + ", squared", p * variance, std::sqrt(p * fourth - p * p * variance * variance),
               [&](const Draw& draw) { return value(draw) * value(draw); });
  };
  const auto check_normal = [&](const std::string& what, double deviation, const auto& value) {
    check_value(what, deviation * deviation, 3.0 * std::pow(deviation, 4), value);
  };
  for (const auto member : {&Draw::shift_x, &Draw::shift_y})
    check_value("shift", 1.0 / 192, std::pow(0.125, 4) / 5, [&](const Draw& draw) { return draw.*member; });
  check_normal("scale", 0.2, [](const Draw& draw) { return std::log2(draw.scale); });
  check_normal("stretch", 0.2, [](const Draw& draw) { return std::log2(draw.stretch); });
  for (const auto member : {&Draw::offset_x, &Draw::offset_y})
    check_normal("offset", 0.125, [&](const Draw& draw) { return draw.*member; });
  check_normal("brightness", 0.2, [](const Draw& draw) { return draw.brightness; });
  check_normal("contrast", 0.5, [](const Draw& draw) { return std::log2(draw.contrast); });
  check_normal("saturation", 1.0, [](const Draw& draw) { return std::log2(draw.saturation); });
  // Steps are on or off independently of each other; shifts and offsets are each one step.
  const std::vector<std::function<bool(const Draw&)>> steps = {
      [](const Draw& draw) { return draw.flip; },
      [](const Draw& draw) { return draw.quarter_turns != 0; },
      [](const Draw& draw) { return draw.shift_x != 0.0; },
      [](const Draw& draw) { return draw.scale != 1.0; },
      [](const Draw& draw) { return draw.rotation_before != 0.0; },
      [](const Draw& draw) { return draw.stretch != 1.0; },
      [](const Draw& draw) { return draw.rotation_after != 0.0; },
      [](const Draw& draw) { return draw.offset_x != 0.0; },
      [](const Draw& draw) { return draw.brightness != 0.0; },
      [](const Draw& draw) { return draw.contrast != 1.0; },
      [](const Draw& draw) { return draw.luma_flip; },
      [](const Draw& draw) { return draw.hue != 0.0; },
      [](const Draw& draw) { return draw.saturation != 1.0; }};
  const double turned = 1 - std::sqrt(1 - p);
  const std::array<double, 13> probability = {p / 2, 0.75 * p, p, p, turned, p, turned, p, p, p, p / 2, p, p};
  for (std::size_t i = 0; i < steps.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      check_share("steps " + std::to_string(i) + " and " + std::to_string(j), probability[i] * probability[j],
                  [&](const Draw& draw) { return steps[i](draw) && steps[j](draw); });
  CHECK(std::all_of(draws.begin(), draws.end(), [](const Draw& draw) {
    return (draw.shift_x == 0.0) == (draw.shift_y == 0.0) && (draw.offset_x == 0.0) == (draw.offset_y == 0.0);
  }));
}

TEST_CASE("a draw follows from strength, seed and index, and a larger strength only switches steps on") {
  for (std::int64_t i = 0; i < 200; ++i) {
    const Draw low = ft::draw_augmentation(0.3, 4, i), high = ft::draw_augmentation(0.7, 4, i);
    CHECK(low == ft::draw_augmentation(0.3, 4, i));
    CHECK(ft::draw_augmentation(0.0, 4, i) == Draw{});
    CHECK(ft::draw_augmentation(1.0, 4, i) == ft::draw_augmentation(3.5, 4, i));
    CHECK((low.scale == 1.0 || low.scale == high.scale));
    CHECK((low.rotation_after == 0.0 || low.rotation_after == high.rotation_after));
    CHECK((low.saturation == 1.0 || low.saturation == high.saturation));
  }
  CHECK_FALSE(ft::draw_augmentation(1.0, 4, 0) == ft::draw_augmentation(1.0, 4, 1));
  CHECK_FALSE(ft::draw_augmentation(1.0, 4, 0) == ft::draw_augmentation(1.0, 5, 0));
  const at::Tensor images = normals({6, 1, 8, 8}, 9);
  CHECK(worst(ft::augment(images, 1.0, 4, 10).narrow(0, 2, 3), ft::augment(images.narrow(0, 2, 3), 1.0, 4, 12)) < 1e-5);
}

TEST_CASE("augmentation refuses what it cannot do") {
  for (const double p : {-0.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(code_of([&] { (void)ft::draw_augmentation(p, 1, 0); }) == ErrorCode::invalid_argument);
  CHECK(code_of([] { (void)one(at::zeros({1, 1, 4, 5}, at::kFloat), {}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { (void)one(at::zeros({1, 1, 1, 1}, at::kFloat), {}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { (void)one(at::zeros({2, 1, 4, 4}, at::kFloat), {}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { (void)one(at::zeros({1, 4, 4}, at::kFloat), {}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { (void)ft::augment(at::zeros({4, 4}, at::kFloat), 0.5, 1, 0); }) == ErrorCode::shape_mismatch);
}
