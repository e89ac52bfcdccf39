// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A generator of one's own: any type with these members is a StyleGenerator. This one draws a soft disc; its styles are
// position, radius and brightness.
#include "program.hpp"

#include <faultline/analysis/characterize.hpp>
#include <faultline/concepts/explain.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/core/sha256.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fl = faultline;

class Discs {
 public:
  // Arrays of the generator's own device; here they are the library's host types, so moving them is copying.
  using latent_type = fl::Matrix<float>;
  using style_type = fl::Matrix<float>;
  using label_type = std::vector<std::int64_t>;
  using image_type = fl::ImageBatch;
  latent_type latent_from_host(const fl::Matrix<float>& rows) const { return rows; }
  style_type style_from_host(const fl::Matrix<float>& rows) const { return rows; }
  label_type label_from_host(std::span<const std::int64_t> labels) const { return {labels.begin(), labels.end()}; }
  fl::Matrix<float> latent_to_host(const latent_type& latent) const { return latent; }
  fl::Matrix<float> style_to_host(const style_type& style) const { return style; }
  fl::ImageBatch image_to_host(const image_type& images) const { return images; }

  std::int64_t latent_dim() const { return 4; }
  std::int64_t w_dim() const { return 4; }
  std::int64_t num_classes() const { return 2; }  // left and right
  fl::ImageShape image_shape() const { return {1, size, size}; }
  fl::ValueRange value_range() const { return {0.0, 1.0}; }
  const fl::StyleLayout& layout() const { return layout_; }
  std::string digest() const { return fl::sha256_hex("discs, version 1"); }

  latent_type map(const latent_type& z, const label_type& labels, const fl::MapOptions& options) const {
    latent_type w = z;
    for (float& value : w.values()) value *= static_cast<float>(options.truncation);
    for (std::int64_t i = 0; i < w.rows(); ++i) w(i, 0) += labels[static_cast<std::size_t>(i)] == 0 ? -6.0f : 6.0f;
    return w;
  }
  style_type styles(const latent_type& w) const {
    style_type s(w.rows(), 4);
    for (std::int64_t i = 0; i < w.rows(); ++i)
      for (std::int64_t k = 0; k < 4; ++k) s(i, k) = scale[k] * w(i, k) + centre[k];
    return s;
  }
  image_type synthesize(const style_type& s, const fl::SynthesisOptions&) const {
    image_type images(s.rows(), image_shape());
    for (std::int64_t i = 0; i < s.rows(); ++i)
      for (std::int64_t y = 0; y < size; ++y)
        for (std::int64_t x = 0; x < size; ++x) {
          const float distance = std::hypot(static_cast<float>(x) - s(i, 0), static_cast<float>(y) - s(i, 1));
          images.image(i)[static_cast<std::size_t>(y * size + x)] =
              std::clamp(s(i, 2) - distance, 0.0f, 1.0f) * std::clamp(s(i, 3), 0.0f, 1.0f);
        }
    return images;
  }

  // Refinement AffineStyles, which the analysis needs: s = A w + b.
  fl::Matrix<float> style_matrix() const {
    fl::Matrix<float> a(4, 4);
    for (std::int64_t k = 0; k < 4; ++k) a(k, k) = scale[k];
    return a;
  }
  fl::Matrix<float> style_bias() const {
    fl::Matrix<float> b(4, 1);
    for (std::int64_t k = 0; k < 4; ++k) b(k, 0) = centre[k];
    return b;
  }

 private:
  static constexpr std::int64_t size = 16;
  static constexpr float scale[4] = {0.5f, 1.0f, 0.5f, 0.15f};
  static constexpr float centre[4] = {7.5f, 7.5f, 3.0f, 0.7f};
  fl::StyleLayout layout_{{{"position", 2}, {"size", 1}, {"brightness", 1}}};
};

static_assert(fl::explain_style_generator<Discs>());  // says what is missing, piece by piece
static_assert(fl::AffineStyles<Discs>);

static int show() {
  const Discs generator;
  // Compares the two halves, but only pixels above .5 count: it fails when the disc is too dark.
  auto mine = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          for (std::int64_t y = 0; y < images.height(); ++y)
            for (std::int64_t x = 0; x < images.width(); ++x)
              scores(i, 2 * x < images.width() ? 0 : 1) += std::max(0.0f, images(i, 0, y, x) - 0.5f);
          scores(i, 0) += 0.1f;  // when in doubt: left
        }
      },
      {.classes = 2, .scores = fl::Scores::logits});

  const fl::FailureReport report = fl::characterize(
      generator, mine,
      {.samples = 4'000, .seed = 7, .method = {.properties = {}}});  // those of digits say nothing here
  std::printf("%s\n", report.reason.c_str());
  for (const fl::Finding& finding : report.findings) {
    const fl::analysis::Carrier& carrier = finding.carriers.front();
    std::printf("%s\n  carried by %s, towards %s\n", finding.headline.c_str(), carrier.layer_name.c_str(),
                carrier.sign < 0 ? "less" : "more");
  }
  return !report.findings.empty() && report.findings.front().carriers.front().layer_name == "brightness" &&
                 report.findings.front().sign < 0
             ? 0
             : 1;
}

int main() { return program::run("own_generator", show); }
