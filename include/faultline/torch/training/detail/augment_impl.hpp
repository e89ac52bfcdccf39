// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of training/augment.hpp.

#include <faultline/torch/training/augment.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {
namespace detail {

/// Decomposition low-pass of the sym6 wavelet (Daubechies 1992, least asymmetric, six vanishing moments), to be divided
/// by its sum √2.
inline constexpr std::array<double, 12> sym6 = {0.015404109327027373, 0.0034907120842174702, -0.11799011114819057,
                                                -0.048311742585633,   0.4910559419267466,    0.787641141030194,
                                                0.3379294217276218,   -0.07263752278646252,  -0.021060292512300564,
                                                0.04472490177066578,  0.0017677118642428036, -0.007800708325034148};
inline constexpr std::int64_t filter_taps = 12;
/// Pixels that the filter needs beyond the image, a quarter of its taps
inline constexpr std::int64_t filter_reach = 3;

/// (x, y) ↦ (xx x + xy y + x0, yx x + yy y + y0), from the centre of an image.
struct Affine {
  double xx = 1.0, xy = 0.0, x0 = 0.0;
  double yx = 0.0, yy = 1.0, y0 = 0.0;
};

/// First b, then a.
inline Affine operator*(const Affine& a, const Affine& b) {
  return {a.xx * b.xx + a.xy * b.yx, a.xx * b.xy + a.xy * b.yy, a.xx * b.x0 + a.xy * b.y0 + a.x0,
          a.yx * b.xx + a.yy * b.yx, a.yx * b.xy + a.yy * b.yy, a.yx * b.x0 + a.yy * b.y0 + a.y0};
}
inline Affine scaling(double x, double y) { return {x, 0.0, 0.0, 0.0, y, 0.0}; }
inline Affine translation(double x, double y) { return {1.0, 0.0, x, 0.0, 1.0, y}; }
inline Affine turn(double cosine, double sine) { return {cosine, -sine, 0.0, sine, cosine, 0.0}; }
inline Affine rotation(double angle) { return turn(std::cos(angle), std::sin(angle)); }

inline bool resamples(const AugmentationDraw& draw) {
  return draw.scale != 1.0 || draw.rotation_before != 0.0 || draw.stretch != 1.0 || draw.rotation_after != 0.0 ||
         draw.offset_x != 0.0 || draw.offset_y != 0.0;
}

/// Where in the image an output pixel comes from. Exact when nothing is resampled.
inline Affine inverse_map(const AugmentationDraw& draw, std::int64_t side) {
  constexpr std::array<double, 4> cosine = {1.0, 0.0, -1.0, 0.0};
  constexpr std::array<double, 4> sine = {0.0, 1.0, 0.0, -1.0};
  const auto size = static_cast<double>(side);
  const auto turns = static_cast<std::size_t>(draw.quarter_turns & 3);
  const Affine blit = scaling(draw.flip ? -1.0 : 1.0, 1.0) * turn(cosine[turns], sine[turns]) *
                      translation(-std::round(draw.shift_x * size), -std::round(draw.shift_y * size));
  if (!resamples(draw)) return blit;
  return blit * scaling(1.0 / draw.scale, 1.0 / draw.scale) * rotation(draw.rotation_before) *
         scaling(1.0 / draw.stretch, draw.stretch) * rotation(draw.rotation_after) *
         translation(-draw.offset_x * size, -draw.offset_y * size);
}

/// The place in 0 .. size − 1 that a place outside mirrors, the border pixels not repeated.
inline std::int64_t mirrored(std::int64_t place, std::int64_t size) {
  const std::int64_t period = 2 * (size - 1);
  place = ((place % period) + period) % period;
  return place < size ? place : period - place;
}

/// A matrix given element by element, in the type of `like`.
template <class Fill>
at::Tensor matrix_like(const at::Tensor& like, std::int64_t rows, std::int64_t columns, Fill fill) {
  at::Tensor matrix = at::zeros({rows, columns}, at::kDouble);
  fill(matrix.data_ptr<double>());
  return matrix.to(like.scalar_type());
}

/// `[rows, S²]` places of the pixels of draws that only move them.
inline at::Tensor moved_places(const std::vector<Affine>& maps, std::int64_t size) {
  at::Tensor places = at::empty({static_cast<std::int64_t>(maps.size()), size * size}, at::kLong);
  std::int64_t* place = places.data_ptr<std::int64_t>();
  const double centre = static_cast<double>(size - 1) / 2.0;
  for (const Affine& map : maps)
    for (std::int64_t row = 0; row < size; ++row)
      for (std::int64_t column = 0; column < size; ++column) {
        const double x = static_cast<double>(column) - centre, y = static_cast<double>(row) - centre;
        const std::int64_t from_x = mirrored(std::lround(map.xx * x + map.xy * y + map.x0 + centre), size);
        const std::int64_t from_y = mirrored(std::lround(map.yx * x + map.yy * y + map.y0 + centre), size);
        *place++ = from_y * size + from_x;
      }
  return places;
}

/// Samples `images` `[n, C, S, S]` through maps that are not whole pixels.
///
/// Mirroring and filtering are one matrix per axis, up `[2 (3S − 2), S]` and down `[S, 2 (S + 6)]`. An image is
/// mirrored by a whole size on every side, whatever the others of its batch need.
inline at::Tensor resample(const at::Tensor& images, const std::vector<Affine>& maps) {
  const std::int64_t count = images.size(0), channels = images.size(1), size = images.size(2), margin = size - 1;
  const std::int64_t fine = 2 * (size + 2 * margin), canvas = 2 * (size + 2 * filter_reach), pixels = canvas * canvas;
  const double sum = std::numbers::sqrt2;
  const at::Tensor up = matrix_like(images, fine, size, [&](double* value) {
    for (std::int64_t k = 0; k < fine; ++k)
      for (std::int64_t n = 0; n < size + 2 * margin; ++n) {
        const std::int64_t tap = k + 5 - 2 * n;
        if (tap >= 0 && tap < filter_taps)
          value[k * size + mirrored(n - margin, size)] += 2.0 * sym6[static_cast<std::size_t>(tap)] / sum;
      }
  });
  const at::Tensor down = matrix_like(images, size, canvas, [&](double* value) {
    for (std::int64_t n = 0; n < size; ++n)
      for (std::int64_t tap = 0; tap < filter_taps; ++tap)
        value[n * canvas + 2 * n + 1 + tap] = sym6[static_cast<std::size_t>(tap)] / sum;
  });

  at::Tensor places = at::empty({count, 4 * pixels}, at::kLong);
  at::Tensor shares = at::empty({count, 4 * pixels}, at::kDouble);
  const double centre = static_cast<double>(canvas - 1) / 2.0, fine_centre = static_cast<double>(fine - 1) / 2.0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Affine& map = maps[static_cast<std::size_t>(i)];
    std::int64_t* place = places.data_ptr<std::int64_t>() + i * 4 * pixels;
    double* share = shares.data_ptr<double>() + i * 4 * pixels;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      // The filter puts pixel n on sample 2n of the fine grid: half a sample before its centre, there and back.
      const double x = static_cast<double>(pixel % canvas) - centre + 0.5,
                   y = static_cast<double>(pixel / canvas) - centre + 0.5;
      const double from_x = map.xx * x + map.xy * y + 2.0 * map.x0 - 0.5 + fine_centre,
                   from_y = map.yx * x + map.yy * y + 2.0 * map.y0 - 0.5 + fine_centre;
      const double left = std::floor(from_x), top = std::floor(from_y);
      for (std::int64_t corner = 0; corner < 4; ++corner) {
        const double column = left + static_cast<double>(corner % 2), row = top + static_cast<double>(corner / 2);
        const bool inside =
            column >= 0.0 && row >= 0.0 && column < static_cast<double>(fine) && row < static_cast<double>(fine);
        place[corner * pixels + pixel] =
            inside ? static_cast<std::int64_t>(row) * fine + static_cast<std::int64_t>(column) : 0;
        share[corner * pixels + pixel] =
            inside ? (1.0 - std::abs(from_x - column)) * (1.0 - std::abs(from_y - row)) : 0.0;
      }
    }
  }
  const at::Tensor enlarged = at::matmul(at::matmul(up, images), up.t()).flatten(2);
  const at::Tensor corners = enlarged.gather(2, places.unsqueeze(1).expand({count, channels, 4 * pixels})) *
                             shares.to(images.scalar_type()).unsqueeze(1);
  const at::Tensor sampled = corners.view({count, channels, 4, canvas, canvas}).sum(2);
  return at::matmul(at::matmul(down, sampled), down.t());
}

/// Rows of an affine map of (red, green, blue, 1).
using ColourMap = std::array<std::array<double, 4>, 3>;

/// First b, then a.
inline ColourMap operator*(const ColourMap& a, const ColourMap& b) {
  ColourMap product{};
  for (std::size_t i = 0; i < 3; ++i) {
    product[i][3] = a[i][3];
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 3; ++k) product[i][j] += a[i][k] * b[k][j];
  }
  return product;
}

/// α I + β v vᵀ + γ [v]ₓ + shift, v the unit vector of greys: every colour step is one of these.
inline ColourMap colour_step(double alpha, double beta, double gamma, double shift) {
  ColourMap map{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) map[i][j] = beta / 3.0;
    map[i][i] += alpha;
    map[i][(i + 2) % 3] += gamma / std::numbers::sqrt3;
    map[i][(i + 1) % 3] -= gamma / std::numbers::sqrt3;
    map[i][3] = shift;
  }
  return map;
}

inline ColourMap colour_map(const AugmentationDraw& draw, bool rgb) {
  ColourMap map = colour_step(1.0, 0.0, 0.0, draw.brightness);
  map = colour_step(draw.contrast, 0.0, 0.0, 0.0) * map;
  if (draw.luma_flip) map = colour_step(1.0, -2.0, 0.0, 0.0) * map;
  if (!rgb) return map;
  if (draw.hue != 0.0) map = colour_step(std::cos(draw.hue), 1.0 - std::cos(draw.hue), std::sin(draw.hue), 0.0) * map;
  return draw.saturation == 1.0 ? map : colour_step(draw.saturation, 1.0 - draw.saturation, 0.0, 0.0) * map;
}

inline at::Tensor recolour(const at::Tensor& images, std::span<const AugmentationDraw> draws) {
  const std::int64_t count = images.size(0), channels = images.size(1);
  if (channels == 3) {
    const at::Tensor maps = matrix_like(images, count, 12, [&](double* value) {
                              for (const AugmentationDraw& draw : draws)
                                for (const auto& row : colour_map(draw, true))
                                  value = std::copy(row.begin(), row.end(), value);
                            }).view({count, 3, 4});
    return (at::matmul(maps.narrow(2, 0, 3), images.flatten(2)) + maps.narrow(2, 3, 1)).view(images.sizes());
  }
  const at::Tensor maps = matrix_like(images, count, 2, [&](double* value) {
    for (const AugmentationDraw& draw : draws) {
      double factor = 0.0, shift = 0.0;
      for (const auto& row : colour_map(draw, false)) {
        factor += row[0] + row[1] + row[2];
        shift += row[3];
      }
      *value++ = factor / 3.0;
      *value++ = shift / 3.0;
    }
  });
  return images * maps.narrow(1, 0, 1).view({count, 1, 1, 1}) + maps.narrow(1, 1, 1).view({count, 1, 1, 1});
}

inline bool recolours(const AugmentationDraw& draw, bool rgb) {
  return draw.brightness != 0.0 || draw.contrast != 1.0 || draw.luma_flip ||
         (rgb && (draw.hue != 0.0 || draw.saturation != 1.0));
}

/// Rows of a batch by number.
inline at::Tensor rows_of(const at::Tensor& images, const std::vector<std::int64_t>& rows) {
  at::Tensor index = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
  std::copy(rows.begin(), rows.end(), index.data_ptr<std::int64_t>());
  return images.index_select(0, index);
}

/// Moves pixels where that is all, resamples elsewhere, and puts the images back in order.
inline at::Tensor relocate(const at::Tensor& images, std::span<const AugmentationDraw> draws) {
  const std::int64_t count = images.size(0), channels = images.size(1), size = images.size(2);
  std::vector<std::int64_t> rows[2];
  std::vector<Affine> maps[2];
  for (std::int64_t i = 0; i < count; ++i) {
    const AugmentationDraw& draw = draws[static_cast<std::size_t>(i)];
    rows[resamples(draw)].push_back(i);
    maps[resamples(draw)].push_back(inverse_map(draw, size));
  }
  std::vector<at::Tensor> pieces;
  if (!rows[0].empty()) {
    const auto moved = static_cast<std::int64_t>(rows[0].size());
    const at::Tensor places = moved_places(maps[0], size).unsqueeze(1).expand({moved, channels, size * size});
    pieces.push_back(rows_of(images, rows[0]).flatten(2).gather(2, places).view({moved, channels, size, size}));
  }
  if (!rows[1].empty()) pieces.push_back(resample(rows_of(images, rows[1]), maps[1]));
  std::vector<std::int64_t> back(static_cast<std::size_t>(count));
  std::int64_t place = 0;
  for (const auto& group : rows)
    for (const std::int64_t row : group) back[static_cast<std::size_t>(row)] = place++;
  return rows_of(at::cat(pieces, 0), back);
}

}  // namespace detail

inline AugmentationDraw draw_augmentation(double p, std::int64_t seed, std::int64_t index) {
  if (!(p >= 0.0) || !std::isfinite(p))
    throw Error(ErrorCode::invalid_argument, "draw_augmentation",
                "expected a finite p of at least 0, got " + std::to_string(p));
  const double turned = 1.0 - std::sqrt(1.0 - std::min(p, 1.0));
  core::CounterRandom random(seed, core::Stream::augmentations, index);
  // The value comes first and is drawn whether it is used or not, then the switch.
  const auto keep = [&](double probability, auto value, auto& member) {
    if (random.uniform() < probability) member = value;
  };
  const auto angle = [&] { return (2.0 * random.uniform() - 1.0) * std::numbers::pi; };
  const auto pair = [&](double probability, double x, double y, double& member_x, double& member_y) {
    if (random.uniform() >= probability) return;
    member_x = x;
    member_y = y;
  };
  AugmentationDraw draw;
  keep(p, random.below(2) == 1, draw.flip);
  keep(p, random.below(4), draw.quarter_turns);
  const double shift_x = 0.25 * random.uniform() - 0.125, shift_y = 0.25 * random.uniform() - 0.125;
  pair(p, shift_x, shift_y, draw.shift_x, draw.shift_y);
  keep(p, std::exp2(0.2 * random.normal()), draw.scale);
  keep(turned, angle(), draw.rotation_before);
  keep(p, std::exp2(0.2 * random.normal()), draw.stretch);
  keep(turned, angle(), draw.rotation_after);
  const double offset_x = 0.125 * random.normal(), offset_y = 0.125 * random.normal();
  pair(p, offset_x, offset_y, draw.offset_x, draw.offset_y);
  keep(p, 0.2 * random.normal(), draw.brightness);
  keep(p, std::exp2(0.5 * random.normal()), draw.contrast);
  keep(p, random.below(2) == 1, draw.luma_flip);
  keep(p, angle(), draw.hue);
  keep(p, std::exp2(random.normal()), draw.saturation);
  return draw;
}

inline at::Tensor augment(const at::Tensor& images, std::span<const AugmentationDraw> draws) {
  if (images.dim() != 4 || images.size(2) != images.size(3) || images.size(2) < 2 ||
      images.size(0) != static_cast<std::int64_t>(draws.size()))
    throw Error(ErrorCode::shape_mismatch, "augment",
                "expected square images [N, C, S, S] of at least 2x2 pixels and one draw for each, got " +
                    std::to_string(images.dim()) + " axes and " + std::to_string(draws.size()) + " draws");
  const bool rgb = images.size(1) == 3;
  at::Tensor result = images;
  if (std::any_of(draws.begin(), draws.end(), [](const AugmentationDraw& draw) {
        return draw.flip || draw.quarter_turns != 0 || draw.shift_x != 0.0 || draw.shift_y != 0.0 ||
               detail::resamples(draw);
      }))
    result = detail::relocate(result, draws);
  if (std::any_of(draws.begin(), draws.end(),
                  [&](const AugmentationDraw& draw) { return detail::recolours(draw, rgb); }))
    result = detail::recolour(result, draws);
  return result;
}

inline at::Tensor augment(const at::Tensor& images, double p, std::int64_t seed, std::int64_t first) {
  if (images.dim() != 4)
    throw Error(ErrorCode::shape_mismatch, "augment",
                "expected images [N, C, S, S], got " + std::to_string(images.dim()) + " axes");
  std::vector<AugmentationDraw> draws;
  for (std::int64_t i = 0; i < images.size(0); ++i) draws.push_back(draw_augmentation(p, seed, first + i));
  return augment(images, draws);
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
