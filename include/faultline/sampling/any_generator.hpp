// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A generator whose type is forgotten: for programs that choose model or device at run time.

#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/sampling/detail/any_array.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Edits of start latents that an `AnyGenerator` holds: an `EditSession`, the wrapped generator's own where it has one.
class AnyEdits {
 public:
  [[nodiscard]] detail::AnyArray images(std::span<const StyleEdit> edits) { return self_->images(edits); }
  [[nodiscard]] EditCost cost() const { return self_->cost(); }
  [[nodiscard]] double passes_of(std::int64_t channel) const { return self_->passes_of(channel); }

 private:
  friend class AnyGenerator;
  struct Interface {
    virtual ~Interface() = default;
    virtual detail::AnyArray images(std::span<const StyleEdit> edits) = 0;
    virtual EditCost cost() const = 0;
    virtual double passes_of(std::int64_t channel) const = 0;
  };
  template <class Session, class Images>
  struct Model final : Interface {
    Model(Session s, std::shared_ptr<const void> kept) : generator(std::move(kept)), session(std::move(s)) {}
    detail::AnyArray images(std::span<const StyleEdit> edits) override {
      return detail::AnyArray::of<Images>(session.images(edits));
    }
    EditCost cost() const override { return session.cost(); }
    double passes_of(std::int64_t channel) const override { return session.passes_of(channel); }
    std::shared_ptr<const void> generator;  // which the session borrows, so it goes last
    Session session;
  };
  explicit AnyEdits(std::unique_ptr<Interface> self) : self_(std::move(self)) {}
  std::unique_ptr<Interface> self_;
};

/// Owns or borrows any generator whose styles are affine in w, which the analysis needs. Copies share it.
///
/// Every call is the wrapped generator's, with its arrays where it keeps them (`latent_from_host` and the others lead
/// to them and back), so samples, reports and what is thrown are the same, bit for bit. What a type says of itself by
/// its members is said here at run time: `is_differentiable()` and `pads_batches()`; without a cost, class names and
/// the like of its own, a generator answers as if it were empty. A device-resident batch stays on its device until it
/// is scored on the host: for a classifier that takes it there, use the generator itself.
/// **Throws** shape_mismatch for arrays of another kind of generator, invalid_argument in `pullback` where there are no
/// gradients, and what the wrapped generator throws. **Cost**: a virtual call, an allocation for each array.
/// Example: `AnyGenerator any = fast ? AnyGenerator(Generator<CpuBackend>::load(path)) : AnyGenerator(MyGenerator());`
class AnyGenerator {
 public:
  using latent_type = detail::AnyArray;
  using style_type = detail::AnyArray;
  using label_type = detail::AnyArray;
  using image_type = detail::AnyArray;

  /// Owns the generator.
  template <AffineStyles G>
    requires(!std::same_as<std::remove_cvref_t<G>, AnyGenerator> && std::move_constructible<G>)
  explicit AnyGenerator(G generator)
      : self_(std::make_shared<const Model<G>>(std::make_shared<const G>(std::move(generator)))) {}

  /// Borrows the generator, which must outlive this and its copies.
  template <AffineStyles G>
  [[nodiscard]] static AnyGenerator borrow(const G& generator) {
    return AnyGenerator(std::make_shared<const Model<G>>(
        std::shared_ptr<const G>(std::shared_ptr<const G>(), std::addressof(generator))));
  }
  template <AffineStyles G>
  static AnyGenerator borrow(const G&&) = delete;

  [[nodiscard]] std::int64_t latent_dim() const { return self_->latent_dim(); }
  [[nodiscard]] std::int64_t w_dim() const { return self_->w_dim(); }
  [[nodiscard]] std::int64_t num_classes() const { return self_->num_classes(); }
  [[nodiscard]] ImageShape image_shape() const { return self_->image_shape(); }
  [[nodiscard]] ValueRange value_range() const { return self_->value_range(); }
  [[nodiscard]] const StyleLayout& layout() const { return self_->layout(); }
  [[nodiscard]] std::string digest() const { return self_->digest(); }

  /// Whether `pullback` works: the wrapped generator is a `DifferentiableGenerator`.
  [[nodiscard]] bool is_differentiable() const { return self_->is_differentiable(); }
  /// Whether calls are padded to a fixed batch, see `pads_batches`.
  [[nodiscard]] bool pads_batches() const { return self_->pads_batches(); }
  /// What the wrapped generator states of itself; zeros and empty where it states nothing.
  [[nodiscard]] GeneratorCost cost() const { return self_->cost(); }
  [[nodiscard]] std::vector<std::string> class_names() const { return self_->class_names(); }
  [[nodiscard]] std::string torch_version() const { return self_->torch_version(); }
  [[nodiscard]] std::string backend_description() const { return self_->backend_description(); }
  [[nodiscard]] std::vector<std::string> backend_warnings() const { return self_->backend_warnings(); }

  [[nodiscard]] latent_type latent_from_host(const Matrix<float>& rows) const { return self_->latent_from_host(rows); }
  [[nodiscard]] style_type style_from_host(const Matrix<float>& rows) const { return self_->style_from_host(rows); }
  [[nodiscard]] label_type label_from_host(std::span<const std::int64_t> labels) const {
    return self_->label_from_host(labels);
  }
  [[nodiscard]] Matrix<float> latent_to_host(const latent_type& latent) const { return self_->latent_to_host(latent); }
  [[nodiscard]] Matrix<float> style_to_host(const style_type& style) const { return self_->style_to_host(style); }
  [[nodiscard]] ImageBatch image_to_host(const image_type& images) const { return self_->image_to_host(images); }

  [[nodiscard]] latent_type map(const latent_type& z, const label_type& labels, const MapOptions& options = {}) const {
    return self_->map(z, labels, options);
  }
  [[nodiscard]] style_type styles(const latent_type& w) const { return self_->styles(w); }
  [[nodiscard]] image_type synthesize(const style_type& s, const SynthesisOptions& options = {}) const {
    return self_->synthesize(s, options);
  }
  [[nodiscard]] Matrix<float> style_matrix() const { return self_->style_matrix(); }
  [[nodiscard]] Matrix<float> style_bias() const { return self_->style_bias(); }
  [[nodiscard]] Matrix<float> pullback(const style_type& s, const ImageBatch& gradient) const {
    return self_->pullback(s, gradient);
  }
  /// Edits by the wrapped generator's own session, or one synthesis each; the session keeps an owned generator alive.
  [[nodiscard]] AnyEdits begin_edits(const style_type& s) const { return self_->begin_edits(s); }

 private:
  using Array = detail::AnyArray;
  struct Interface {
    virtual ~Interface() = default;
    virtual std::int64_t latent_dim() const = 0;
    virtual std::int64_t w_dim() const = 0;
    virtual std::int64_t num_classes() const = 0;
    virtual ImageShape image_shape() const = 0;
    virtual ValueRange value_range() const = 0;
    virtual const StyleLayout& layout() const = 0;
    virtual std::string digest() const = 0;
    virtual bool is_differentiable() const = 0;
    virtual bool pads_batches() const = 0;
    virtual GeneratorCost cost() const = 0;
    virtual std::vector<std::string> class_names() const = 0;
    virtual std::string torch_version() const = 0;
    virtual std::string backend_description() const = 0;
    virtual std::vector<std::string> backend_warnings() const = 0;
    virtual Array latent_from_host(const Matrix<float>& rows) const = 0;
    virtual Array style_from_host(const Matrix<float>& rows) const = 0;
    virtual Array label_from_host(std::span<const std::int64_t> labels) const = 0;
    virtual Matrix<float> latent_to_host(const Array& latent) const = 0;
    virtual Matrix<float> style_to_host(const Array& style) const = 0;
    virtual ImageBatch image_to_host(const Array& images) const = 0;
    virtual Array map(const Array& z, const Array& labels, const MapOptions& options) const = 0;
    virtual Array styles(const Array& w) const = 0;
    virtual Array synthesize(const Array& s, const SynthesisOptions& options) const = 0;
    virtual Matrix<float> style_matrix() const = 0;
    virtual Matrix<float> style_bias() const = 0;
    virtual Matrix<float> pullback(const Array& s, const ImageBatch& gradient) const = 0;
    virtual AnyEdits begin_edits(const Array& s) const = 0;
  };
  template <class G>
  struct Model;
  explicit AnyGenerator(std::shared_ptr<const Interface> self) : self_(std::move(self)) {}

  std::shared_ptr<const Interface> self_;
};

}  // namespace v1
}  // namespace faultline

#include <faultline/sampling/detail/any_generator_impl.hpp>
