// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What property_admission does to images, one way at a time, and which properties must see it.

#include <faultline/core/image.hpp>
#include <faultline/core/random.hpp>
#include <faultline/data/corruptions.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace admission {

namespace fl = faultline;

/// One image `[channels, height, width]` in [0, 1]; x to the right, y downwards.
struct Picture {
  fl::ImageShape shape;
  std::vector<float> values;

  [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(shape.height * shape.width); }
  [[nodiscard]] std::size_t index(std::int64_t x, std::int64_t y) const {
    return static_cast<std::size_t>(y * shape.width + x);
  }
  [[nodiscard]] std::span<float> channel(std::int64_t c) {
    return std::span(values).subspan(static_cast<std::size_t>(c) * pixels(), pixels());
  }
  [[nodiscard]] std::span<const float> channel(std::int64_t c) const {
    return std::span(values).subspan(static_cast<std::size_t>(c) * pixels(), pixels());
  }
  friend bool operator==(const Picture&, const Picture&) = default;
};

/// Mean over the channels of every pixel, as the properties see it.
inline std::vector<float> brightness(const Picture& picture) {
  std::vector<float> sum(picture.pixels(), 0.0f);
  for (std::int64_t c = 0; c < picture.shape.channels; ++c)
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] += picture.channel(c)[i] / static_cast<float>(picture.shape.channels);
  return sum;
}

/// The value below which this share of the values lies.
inline float quantile(std::vector<float> values, double share) {
  const auto at = values.begin() + std::lround(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Indices of the pixels on the border.
inline std::vector<std::size_t> border(const Picture& picture) {
  std::vector<std::size_t> all;
  for (std::int64_t y = 0; y < picture.shape.height; ++y)
    for (std::int64_t x = 0; x < picture.shape.width; ++x)
      if (x == 0 || y == 0 || x == picture.shape.width - 1 || y == picture.shape.height - 1)
        all.push_back(picture.index(x, y));
  return all;
}

/// Half way between the dark and the bright pixels: below it lies the ground of bright strokes.
inline float middle_level(const std::vector<float>& bright) {
  return 0.5f * (quantile(bright, 0.02) + quantile(bright, 0.98));
}

/// Is most of the border darker than half way to the brightest?
inline bool has_dark_ground(const Picture& picture) {
  const std::vector<float> bright = brightness(picture);
  std::vector<float> around;
  for (const std::size_t i : border(picture)) around.push_back(bright[i]);
  return quantile(around, 0.5) < middle_level(bright);
}

/// The image read at (x, y) -> source(x, y), both from the middle of the image with y upwards; bilinear, edge pixels
/// repeated.
template <class Source>
void warp(Picture& picture, Source source) {
  const Picture before = picture;
  const std::int64_t width = picture.shape.width, height = picture.shape.height;
  const double x_middle = 0.5 * static_cast<double>(width - 1), y_middle = 0.5 * static_cast<double>(height - 1);
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column) {
      const auto [sx, sy] = source(static_cast<double>(column) - x_middle, y_middle - static_cast<double>(row));
      const double x = sx + x_middle, y = y_middle - sy, fx = std::floor(x), fy = std::floor(y), a = x - fx, b = y - fy;
      const auto i = static_cast<std::int64_t>(fx), j = static_cast<std::int64_t>(fy);
      for (std::int64_t c = 0; c < picture.shape.channels; ++c) {
        const auto at = [&](std::int64_t u, std::int64_t v) {
          return static_cast<double>(before.channel(
              c)[before.index(std::clamp<std::int64_t>(u, 0, width - 1), std::clamp<std::int64_t>(v, 0, height - 1))]);
        };
        picture.channel(c)[picture.index(column, row)] = static_cast<float>(
            (1 - b) * ((1 - a) * at(i, j) + a * at(i + 1, j)) + b * ((1 - a) * at(i, j + 1) + a * at(i + 1, j + 1)));
      }
    }
}

/// Every stroke grows to the right and downwards, by two pixels where the image has 32: each pixel becomes the
/// brightest of those to its left and above it, with its colour.
inline void brush(Picture& picture) {
  const Picture before = picture;
  const std::vector<float> bright = brightness(before);
  const std::int64_t reach = std::max<std::int64_t>(1, std::min(picture.shape.width, picture.shape.height) / 16);
  for (std::int64_t y = 0; y < picture.shape.height; ++y)
    for (std::int64_t x = 0; x < picture.shape.width; ++x) {
      std::size_t from = picture.index(x, y);
      for (std::int64_t dy = 0; dy <= std::min(reach, y); ++dy)
        for (std::int64_t dx = 0; dx <= std::min(reach, x); ++dx)
          if (bright[picture.index(x - dx, y - dy)] > bright[from]) from = picture.index(x - dx, y - dy);
      for (std::int64_t c = 0; c < picture.shape.channels; ++c)
        picture.channel(c)[picture.index(x, y)] = before.channel(c)[from];
    }
}

/// Opens every loop of bright strokes on a dark ground: from each dark pixel that ink encloses, a bridge three pixels
/// wide to the left becomes ground as far as the next ground outside.
inline void cut(Picture& picture) {
  const std::int64_t width = picture.shape.width, height = picture.shape.height;
  const std::vector<float> bright = brightness(picture);
  const float level = middle_level(bright);
  const auto is_ink = [&](std::int64_t x, std::int64_t y) { return bright[picture.index(x, y)] > level; };
  std::vector<std::uint8_t> outside(picture.pixels(), 0);
  const auto is_outside = [&](std::int64_t x, std::int64_t y) { return outside[picture.index(x, y)] != 0; };
  for (bool grown = true; grown;) {  // dark pixels joined to the border, by growth from it
    grown = false;
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        if (is_ink(x, y) || is_outside(x, y)) continue;
        const bool joins = x == 0 || y == 0 || x == width - 1 || y == height - 1 || is_outside(x - 1, y) ||
                           is_outside(x + 1, y) || is_outside(x, y - 1) || is_outside(x, y + 1);
        if (joins) outside[picture.index(x, y)] = 1, grown = true;
      }
  }
  for (std::int64_t y = 1; y + 1 < height; ++y) {
    std::int64_t x = 1;
    while (x + 1 < width && (is_ink(x, y) || is_outside(x, y))) ++x;
    if (x + 1 == width) continue;  // this row meets no loop
    std::int64_t below = y;
    while (below + 1 < height && !is_ink(x, below + 1) && !is_outside(x, below + 1)) ++below;
    const std::int64_t middle = (y + below) / 2;
    for (std::int64_t c = 0; c < picture.shape.channels; ++c) {
      std::vector<float> around;
      for (const std::size_t i : border(picture)) around.push_back(picture.channel(c)[i]);
      const float ground = quantile(around, 0.5);
      for (std::int64_t left = x; left >= 0 && !is_outside(left, middle); --left)
        for (std::int64_t j = middle - 1; j <= middle + 1; ++j) picture.channel(c)[picture.index(left, j)] = ground;
    }
    return cut(picture);
  }
}

/// Noise of brightness, the same in all channels.
inline void grain(Picture& picture, int severity, std::int64_t index) {
  std::vector<float> noise(picture.pixels(), 0.0f);
  fl::core::CounterRandom random(1, fl::core::Stream::corruptions, index);
  fl::data::gaussian_noise(noise, fl::data::noise_deviations[static_cast<std::size_t>(severity - 1)], random);
  for (std::int64_t c = 0; c < picture.shape.channels; ++c)
    for (std::size_t i = 0; i < noise.size(); ++i)
      picture.channel(c)[i] = std::clamp(picture.channel(c)[i] + noise[i], 0.0f, 1.0f);
}

using Color = std::array<double, 3>;

/// Replaces the colour of every pixel of an RGB image by `change(x, color)`, clamped.
template <class Change>
void recolor(Picture& picture, Change change) {
  for (std::int64_t y = 0; y < picture.shape.height; ++y)
    for (std::int64_t x = 0; x < picture.shape.width; ++x) {
      const std::size_t i = picture.index(x, y);
      Color color{};
      for (std::size_t c = 0; c < 3; ++c)
        color[c] = static_cast<double>(picture.channel(static_cast<std::int64_t>(c))[i]);
      color = change(x, color);
      for (std::size_t c = 0; c < 3; ++c)
        picture.channel(static_cast<std::int64_t>(c))[i] = static_cast<float>(std::clamp(color[c], 0.0, 1.0));
    }
}

inline double mean_of(const Color& color) { return (color[0] + color[1] + color[2]) / 3.0; }

/// Turned by an angle about the grey axis, which leaves the mean of the channels and the chroma alone; nearer to grey
/// where the turned colour is none that an image can have.
inline Color turned(const Color& color, double angle) {
  const double mean = mean_of(color), cosine = std::cos(angle), sine = std::sin(angle) / std::numbers::sqrt3;
  Color off{};
  double share = 1.0;
  for (std::size_t c = 0; c < 3; ++c) {
    off[c] = cosine * (color[c] - mean) + sine * (color[(c + 2) % 3] - color[(c + 1) % 3]);
    if (off[c] > 0.0) share = std::min(share, (1.0 - mean) / off[c]);
    if (off[c] < 0.0) share = std::min(share, mean / -off[c]);
  }
  return {mean + share * off[0], mean + share * off[1], mean + share * off[2]};
}

/// A colour that is added everywhere: the image's own mean colour less its grey, a third of the way to a pure one.
inline void tint(Picture& picture) {
  Color own{};
  for (std::int64_t c = 0; c < 3; ++c)
    for (const float v : picture.channel(c))
      own[static_cast<std::size_t>(c)] += static_cast<double>(v) / static_cast<double>(picture.pixels());
  const double mean = mean_of(own);
  double length = 0.0;
  for (double& part : own) part -= mean, length += part * part;
  length = std::sqrt(1.5 * length);  // the colour cast
  if (!(length > 1e-6)) own = {2.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0}, length = 1.0;
  recolor(picture, [&](std::int64_t, const Color& color) {
    Color result = color;
    for (std::size_t c = 0; c < 3; ++c) result[c] += own[c] / (3.0 * length);
    return result;
  });
}

struct Corruption {
  std::string name;
  std::vector<std::string> own;      ///< the properties that must see it
  std::vector<std::string> implied;  ///< the properties that move with it by what they mean
  std::function<void(Picture&, std::int64_t index)> apply;
};

/// What suits images of so many channels. `dark_ground`: they are bright strokes on something darker, so that loops can
/// be opened.
inline std::vector<Corruption> corruptions(std::int64_t channels, bool dark_ground) {
  const bool color = channels == 3;
  std::vector<Corruption> all;
  const auto add = [&](std::string name, std::vector<std::string> own, std::vector<std::string> implied,
                       std::function<void(Picture&, std::int64_t)> apply) {
    all.push_back({std::move(name), std::move(own), std::move(implied), std::move(apply)});
  };
  for (int severity = 1; severity <= 3; ++severity)  // of each channel by itself, which is noise of colour, too
    add("noise " + std::to_string(severity), {"noise level"}, {"saturation", "hue spread"},
        [severity](Picture& picture, std::int64_t i) {
          fl::data::corrupt(picture.values, picture.shape.height, picture.shape.width, {0, severity}, 1, i);
        });
  for (int severity = 1; color && severity <= 3; ++severity)
    add("grain " + std::to_string(severity), {"noise level"}, {},
        [severity](Picture& picture, std::int64_t i) { grain(picture, severity, i); });
  for (int severity = 1; severity <= 3; ++severity)
    add("blur " + std::to_string(severity), {"blur"}, {}, [severity](Picture& picture, std::int64_t i) {
      fl::data::corrupt(picture.values, picture.shape.height, picture.shape.width, {severity, 0}, 1, i);
    });
  // Brightness stays, as in ImageNet-C; all colours go to their mean
  add("fade", {"contrast"}, {"hue spread"}, [](Picture& picture, std::int64_t) {
    for (std::int64_t c = 0; c < picture.shape.channels; ++c) {
      float mean = 0.0f;
      for (const float v : picture.channel(c)) mean += v / static_cast<float>(picture.pixels());
      for (float& v : picture.channel(c)) v = mean + 0.4f * (v - mean);
    }
  });
  // White light on dark ground takes contrast and colour
  add("veil", {"mean intensity"}, {"contrast", "saturation"}, [](Picture& picture, std::int64_t) {
    for (float& v : picture.values) v = std::min(1.0f, v + 0.15f);
  });
  add("brush", {"ink area", "stroke thickness"}, {"mean intensity"},
      [](Picture& picture, std::int64_t) { brush(picture); });
  const auto add_warp = [&](const char* name, const char* own, auto source) {
    add(name, {own}, {}, [source](Picture& picture, std::int64_t) {
      const double eighth = static_cast<double>(std::min(picture.shape.width, picture.shape.height)) / 8.0;
      warp(picture, [&](double x, double y) { return source(x, y, eighth); });
    });
  };
  add_warp("shear", "slant", [](double x, double y, double) { return std::pair(x - 0.6 * y, y); });
  add_warp("squeeze", "width", [](double x, double y, double) { return std::pair(x / 0.6, y); });
  add_warp("squash", "height", [](double x, double y, double) { return std::pair(x, y / 0.6); });
  add_warp("right", "horizontal position", [](double x, double y, double d) { return std::pair(x - d, y); });
  add_warp("up", "vertical position", [](double x, double y, double d) { return std::pair(x, y - d); });
  if (dark_ground) add("cut", {"loops"}, {}, [](Picture& picture, std::int64_t) { cut(picture); });
  if (!color) return all;
  // Colour cast is mean chroma times 1 - hue spread
  add("drain", {"saturation"}, {"colour cast"}, [](Picture& picture, std::int64_t) {
    recolor(picture, [](std::int64_t, const Color& old) {
      const double mean = mean_of(old);
      return Color{mean + 0.25 * (old[0] - mean), mean + 0.25 * (old[1] - mean), mean + 0.25 * (old[2] - mean)};
    });
  });
  add("tint", {"colour cast"}, {"saturation", "hue spread"}, [](Picture& picture, std::int64_t) { tint(picture); });
  add("rainbow", {"hue spread"}, {"colour cast"}, [](Picture& picture, std::int64_t) {
    const double full = 2.0 * std::numbers::pi / static_cast<double>(picture.shape.width);
    recolor(picture, [&](std::int64_t x, const Color& old) { return turned(old, full * static_cast<double>(x)); });
  });
  return all;
}

}  // namespace admission
