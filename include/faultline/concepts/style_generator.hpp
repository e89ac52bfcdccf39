// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The StyleGenerator concept: what the library needs of a class-conditional generator with a style space.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {

/// Sizes: `latent_dim()`, `w_dim()` and `num_classes()` (0 when unconditional).
template <class G>
concept HasGeneratorSizes = requires(const G& g) {
  { g.latent_dim() } -> std::convertible_to<std::int64_t>;
  { g.w_dim() } -> std::convertible_to<std::int64_t>;
  { g.num_classes() } -> std::convertible_to<std::int64_t>;
};

/// Images: `image_shape()` and `value_range()`, the nominal range of raw output.
template <class G>
concept DescribesImages = requires(const G& g) {
  { g.image_shape() } -> std::convertible_to<ImageShape>;
  { g.value_range() } -> std::convertible_to<ValueRange>;
};

/// Styles: `layout()` names every StyleSpace coordinate.
template <class G>
concept HasStyleLayout = requires(const G& g) {
  { g.layout() } -> std::convertible_to<const StyleLayout&>;
};

/// Identity: `digest()`, a text that is equal exactly when the model is.
template <class G>
concept HasDigest = requires(const G& g) {
  { g.digest() } -> std::convertible_to<std::string>;
};

/// The array types of the generator's own device, and the way to and from host memory for each of them.
template <class G>
concept MovesToHost = requires(const G& g, const typename G::latent_type& latent, const typename G::style_type& style,
                               const typename G::image_type& images, const Matrix<float>& rows,
                               std::span<const std::int64_t> labels) {
  typename G::label_type;
  { g.latent_from_host(rows) } -> std::same_as<typename G::latent_type>;
  { g.style_from_host(rows) } -> std::same_as<typename G::style_type>;
  { g.label_from_host(labels) } -> std::same_as<typename G::label_type>;
  { g.latent_to_host(latent) } -> std::same_as<Matrix<float>>;
  { g.style_to_host(style) } -> std::same_as<Matrix<float>>;
  { g.image_to_host(images) } -> std::same_as<ImageBatch>;
};

/// z and labels to w: `map(z, labels, MapOptions)`.
template <class G>
concept MapsLatents = requires(const G& g, const typename G::latent_type& z, const typename G::label_type& labels) {
  { g.map(z, labels, MapOptions{}) } -> std::same_as<typename G::latent_type>;
};

/// w to s: `styles(w)`.
template <class G>
concept ComputesStyles = requires(const G& g, const typename G::latent_type& w) {
  { g.styles(w) } -> std::same_as<typename G::style_type>;
};

/// s to images: `synthesize(s, SynthesisOptions)`.
template <class G>
concept SynthesizesImages = requires(const G& g, const typename G::style_type& s) {
  { g.synthesize(s, SynthesisOptions{}) } -> std::same_as<typename G::image_type>;
};

/// A class-conditional generator whose images are a function of a style vector.
///
/// *Syntax*: the sub-concepts above. *Laws*: all calls are const and deterministic; row i of a result depends on row i
/// of the arguments alone (to rounding, and bit for bit at a fixed batch size); `map` accepts labels in [0,
/// num_classes) and an empty label array when num_classes is 0; `styles` returns `[N, layout().dimension()]`; raw
/// images nominally lie in `value_range()` but may leave it.
template <class G>
concept StyleGenerator = HasGeneratorSizes<G> && DescribesImages<G> && HasStyleLayout<G> && HasDigest<G> &&
    MovesToHost<G> && MapsLatents<G> && ComputesStyles<G> && SynthesizesImages<G>;

/// Refinement: a static member `batch_invariant` that is true. *Law*: row i of every result depends on row i of the
/// arguments alone, bit for bit, whatever the number of rows. Calls of such a generator are not padded to a fixed
/// batch.
template <class G>
concept BatchInvariantGenerator = StyleGenerator<G> && requires {
  requires G::batch_invariant;
};

/// Refinement: styles are affine in w, s = A w + b, with `style_matrix()` = A `[D, w_dim]` and `style_bias()` = b `[D,
/// 1]`, both on the host. *Law*: `styles(w)` equals A w + b to rounding. Moments of every style then follow from those
/// of w.
template <class G>
concept AffineStyles = StyleGenerator<G> && requires(const G& g) {
  { g.style_matrix() } -> std::convertible_to<Matrix<float>>;
  { g.style_bias() } -> std::convertible_to<Matrix<float>>;
};

/// Refinement: `pullback(s, image_gradient)` with image_gradient `[N, C, H, W]` on the host returns dL/ds `[N, D]` for
/// dL/dimage given, with constant noise.
template <class G>
concept DifferentiableGenerator = StyleGenerator<G> &&
    requires(const G& g, const typename G::style_type& s, const ImageBatch& gradient) {
  { g.pullback(s, gradient) } -> std::same_as<Matrix<float>>;
};

/// Whether `pullback` works. A type that forgets what it wraps has the call, and answers `is_differentiable()` at run
/// time.
template <StyleGenerator G>
[[nodiscard]] bool is_differentiable(const G& generator) {
  if constexpr (!DifferentiableGenerator<G>) return static_cast<void>(generator), false;
  else if constexpr (requires {
                       { generator.is_differentiable() } -> std::convertible_to<bool>;
                     })
    return generator.is_differentiable();
  else return static_cast<void>(generator), true;
}

}  // namespace v1
}  // namespace faultline
