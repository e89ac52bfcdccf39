// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of the generator and discriminator files.

#include <faultline/stylegan2/model_file.hpp>

#include <faultline/core/random.hpp>
#include <faultline/data/network_file.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/config_json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

namespace detail {

inline constexpr std::int64_t probe_count = 4;
inline constexpr double probe_tolerance = 1e-4;

/// The one filter that every resampling layer uses: [1,3,3,1] outer [1,3,3,1] over 64. Whether the tensor is a filter
/// at all is answered; another filter throws wrong_tensor_shape.
inline bool is_resample_filter(const std::string& name, const data::TensorData& tensor, const std::string& where) {
  if (!name.ends_with(".resample_filter")) return false;
  constexpr std::array<float, 4> tap = {1, 3, 3, 1};
  if (tensor.type != data::ElementType::f32 || tensor.shape != std::vector<std::int64_t>{4, 4})
    throw Error(ErrorCode::wrong_tensor_shape, where, name + " must be [4, 4]");
  for (std::size_t i = 0; i < 16; ++i)
    if (std::abs(tensor.values[i] - tap[i / 4] * tap[i % 4] / 64.0f) > 1e-6f)
      throw Error(ErrorCode::wrong_tensor_shape, where,
                  name + " is another filter than [1,3,3,1]; networks with other filters are not supported");
  return true;
}

template <class Config>
kernels::Weights take_network(data::TensorFile& file, const Config& config, const std::set<std::string>& allowed,
                              const std::string& where) {
  return data::take_weights(
      file, weight_specs(config), allowed, where,
      [&](const std::string& name, const data::TensorData& tensor) { return is_resample_filter(name, tensor, where); });
}

/// Images of given latents with ψ = 1 and constant noise: what a file's probe holds.
inline ImageBatch probe_images(const GeneratorModel& model, const Matrix<float>& z,
                               const std::vector<std::int64_t>& labels) {
  const CpuBackend backend(model);
  return backend.synthesis(backend.styles(backend.mapping(z, labels)),
                           noise_images(model.config, model.weights, z.rows(), SynthesisOptions{}));
}

inline void check_probe(const data::TensorFile& file, const GeneratorModel& model, const std::string& where) {
  using kernels::shape_text;
  if (file.tensors.count("probe.image") == 0 && file.tensors.count("probe.z") == 0 &&
      file.tensors.count("probe.labels") == 0)
    return;
  const data::TensorData& image = file.at("probe.image");
  const GeneratorConfig& config = model.config;
  const std::int64_t count = image.shape.empty() ? 0 : image.shape[0];
  if (count < 1 || image.shape != std::vector<std::int64_t>{count, config.img_channels, config.img_resolution,
                                                            config.img_resolution})
    throw Error(ErrorCode::wrong_tensor_shape, where,
                "probe.image has the shape " + shape_text(image.shape) + ", which the config does not allow");
  const data::TensorData& stored_z = file.at("probe.z");
  if (stored_z.type != data::ElementType::f32 || stored_z.shape != std::vector<std::int64_t>{count, config.z_dim})
    throw Error(ErrorCode::wrong_tensor_shape, where, "probe.z must be [" + std::to_string(count) + ", z_dim]");
  Matrix<float> z(count, config.z_dim);
  std::copy(stored_z.values.begin(), stored_z.values.end(), z.data());
  std::vector<std::int64_t> labels;
  if (config.c_dim > 0) {
    const data::TensorData& stored = file.at("probe.labels");
    if (stored.type != data::ElementType::i64 || stored.shape != std::vector<std::int64_t>{count})
      throw Error(ErrorCode::wrong_tensor_shape, where, "probe.labels must be " + std::to_string(count) + " integers");
    labels = stored.integers;
    for (const std::int64_t label : labels)
      if (label < 0 || label >= config.c_dim)
        throw Error(ErrorCode::label_out_of_range, where, "probe.labels holds " + std::to_string(label));
  }
  const ImageBatch made = probe_images(model, z, labels);
  double worst = 0.0;
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    const double off = std::abs(static_cast<double>(made.data()[i] - image.values[i]));
    if (!(off <= worst)) worst = off;  // not a number is kept
    if (std::isnan(worst)) break;
  }
  if (!(worst <= probe_tolerance))
    throw Error(ErrorCode::probe_mismatch, where,
                "the network differs from its stored probe by " + std::to_string(worst) +
                    ", allowed are 1e-4; the file is faulty, or this library computes wrongly on this processor");
}

}  // namespace detail

FAULTLINE_INLINE GeneratorModel load_generator_model(const std::filesystem::path& path, Integrity integrity) {
  const std::string where = "load generator (" + path.string() + ")";
  data::TensorFile file = data::read_safetensors(path, {}, integrity);
  data::require_format(file, generator_format);
  GeneratorModel model;
  model.config =
      validated(generator_config(data::parse_config(data::metadata_text(file, "config", where), where), where), where);
  model.weights = detail::take_network(file, model.config, {"probe.z", "probe.labels", "probe.image"}, where);
  model.provenance = data::metadata_or_empty(file, "provenance");
  model.digest = data::metadata_or_empty(file, "sha256");
  detail::check_probe(file, model, where);
  return model;
}

FAULTLINE_INLINE data::TensorFile generator_file(const GeneratorModel& model) {
  const GeneratorConfig& config = model.config;
  data::TensorFile file;
  file.metadata["format"] = generator_format;
  file.metadata["config"] = to_json(config).dump();
  if (!model.provenance.empty()) file.metadata["provenance"] = model.provenance;
  data::put_weights(file, model.weights);
  Matrix<float> z(detail::probe_count, config.z_dim);
  for (std::int64_t i = 0; i < detail::probe_count; ++i) core::fill_normals(0, core::Stream::latents, i, z.row_span(i));
  std::vector<std::int64_t> labels;
  if (config.c_dim > 0) {
    for (std::int64_t i = 0; i < detail::probe_count; ++i) labels.push_back(i % config.c_dim);
    file.tensors["probe.labels"] = {
        .shape = {detail::probe_count}, .values = {}, .integers = labels, .type = data::ElementType::i64};
  }
  const ImageBatch images = detail::probe_images(model, z, labels);
  const auto put = [&](const std::string& name, std::vector<std::int64_t> shape, const float* values) {
    const std::int64_t count = kernels::element_count(shape);
    file.tensors[name] = {
        .shape = std::move(shape), .values = {values, values + count}, .integers = {}, .type = data::ElementType::f32};
  };
  put("probe.z", {detail::probe_count, config.z_dim}, z.data());
  put("probe.image", {detail::probe_count, config.img_channels, config.img_resolution, config.img_resolution},
      images.data());
  return file;
}

FAULTLINE_INLINE std::string generator_digest(const GeneratorModel& model) {
  return data::decode_safetensors(data::encode_safetensors(generator_file(model))).metadata.at("sha256");
}

FAULTLINE_INLINE std::string save_generator_model(const std::filesystem::path& path, const GeneratorModel& model) {
  return data::write_safetensors(path, generator_file(model));
}

FAULTLINE_INLINE DiscriminatorModel load_discriminator(const std::filesystem::path& path, Integrity integrity) {
  const std::string where = "load_discriminator(" + path.string() + ")";
  data::TensorFile file = data::read_safetensors(path, {}, integrity);
  const auto format = file.metadata.find("format");
  // An older name of the same format, found in recorded fixtures.
  const bool older = format != file.metadata.end() && format->second == "faultline.stylegan2-discriminator/1";
  data::require_format(file, older ? format->second : std::string(discriminator_format));
  DiscriminatorModel model;
  model.config = validated(
      discriminator_config(data::parse_config(data::metadata_text(file, "config", where), where), where), where);
  model.weights = detail::take_network(file, model.config, {}, where);
  return model;
}

FAULTLINE_INLINE void save_discriminator(const std::filesystem::path& path, const DiscriminatorModel& model,
                                         const std::string& provenance) {
  data::TensorFile file;
  file.metadata["format"] = discriminator_format;
  file.metadata["config"] = to_json(model.config).dump();
  if (!provenance.empty()) file.metadata["provenance"] = provenance;
  data::put_weights(file, model.weights);
  data::write_safetensors(path, file);
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
