// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of sampling/any_generator.hpp: one generator behind AnyGenerator's calls.

#include <faultline/sampling/any_generator.hpp>

namespace faultline {
inline namespace v1 {

template <class G>
struct AnyGenerator::Model final : AnyGenerator::Interface {
  using Latent = typename G::latent_type;
  using Style = typename G::style_type;
  using Label = typename G::label_type;
  using Image = typename G::image_type;

  explicit Model(std::shared_ptr<const G> wrapped) : generator(std::move(wrapped)), own_layout(generator->layout()) {}

  std::int64_t latent_dim() const override { return generator->latent_dim(); }
  std::int64_t w_dim() const override { return generator->w_dim(); }
  std::int64_t num_classes() const override { return generator->num_classes(); }
  ImageShape image_shape() const override { return generator->image_shape(); }
  ValueRange value_range() const override { return generator->value_range(); }
  const StyleLayout& layout() const override { return own_layout; }
  std::string digest() const override { return generator->digest(); }
  bool is_differentiable() const override { return faultline::is_differentiable(*generator); }
  bool pads_batches() const override { return detail::pads_batches(*generator); }
  GeneratorCost cost() const override { return cost_of(*generator); }
  std::vector<std::string> class_names() const override {
    if constexpr (requires(const G& g) {
                    { g.class_names() } -> std::convertible_to<std::vector<std::string>>;
                  })
      return generator->class_names();
    else return {};
  }
  std::string torch_version() const override {
    if constexpr (requires(const G& g) {
                    { g.torch_version() } -> std::convertible_to<std::string>;
                  })
      return generator->torch_version();
    else return {};
  }
  std::string backend_description() const override {
    if constexpr (requires(const G& g) {
                    { g.backend_description() } -> std::convertible_to<std::string>;
                  })
      return generator->backend_description();
    else return {};
  }
  std::vector<std::string> backend_warnings() const override {
    if constexpr (requires(const G& g) {
                    { g.backend_warnings() } -> std::convertible_to<std::vector<std::string>>;
                  })
      return generator->backend_warnings();
    else return {};
  }

  Array latent_from_host(const Matrix<float>& rows) const override {
    return Array::of<Latent>(generator->latent_from_host(rows));
  }
  Array style_from_host(const Matrix<float>& rows) const override {
    return Array::of<Style>(generator->style_from_host(rows));
  }
  Array label_from_host(std::span<const std::int64_t> labels) const override {
    return Array::of<Label>(generator->label_from_host(labels));
  }
  Matrix<float> latent_to_host(const Array& latent) const override {
    return generator->latent_to_host(latent.as<Latent>("AnyGenerator::latent_to_host"));
  }
  Matrix<float> style_to_host(const Array& style) const override {
    return generator->style_to_host(style.as<Style>("AnyGenerator::style_to_host"));
  }
  ImageBatch image_to_host(const Array& images) const override {
    return generator->image_to_host(images.as<Image>("AnyGenerator::image_to_host"));
  }
  Array map(const Array& z, const Array& labels, const MapOptions& options) const override {
    constexpr const char* where = "AnyGenerator::map";
    return Array::of<Latent>(generator->map(z.as<Latent>(where), labels.as<Label>(where), options));
  }
  Array styles(const Array& w) const override {
    return Array::of<Style>(generator->styles(w.as<Latent>("AnyGenerator::styles")));
  }
  Array synthesize(const Array& s, const SynthesisOptions& options) const override {
    return Array::of<Image>(generator->synthesize(s.as<Style>("AnyGenerator::synthesize"), options));
  }
  Matrix<float> style_matrix() const override { return generator->style_matrix(); }
  Matrix<float> style_bias() const override { return generator->style_bias(); }
  Matrix<float> pullback(const Array& s, const ImageBatch& gradient) const override {
    if constexpr (DifferentiableGenerator<G>) {
      if (is_differentiable()) return generator->pullback(s.as<Style>("AnyGenerator::pullback"), gradient);
    }
    static_cast<void>(s), static_cast<void>(gradient);
    throw Error(ErrorCode::invalid_argument, "AnyGenerator::pullback",
                "the generator has no gradients; ask is_differentiable() before");
  }
  AnyEdits begin_edits(const Array& s) const override {
    auto session = faultline::begin_edits(*generator, s.as<Style>("AnyGenerator::begin_edits"));
    using Session = decltype(session);
    return AnyEdits(std::make_unique<AnyEdits::Model<Session, Image>>(std::move(session), generator));
  }

  std::shared_ptr<const G> generator;
  StyleLayout own_layout;
};

}  // namespace v1
}  // namespace faultline
