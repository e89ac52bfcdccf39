// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Types that have what the concepts ask for and nothing else: no copy, no move, no default constructor, no stray
// conversion.

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace archetype {

struct Pinned {
  explicit Pinned(int) {}
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  Pinned* operator&() = delete;
  const Pinned* operator&() const = delete;
};

/// A classifier with the three required members alone. Scores are logits: the mean of the first pixels decides.
struct Classifier : Pinned {
  using Pinned::Pinned;
  std::int64_t num_classes() const { return 4; }
  faultline::Scores score_kind() const { return faultline::Scores::logits; }
  void score(faultline::ImageView images, faultline::ScoreMatrix& scores) {
    scores.resize(images.count(), 4);
    for (std::int64_t i = 0; i < images.count(); ++i)
      for (std::int64_t k = 0; k < 4; ++k) scores(i, k) = images.image(i)[static_cast<std::size_t>(k)];
  }
};

struct Criterion : Pinned {
  using Pinned::Pinned;
  bool operator()(std::span<const float> probabilities, std::int64_t label) const {
    return probabilities[static_cast<std::size_t>(label)] < 0.5f;
  }
};

/// Device arrays: nothing but the generator that made them can look inside.
template <class T>
struct Opaque {
  explicit Opaque(T inner) : value(std::move(inner)) {}
  Opaque(Opaque&&) = default;
  Opaque& operator=(Opaque&&) = default;
  Opaque(const Opaque&) = delete;
  Opaque& operator=(const Opaque&) = delete;
  T value;
};

/// A generator with the required members alone, its arrays opaque and of four different types.
struct Generator : Pinned {
  struct LatentTag {
    faultline::Matrix<float> m;
  };
  struct StyleTag {
    faultline::Matrix<float> m;
  };
  using latent_type = Opaque<LatentTag>;
  using style_type = Opaque<StyleTag>;
  using label_type = Opaque<std::vector<std::int64_t>>;
  using image_type = Opaque<faultline::ImageBatch>;

  using Pinned::Pinned;
  std::int64_t latent_dim() const { return known.latent_dim(); }
  std::int64_t w_dim() const { return known.w_dim(); }
  std::int64_t num_classes() const { return known.num_classes(); }
  faultline::ImageShape image_shape() const { return known.image_shape(); }
  faultline::ValueRange value_range() const { return known.value_range(); }
  const faultline::StyleLayout& layout() const { return known.layout(); }
  std::string digest() const { return known.digest(); }
  latent_type latent_from_host(const faultline::Matrix<float>& x) const { return latent_type(LatentTag{x}); }
  style_type style_from_host(const faultline::Matrix<float>& x) const { return style_type(StyleTag{x}); }
  label_type label_from_host(std::span<const std::int64_t> x) const {
    return label_type(std::vector<std::int64_t>(x.begin(), x.end()));
  }
  faultline::Matrix<float> latent_to_host(const latent_type& x) const { return x.value.m; }
  faultline::Matrix<float> style_to_host(const style_type& x) const { return x.value.m; }
  faultline::ImageBatch image_to_host(const image_type& x) const { return x.value; }
  latent_type map(const latent_type& z, const label_type& labels, const faultline::MapOptions& options) const {
    return latent_type(LatentTag{known.map(z.value.m, labels.value, options)});
  }
  style_type styles(const latent_type& w) const { return style_type(StyleTag{known.styles(w.value.m)}); }
  image_type synthesize(const style_type& s, const faultline::SynthesisOptions&) const {
    return image_type(known.synthesize(s.value.m));
  }

  faultline::AnalyticGenerator known{faultline::AnalyticOptions{.factors = 3, .channels = 48, .classes = 4, .seed = 2}};
};

}  // namespace archetype
