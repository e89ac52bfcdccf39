// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of Generator<Backend>: checks of options, and everything that is the same whatever the arrays are.

#include <faultline/stylegan2/generator.hpp>

#include <faultline/stylegan2/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace faultline {
inline namespace v1 {

template <class Backend>
Generator<Backend> Generator<Backend>::load(const std::filesystem::path& path, Integrity integrity,
                                            const typename Backend::Options& options) {
  stylegan2::GeneratorModel model = stylegan2::load_generator_model(path, integrity);
  if (integrity == Integrity::unchecked) model.digest.clear();
  return Generator(std::move(model), options);
}

template <class Backend>
Generator<Backend>::Generator(stylegan2::GeneratorModel model, const typename Backend::Options& options)
    : backend_(Arrays::call("Generator", [&] { return Backend(std::move(model), options); })),
      layout_(stylegan2::style_layout(backend_.model().config)),
      digest_(backend_.model().digest) {
  if (digest_.empty()) digest_ = stylegan2::generator_digest(backend_.model());
}

template <class Backend>
void Generator<Backend>::save(const std::filesystem::path& path) const {
  stylegan2::save_generator_model(path, model());
}

template <class Backend>
auto Generator<Backend>::map(const latent_type& z, const label_type& labels, const MapOptions& options) const
    -> latent_type {
  constexpr const char* where = "Generator::map";
  if (!std::isfinite(options.truncation) || std::abs(options.truncation) > 2.0)
    throw Error(ErrorCode::invalid_argument, where,
                "truncation must lie in [-2, 2], got " + std::to_string(options.truncation));
  if (options.cutoff && (*options.cutoff < 0 || *options.cutoff > num_ws()))
    throw Error(ErrorCode::invalid_argument, where,
                "cutoff must lie in [0, " + std::to_string(num_ws()) + "], got " + std::to_string(*options.cutoff));
  return Arrays::call(where, [&] { return Arrays::map(where, backend_, z, labels, options); });
}

template <class Backend>
auto Generator<Backend>::styles(const latent_type& w) const -> style_type {
  constexpr const char* where = "Generator::styles";
  return Arrays::call(where, [&] { return Arrays::styles(where, backend_, w); });
}

template <class Backend>
auto Generator<Backend>::shift_styles(const style_type& s, std::span<const std::int64_t> channels,
                                      const Matrix<float>& shifts) const -> style_type {
  constexpr const char* where = "Generator::shift_styles";
  Arrays::require_styles(where, layout_, s);
  if (shifts.rows() > Arrays::rows(s) || shifts.cols() != static_cast<std::int64_t>(channels.size()))
    throw Error(ErrorCode::shape_mismatch, where,
                "expected shifts of at most " + std::to_string(Arrays::rows(s)) + " rows and " +
                    std::to_string(channels.size()) + " columns, got " + std::to_string(shifts.rows()) + " x " +
                    std::to_string(shifts.cols()));
  for (const std::int64_t channel : channels)
    if (channel < 0 || channel >= layout_.dimension())
      throw Error(
          ErrorCode::invalid_argument, where,
          "style channel must lie in [0, " + std::to_string(layout_.dimension()) + "), got " + std::to_string(channel));
  return Arrays::call(where, [&] { return Arrays::shift(s, channels, shifts); });
}

template <class Backend>
auto Generator<Backend>::synthesize(const style_type& s, const SynthesisOptions& options) const -> image_type {
  constexpr const char* where = "Generator::synthesize";
  Arrays::require_styles(where, layout_, s);
  return Arrays::call(where, [&] { return Arrays::synthesize(backend_, s, options); });
}

template <class Backend>
Matrix<float> Generator<Backend>::pullback(const style_type& s, const ImageBatch& image_gradient) const {
  constexpr const char* where = "Generator::pullback";
  Arrays::require_styles(where, layout_, s);
  if (image_gradient.count() != Arrays::rows(s) || !(image_gradient.shape() == image_shape()))
    throw Error(ErrorCode::shape_mismatch, where,
                "expected one image gradient of the generator's image shape per row of styles, got " +
                    std::to_string(image_gradient.count()) + " for " + std::to_string(Arrays::rows(s)) + " rows");
  return Arrays::call(where, [&] { return Arrays::pullback(backend_, s, image_gradient); });
}

template <class Backend>
auto Generator<Backend>::begin_edits(const style_type& s) const -> typename Arrays::edits_type {
  constexpr const char* where = "Generator::begin_edits";
  Arrays::require_styles(where, layout_, s);
  return Arrays::call(where, [&] { return Arrays::begin_edits(backend_, s); });
}

template <class Backend>
Matrix<float> Generator<Backend>::style_matrix() const {
  Matrix<float> matrix(layout_.dimension(), w_dim());
  const float gain = static_cast<float>(1.0 / std::sqrt(static_cast<double>(w_dim())));
  for (const auto& layer : layout_.layers()) {
    const std::vector<float>& weight = model().weights["synthesis." + layer.name + ".affine.weight"].values;
    std::transform(weight.begin(), weight.end(), matrix.data() + layer.offset * w_dim(),
                   [gain](float value) { return value * gain; });
  }
  return matrix;
}

template <class Backend>
Matrix<float> Generator<Backend>::style_bias() const {
  Matrix<float> bias(layout_.dimension(), 1);
  for (const auto& layer : layout_.layers()) {
    const std::vector<float>& value = model().weights["synthesis." + layer.name + ".affine.bias"].values;
    std::copy(value.begin(), value.end(), bias.data() + layer.offset);
  }
  return bias;
}

template <class Backend>
std::string Generator<Backend>::backend_description() const {
  if constexpr (requires { backend_.path(); }) return backend_.path();
  else return {};
}

template <class Backend>
std::vector<std::string> Generator<Backend>::backend_warnings() const {
  if constexpr (requires { backend_.warnings(); }) return backend_.warnings();
  else return {};
}

}  // namespace v1
}  // namespace faultline
