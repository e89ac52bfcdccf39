// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Types that have what the library's concepts ask for and nothing else: no copy, no move, no default constructor, no
// address-of, arrays that only their generator can look into. Generic code that compiles with them asks for no more
// than its concepts say.

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/testing/example_generator.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What all archetypes lack. They are made from any number.
struct PinnedArchetype {
  explicit PinnedArchetype(int) {}
  PinnedArchetype(const PinnedArchetype&) = delete;
  PinnedArchetype& operator=(const PinnedArchetype&) = delete;
  PinnedArchetype* operator&() = delete;
  const PinnedArchetype* operator&() const = delete;
};

/// `Classifier`: the three required members alone. Of four classes, by logits: the class is the brightest corner of the
/// image, so that it is right about every image of `ExampleGenerator`.
struct ClassifierArchetype : PinnedArchetype {
  using PinnedArchetype::PinnedArchetype;
  [[nodiscard]] std::int64_t num_classes() const { return 4; }
  [[nodiscard]] Scores score_kind() const { return Scores::logits; }
  void score(ImageView images, ScoreMatrix& scores) {
    scores.resize(images.count(), 4);
    for (std::int64_t i = 0; i < images.count(); ++i)
      for (std::int64_t k = 0; k < 4; ++k) scores(i, k) = slope * images.image(i)[corner(images.shape(), k)];
  }

 protected:
  static constexpr float slope = 16.0f;
  static std::size_t corner(const ImageShape& shape, std::int64_t k) {
    return static_cast<std::size_t>((k / 2) * (shape.height - 1) * shape.width + (k % 2) * (shape.width - 1));
  }
};

/// `DifferentiableClassifier`, and nothing else.
struct DifferentiableClassifierArchetype : ClassifierArchetype {
  using ClassifierArchetype::ClassifierArchetype;
  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) {
    ScoreMatrix scores;
    score(images, scores);
    gradient = ImageBatch(images.count(), images.shape());
    for (std::int64_t i = 0; i < images.count(); ++i) {
      const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
      std::array<double, 4> p{};
      double sum = 0.0;
      for (std::size_t k = 0; k < 4; ++k)
        sum += p[k] = std::exp(static_cast<double>(scores(i, static_cast<std::int64_t>(k)) - scores(i, 0)));
      for (std::size_t k = 0; k < 4; ++k)
        gradient.image(i)[corner(images.shape(), static_cast<std::int64_t>(k))] =
            slope * static_cast<float>(p[label] / sum * ((k == label ? 1.0 : 0.0) - p[k] / sum));
    }
  }
};

/// `FailureCriterion`: the call alone.
struct CriterionArchetype : PinnedArchetype {
  using PinnedArchetype::PinnedArchetype;
  [[nodiscard]] bool operator()(std::span<const float> probabilities, std::int64_t label) const {
    return probabilities[static_cast<std::size_t>(label)] < 0.5f;
  }
};

/// An array of a device: moved, not copied, and nothing but the generator that made it can look inside.
template <class T>
class OpaqueArray {
 public:
  OpaqueArray(OpaqueArray&&) = default;
  OpaqueArray& operator=(OpaqueArray&&) = default;
  OpaqueArray(const OpaqueArray&) = delete;
  OpaqueArray& operator=(const OpaqueArray&) = delete;

 private:
  friend struct GeneratorArchetype;
  explicit OpaqueArray(T inner) : value(std::move(inner)) {}
  T value;
};

/// `StyleGenerator`: the required members alone, with arrays of four different types. Its images are those of the
/// `ExampleGenerator` in it, which is for the test to compare with and no part of the concept.
struct GeneratorArchetype : PinnedArchetype {
  struct LatentRows {
    Matrix<float> rows;
  };
  struct StyleRows {
    Matrix<float> rows;
  };
  using latent_type = OpaqueArray<LatentRows>;
  using style_type = OpaqueArray<StyleRows>;
  using label_type = OpaqueArray<std::vector<std::int64_t>>;
  using image_type = OpaqueArray<ImageBatch>;

  using PinnedArchetype::PinnedArchetype;
  [[nodiscard]] std::int64_t latent_dim() const { return known.latent_dim(); }
  [[nodiscard]] std::int64_t w_dim() const { return known.w_dim(); }
  [[nodiscard]] std::int64_t num_classes() const { return known.num_classes(); }
  [[nodiscard]] ImageShape image_shape() const { return known.image_shape(); }
  [[nodiscard]] ValueRange value_range() const { return known.value_range(); }
  [[nodiscard]] const StyleLayout& layout() const { return known.layout(); }
  [[nodiscard]] std::string digest() const { return known.digest(); }
  [[nodiscard]] latent_type latent_from_host(const Matrix<float>& x) const { return latent_type(LatentRows{x}); }
  [[nodiscard]] style_type style_from_host(const Matrix<float>& x) const { return style_type(StyleRows{x}); }
  [[nodiscard]] label_type label_from_host(std::span<const std::int64_t> x) const {
    return label_type(std::vector<std::int64_t>(x.begin(), x.end()));
  }
  [[nodiscard]] Matrix<float> latent_to_host(const latent_type& x) const { return x.value.rows; }
  [[nodiscard]] Matrix<float> style_to_host(const style_type& x) const { return x.value.rows; }
  [[nodiscard]] ImageBatch image_to_host(const image_type& x) const { return x.value; }
  [[nodiscard]] latent_type map(const latent_type& z, const label_type& labels, const MapOptions& options) const {
    return latent_type(LatentRows{known.map(z.value.rows, labels.value, options)});
  }
  [[nodiscard]] style_type styles(const latent_type& w) const {
    return style_type(StyleRows{known.styles(w.value.rows)});
  }
  [[nodiscard]] image_type synthesize(const style_type& s, const SynthesisOptions&) const {
    return image_type(known.synthesize(s.value.rows));
  }

  ExampleGenerator known;
};

/// `AffineStyles`, and nothing else: what the analysis needs.
struct AffineGeneratorArchetype : GeneratorArchetype {
  using GeneratorArchetype::GeneratorArchetype;
  [[nodiscard]] Matrix<float> style_matrix() const { return known.style_matrix(); }
  [[nodiscard]] Matrix<float> style_bias() const { return known.style_bias(); }
};

/// `DifferentiableGenerator`, and nothing else.
struct DifferentiableGeneratorArchetype : GeneratorArchetype {
  using GeneratorArchetype::GeneratorArchetype;
  [[nodiscard]] Matrix<float> pullback(const style_type& s, const ImageBatch& gradient) const {
    return known.pullback(style_to_host(s), gradient);
  }
};

/// `EditSession` of an `EditableGeneratorArchetype`: the required members alone.
struct EditSessionArchetype : PinnedArchetype {
  EditSessionArchetype(const GeneratorArchetype& generator, const GeneratorArchetype::style_type& s)
      : PinnedArchetype(0), edits(generator, s) {}
  [[nodiscard]] GeneratorArchetype::image_type images(std::span<const StyleEdit> list) { return edits.images(list); }
  [[nodiscard]] EditCost cost() const { return edits.cost(); }
  [[nodiscard]] double passes_of(std::int64_t channel) const { return edits.passes_of(channel); }

 private:
  WholeEdits<GeneratorArchetype> edits;
};

/// `EditsStyles` and `ShiftsStyles`, and nothing else.
struct EditableGeneratorArchetype : GeneratorArchetype {
  using GeneratorArchetype::GeneratorArchetype;
  [[nodiscard]] EditSessionArchetype begin_edits(const style_type& s) const { return {*this, s}; }
  [[nodiscard]] style_type shift_styles(const style_type& s, std::span<const std::int64_t> channels,
                                        const Matrix<float>& shifts) const {
    return faultline::shifted_styles(static_cast<const GeneratorArchetype&>(*this), s, channels, shifts);
  }
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline
