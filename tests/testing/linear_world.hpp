// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A generator of any size, down to one of everything, and a classifier that reads it: worlds for the tests of
// degenerate sizes.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/sha256.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline_tests {

namespace fl = faultline;

/// Sizes of a world; the channels of a style layer and their number are free, the image is square.
struct WorldSizes {
  std::int64_t latent = 3, w = 3, classes = 2, image_channels = 1, side = 4;
  std::vector<std::int64_t> layers = {2, 2};

  [[nodiscard]] std::string text() const {
    std::string line = "latent " + std::to_string(latent) + ", w " + std::to_string(w) + ", classes " +
                       std::to_string(classes) + ", image " + std::to_string(image_channels) + " x " +
                       std::to_string(side) + ", layers";
    for (const std::int64_t width : layers) line += " " + std::to_string(width);
    return line;
  }
};

/// w = z (its entries used again where w is longer) + 8 class e_0; s = A w; pixel p = s[p mod D] / 64. The first style,
/// and with it the first pixel, is w_0.
class LinearWorld {
 public:
  using latent_type = fl::Matrix<float>;
  using style_type = fl::Matrix<float>;
  using label_type = std::vector<std::int64_t>;
  using image_type = fl::ImageBatch;

  static constexpr float class_step = 8.0f, scale = 64.0f;

  explicit LinearWorld(WorldSizes sizes) : sizes_(std::move(sizes)) {
    std::vector<std::pair<std::string, std::int64_t>> layers;
    for (std::size_t k = 0; k < sizes_.layers.size(); ++k)
      layers.emplace_back("layer" + std::to_string(k), sizes_.layers[k]);
    layout_ = fl::StyleLayout(layers);
  }

  latent_type latent_from_host(const fl::Matrix<float>& rows) const { return rows; }
  style_type style_from_host(const fl::Matrix<float>& rows) const { return rows; }
  label_type label_from_host(std::span<const std::int64_t> labels) const { return {labels.begin(), labels.end()}; }
  fl::Matrix<float> latent_to_host(const latent_type& latent) const { return latent; }
  fl::Matrix<float> style_to_host(const style_type& style) const { return style; }
  fl::ImageBatch image_to_host(const image_type& images) const { return images; }

  std::int64_t latent_dim() const { return sizes_.latent; }
  std::int64_t w_dim() const { return sizes_.w; }
  std::int64_t num_classes() const { return sizes_.classes; }
  fl::ImageShape image_shape() const { return {sizes_.image_channels, sizes_.side, sizes_.side}; }
  fl::ValueRange value_range() const { return {-1.0, 1.0}; }
  const fl::StyleLayout& layout() const { return layout_; }
  std::string digest() const { return fl::sha256_hex("linear world, " + sizes_.text()); }

  latent_type map(const latent_type& z, const label_type& labels, const fl::MapOptions& options) const {
    latent_type w(z.rows(), sizes_.w);
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t k = 0; k < sizes_.w; ++k)
        w(i, k) = static_cast<float>(options.truncation) * z(i, k % sizes_.latent);
      if (!labels.empty()) w(i, 0) += class_step * static_cast<float>(labels[static_cast<std::size_t>(i)]);
    }
    return w;
  }
  style_type styles(const latent_type& w) const {
    const fl::Matrix<float> a = style_matrix();
    style_type s(w.rows(), layout_.dimension());
    for (std::int64_t i = 0; i < s.rows(); ++i)
      for (std::int64_t d = 0; d < s.cols(); ++d)
        for (std::int64_t k = 0; k < w.cols(); ++k) s(i, d) += a(d, k) * w(i, k);
    return s;
  }
  image_type synthesize(const style_type& s, const fl::SynthesisOptions&) const {
    *made_ += s.rows();
    image_type images(s.rows(), image_shape());
    for (std::int64_t i = 0; i < s.rows(); ++i)
      for (std::size_t p = 0; p < images.image(i).size(); ++p)
        images.image(i)[p] = s(i, static_cast<std::int64_t>(p) % s.cols()) / scale;
    return images;
  }

  fl::Matrix<float> style_matrix() const {
    fl::Matrix<float> a(layout_.dimension(), sizes_.w);
    for (std::int64_t d = 0; d < a.rows(); ++d)
      for (std::int64_t k = 0; k < a.cols(); ++k)
        a(d, k) = d == 0 ? (k == 0 ? 1.0f : 0.0f) : 1.0f / static_cast<float>(1 + (d + 2 * k) % 5);
    return a;
  }
  fl::Matrix<float> style_bias() const { return fl::Matrix<float>(layout_.dimension(), 1); }

  /// Images made so far, by this world and its copies.
  std::int64_t made() const { return *made_; }

 private:
  WorldSizes sizes_;
  fl::StyleLayout layout_;
  std::shared_ptr<std::int64_t> made_ = std::make_shared<std::int64_t>(0);
};

/// Right, except where w_0 lies more than `level` above its class's mean; a world with one class, or none, is asked
/// about two.
inline auto world_classifier(const WorldSizes& sizes, float level = 0.5f) {
  const std::int64_t classes = std::max<std::int64_t>(2, sizes.classes),
                     known = std::max<std::int64_t>(1, sizes.classes);
  return fl::make_classifier(
      [classes, known, level](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), classes);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const float w = (2.0f * images.image(i)[0] - 1.0f) * LinearWorld::scale;
          const auto label = std::clamp<std::int64_t>(std::lround(w / LinearWorld::class_step), 0, known - 1);
          const float excess = w - LinearWorld::class_step * static_cast<float>(label) - level;
          scores(i, excess > 0.0f ? (label + 1) % classes : label) = 4.0f * std::abs(excess) + 0.1f;
        }
      },
      {.classes = classes, .scores = fl::Scores::logits});
}

}  // namespace faultline_tests
