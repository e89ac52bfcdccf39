// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of Generator<Backend>: argument checks, truncation, noise and the ways to and from the host.

#include <faultline/stylegan2/generator.hpp>

#include <faultline/core/parallel_for.hpp>
#include <faultline/torch/libtorch_call.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace faultline {
inline namespace v1 {

namespace stylegan2::detail {

inline std::string tensor_text(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  return std::string(c10::toString(tensor.scalar_type())) + " " + shape_text(tensor.sizes().vec());
}

[[noreturn]] inline void wrong_tensor(const std::string& where, const std::string& expected, const at::Tensor& got) {
  throw Error(ErrorCode::shape_mismatch, where, "expected " + expected + ", got " + tensor_text(got));
}

inline void require_rows(const std::string& where, std::int64_t rows) {
  if (rows == 0) throw Error(ErrorCode::empty_input, where, "expected at least one row, got none");
}

/// A model is whole when every tensor its config names is there in its shape.
inline GeneratorModel whole(GeneratorModel model) {
  validate(model.config);
  for (const auto& spec : tensor_specs(model.config))
    if (model.weights[spec.name].sizes() != at::IntArrayRef(spec.shape))
      throw Error(
          ErrorCode::wrong_tensor_shape, "Generator",
          "expected " + spec.name + " " + shape_text(spec.shape) + ", got " + tensor_text(model.weights[spec.name]));
  model.weights = model.weights.clone();
  return model;
}

}  // namespace stylegan2::detail

template <class Backend>
Generator<Backend> Generator<Backend>::load(const std::filesystem::path& path, Integrity integrity,
                                            const typename Backend::Options& options) {
  stylegan2::GeneratorModel model = stylegan2::detail::libtorch_call(
      "Generator::load", [&] { return stylegan2::load_generator_model(path, integrity); });
  if (integrity == Integrity::unchecked) model.digest.clear();
  return Generator(std::move(model), options);
}

template <class Backend>
Generator<Backend>::Generator(stylegan2::GeneratorModel model, const typename Backend::Options& options)
    : backend_(stylegan2::detail::libtorch_call(
          "Generator", [&] { return Backend(stylegan2::detail::whole(std::move(model)), options); })),
      layout_(stylegan2::style_layout(backend_.model().config)) {
  digest_ = backend_.model().digest;
  if (digest_.empty())
    stylegan2::detail::libtorch_call("Generator", [&] {
      digest_ = data::decode_safetensors(data::encode_safetensors(stylegan2::generator_file(backend_.model())))
                    .metadata.at("sha256");
    });
}

template <class Backend>
void Generator<Backend>::save(const std::filesystem::path& path) const {
  stylegan2::detail::libtorch_call("Generator::save", [&] { stylegan2::save_generator_model(path, model()); });
}

template <class Backend>
at::Tensor Generator<Backend>::map(const at::Tensor& z, const at::Tensor& labels, const MapOptions& options) const {
  constexpr const char* where = "Generator::map";
  return stylegan2::detail::libtorch_call(where, [&] { return mapped(where, z, labels, options); });
}

template <class Backend>
at::Tensor Generator<Backend>::mapped(const char* where, const at::Tensor& z, const at::Tensor& labels,
                                      const MapOptions& options) const {
  const auto& config = model().config;
  if (!std::isfinite(options.truncation) || std::abs(options.truncation) > 2.0)
    throw Error(ErrorCode::invalid_argument, where,
                "truncation must lie in [-2, 2], got " + std::to_string(options.truncation));
  if (options.cutoff && (*options.cutoff < 0 || *options.cutoff > num_ws()))
    throw Error(ErrorCode::invalid_argument, where,
                "cutoff must lie in [0, " + std::to_string(num_ws()) + "], got " + std::to_string(*options.cutoff));
  if (!z.defined() || z.dim() != 2 || z.size(1) != config.z_dim || z.scalar_type() != at::kFloat)
    stylegan2::detail::wrong_tensor(where, "z as Float [N, " + std::to_string(config.z_dim) + "]", z);
  stylegan2::detail::require_rows(where, z.size(0));
  at::Tensor classes;
  if (config.c_dim > 0) {
    if (!labels.defined() || labels.dim() != 1 || labels.size(0) != z.size(0) || labels.scalar_type() != at::kLong)
      stylegan2::detail::wrong_tensor(where, "labels as Long [" + std::to_string(z.size(0)) + "]", labels);
    const at::Tensor plain = labels.to(at::kCPU).contiguous();
    for (std::int64_t i = 0; i < plain.size(0); ++i)
      if (const std::int64_t label = plain.const_data_ptr<std::int64_t>()[i]; label < 0 || label >= config.c_dim)
        throw Error(ErrorCode::label_out_of_range, where,
                    "label " + std::to_string(label) + " of row " + std::to_string(i) + " is not in [0, " +
                        std::to_string(config.c_dim) + ")");
    classes = stylegan2::one_hot(plain, config.c_dim);
  } else if (labels.defined() && labels.numel() != 0) {
    stylegan2::detail::wrong_tensor(where, "no labels (the generator is unconditional)", labels);
  }
  const at::Tensor w = backend_.mapping(z, classes);
  const at::Tensor average = w_average().to(w.device());
  const at::Tensor truncated = options.truncation == 1.0 ? w : average + (w - average) * options.truncation;
  if (!options.cutoff) return truncated;
  const std::int64_t cutoff = *options.cutoff;
  const auto slots = [&](const at::Tensor& value, std::int64_t count) {
    return value.unsqueeze(1).expand({z.size(0), count, config.w_dim});
  };
  return at::cat({slots(truncated, cutoff), slots(w, num_ws() - cutoff)}, 1);
}

template <class Backend>
at::Tensor Generator<Backend>::styles(const at::Tensor& w) const {
  constexpr const char* where = "Generator::styles";
  const bool flat = w.defined() && w.dim() == 2 && w.size(1) == w_dim();
  const bool layered = w.defined() && w.dim() == 3 && w.size(1) == num_ws() && w.size(2) == w_dim();
  if (!(flat || layered) || w.scalar_type() != at::kFloat)
    stylegan2::detail::wrong_tensor(where,
                                    "w as Float [N, " + std::to_string(w_dim()) + "] or [N, " +
                                        std::to_string(num_ws()) + ", " + std::to_string(w_dim()) + "]",
                                    w);
  stylegan2::detail::require_rows(where, w.size(0));
  return stylegan2::detail::libtorch_call(where, [&] { return backend_.styles(w); });
}

template <class Backend>
void Generator<Backend>::require_styles(const char* where, const at::Tensor& s) const {
  if (!s.defined() || s.dim() != 2 || s.size(1) != layout_.dimension() || s.scalar_type() != at::kFloat)
    stylegan2::detail::wrong_tensor(where, "styles as Float [N, " + std::to_string(layout_.dimension()) + "]", s);
  stylegan2::detail::require_rows(where, s.size(0));
}

template <class Backend>
at::Tensor Generator<Backend>::shift_styles(const at::Tensor& s, std::span<const std::int64_t> channels,
                                            const Matrix<float>& shifts) const {
  constexpr const char* where = "Generator::shift_styles";
  require_styles(where, s);
  if (shifts.rows() > s.size(0) || shifts.cols() != static_cast<std::int64_t>(channels.size()))
    throw Error(ErrorCode::shape_mismatch, where,
                "expected shifts of at most " + std::to_string(s.size(0)) + " rows and " +
                    std::to_string(channels.size()) + " columns, got " + std::to_string(shifts.rows()) + " x " +
                    std::to_string(shifts.cols()));
  for (const std::int64_t channel : channels)
    if (channel < 0 || channel >= layout_.dimension())
      throw Error(
          ErrorCode::invalid_argument, where,
          "style channel must lie in [0, " + std::to_string(layout_.dimension()) + "), got " + std::to_string(channel));
  const at::Tensor columns = label_from_host(channels), added = from_rows(shifts);
  return stylegan2::detail::libtorch_call(where, [&] {
    at::Tensor shifted = s.clone();
    shifted.narrow(0, 0, shifts.rows()).index_add_(1, columns.to(s.device()), added.to(s.device()));
    return shifted;
  });
}

template <class Backend>
at::Tensor Generator<Backend>::synthesize(const at::Tensor& s, const SynthesisOptions& options) const {
  constexpr const char* where = "Generator::synthesize";
  require_styles(where, s);
  return stylegan2::detail::libtorch_call(where,
                                          [&] { return backend_.synthesis(s, noise_images(s.size(0), options)); });
}

template <class Backend>
std::vector<at::Tensor> Generator<Backend>::noise_images(std::int64_t count, const SynthesisOptions& options) const {
  if (options.noise == Noise::none) return {};
  std::vector<at::Tensor> noise = stylegan2::constant_noise(model().config, model().weights);
  if (options.noise == Noise::constant) return noise;
  std::int64_t pixels = 0;
  for (const at::Tensor& image : noise) pixels += image.numel();
  at::Tensor normals = at::empty({count, pixels}, at::kFloat);
  float* data = normals.data_ptr<float>();
  parallel_for(count, stylegan2::detail::loop_threads(), [&](std::int64_t i) {
    core::fill_normals(options.seed, core::Stream::noise, options.first + i,
                       std::span<float>(data + i * pixels, static_cast<std::size_t>(pixels)));
  });
  std::int64_t offset = 0;
  for (at::Tensor& image : noise) {
    const std::int64_t side = image.size(0);
    image = normals.narrow(1, offset, side * side).reshape({count, 1, side, side});
    offset += side * side;
  }
  return noise;
}

template <class Backend>
Matrix<float> Generator<Backend>::pullback(const at::Tensor& s, const ImageBatch& image_gradient) const {
  constexpr const char* where = "Generator::pullback";
  require_styles(where, s);
  if (image_gradient.count() != s.size(0) || !(image_gradient.shape() == image_shape()))
    throw Error(ErrorCode::shape_mismatch, where,
                "expected one image gradient of the generator's image shape per row of styles, got " +
                    std::to_string(image_gradient.count()) + " for " + std::to_string(s.size(0)) + " rows");
  return stylegan2::detail::libtorch_call(where, [&] {
    const ImageShape shape = image_shape();
    at::Tensor gradient = at::empty({s.size(0), shape.channels, shape.height, shape.width}, at::kFloat);
    std::memcpy(gradient.data_ptr<float>(), image_gradient.data(),
                static_cast<std::size_t>(gradient.numel()) * sizeof(float));
    if constexpr (requires { backend_.pullback(s, std::vector<at::Tensor>(), gradient); }) {
      return to_rows(backend_.pullback(s, noise_images(s.size(0), {}), gradient));
    } else {
      const c10::AutoGradMode on(true);
      const at::Tensor input = s.detach().clone().requires_grad_(true);
      const at::Tensor images = synthesize(input);
      return to_rows(torch::autograd::grad({images}, {input}, {gradient.to(images.device())}).front());
    }
  });
}

template <class Backend>
stylegan2::SynthesisEdits Generator<Backend>::begin_edits(const at::Tensor& s) const {
  constexpr const char* where = "Generator::begin_edits";
  require_styles(where, s);
  stylegan2::SynthesisEdits::Resume resume;
  if constexpr (stylegan2::ResumesSynthesis<Backend>) {
    resume = [this](const stylegan2::SynthesisState& state, const at::Tensor& styles,
                    const std::vector<at::Tensor>& noise) { return backend_.synthesis_from(state, styles, noise); };
  }
  return stylegan2::detail::libtorch_call(where, [&] {
    return stylegan2::SynthesisEdits(model().config, model().weights, s.to(at::kCPU),
                                     stylegan2::constant_noise(model().config, model().weights), std::move(resume));
  });
}

template <class Backend>
Matrix<float> Generator<Backend>::style_matrix() const {
  Matrix<float> matrix(layout_.dimension(), w_dim());
  const float gain = static_cast<float>(1.0 / std::sqrt(static_cast<double>(w_dim())));
  for (const auto& layer : layout_.layers()) {
    const at::Tensor weight = model().weights["synthesis." + layer.name + ".affine.weight"].contiguous();
    std::transform(weight.const_data_ptr<float>(), weight.const_data_ptr<float>() + weight.numel(),
                   matrix.data() + layer.offset * w_dim(), [gain](float value) { return value * gain; });
  }
  return matrix;
}

template <class Backend>
Matrix<float> Generator<Backend>::style_bias() const {
  Matrix<float> bias(layout_.dimension(), 1);
  for (const auto& layer : layout_.layers()) {
    const at::Tensor value = model().weights["synthesis." + layer.name + ".affine.bias"].contiguous();
    std::copy_n(value.const_data_ptr<float>(), value.numel(), bias.data() + layer.offset);
  }
  return bias;
}

template <class Backend>
at::Tensor Generator<Backend>::label_from_host(std::span<const std::int64_t> labels) const {
  const stylegan2::detail::LibTorchScope scope("Generator::from_host");
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

template <class Backend>
ImageBatch Generator<Backend>::image_to_host(const at::Tensor& images) const {
  const ImageShape shape = image_shape();
  if (!images.defined() || images.dim() != 4 || images.size(1) != shape.channels || images.size(2) != shape.height ||
      images.size(3) != shape.width)
    stylegan2::detail::wrong_tensor("Generator::image_to_host", "images of this generator", images);
  const at::Tensor plain = on_host("Generator::image_to_host", images);
  ImageBatch batch(plain.size(0), shape);
  std::copy_n(plain.const_data_ptr<float>(), plain.numel(), batch.data());
  return batch;
}

template <class Backend>
std::string Generator<Backend>::backend_description() const {
  if constexpr (requires { backend_.path(); }) return backend_.path();
  else return {};
}

template <class Backend>
std::string Generator<Backend>::torch_version() const {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
         std::to_string(TORCH_VERSION_PATCH);
}

template <class Backend>
std::vector<std::string> Generator<Backend>::backend_warnings() const {
  if constexpr (requires { backend_.warnings(); }) return backend_.warnings();
  else return {};
}

/// The tensor where the backend works.
template <class Backend>
at::Tensor Generator<Backend>::placed(const at::Tensor& tensor) const {
  if constexpr (requires { backend_.device(); })
    return stylegan2::detail::libtorch_call("Generator::from_host", [&] { return tensor.to(backend_.device()); });
  else return tensor;
}

template <class Backend>
at::Tensor Generator<Backend>::on_host(const char* where, const at::Tensor& tensor) {
  return stylegan2::detail::libtorch_call(where, [&] { return tensor.detach().to(at::kCPU, at::kFloat).contiguous(); });
}

template <class Backend>
at::Tensor Generator<Backend>::from_rows(const Matrix<float>& rows) {
  const stylegan2::detail::LibTorchScope scope("Generator::from_host");
  at::Tensor tensor = at::empty({rows.rows(), rows.cols()}, at::kFloat);
  std::copy_n(rows.data(), tensor.numel(), tensor.data_ptr<float>());
  return tensor;
}

template <class Backend>
Matrix<float> Generator<Backend>::to_rows(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() != 2)
    stylegan2::detail::wrong_tensor("Generator::to_host", "a tensor of rank 2", tensor);
  const at::Tensor plain = on_host("Generator::to_host", tensor);
  Matrix<float> rows(plain.size(0), plain.size(1));
  std::copy_n(plain.const_data_ptr<float>(), plain.numel(), rows.data());
  return rows;
}

}  // namespace v1
}  // namespace faultline
