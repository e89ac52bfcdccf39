// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Generator and discriminator files: exact tensor lists and shapes, resample filters optional and checked, strict
// configs.

#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/detail/config_json.hpp>
#include <faultline/torch/networks.hpp>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

inline constexpr const char* generator_format = "faultline.stylegan2/1";
inline constexpr const char* discriminator_format = "faultline.discriminator/1";

namespace detail {

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// The one filter that every resampling layer uses: [1,3,3,1] outer [1,3,3,1] over 64.
inline void check_resample_filter(const std::string& name, const data::TensorData& data, const std::string& where) {
  constexpr std::array<float, 4> tap = {1, 3, 3, 1};
  if (data.type != data::ElementType::f32 || data.shape != std::vector<std::int64_t>{4, 4})
    throw Error(ErrorCode::wrong_tensor_shape, where, name + " must be [4, 4]");
  for (std::size_t i = 0; i < 16; ++i)
    if (std::abs(data.values[i] - tap[i / 4] * tap[i % 4] / 64.0f) > 1e-6f)
      throw Error(ErrorCode::wrong_tensor_shape, where,
                  name + " is another filter than [1,3,3,1]; networks with other filters are not supported");
}

/// Takes the tensors that `specs` names out of `file`; anything missing, left over (but for `allowed` names) or of
/// another shape is refused.
inline Weights take_weights(const data::TensorFile& file, const std::vector<TensorSpec>& specs,
                            const std::set<std::string>& allowed, const std::string& where) {
  const LibTorchScope scope(where);
  Weights weights;
  for (const auto& spec : specs) {
    const auto found = file.tensors.find(spec.name);
    if (found == file.tensors.end())
      throw Error(ErrorCode::missing_tensor, where,
                  "expected a tensor " + spec.name + " " + shape_text(spec.shape) + ", the file has none");
    const data::TensorData& data = found->second;
    if (data.type != data::ElementType::f32 || data.shape != spec.shape)
      throw Error(ErrorCode::wrong_tensor_shape, where,
                  "expected " + spec.name + " as float32 " + shape_text(spec.shape) + ", got " +
                      (data.type == data::ElementType::f32 ? "float32 " : "int64 ") + shape_text(data.shape));
    for (const float value : data.values)
      if (!std::isfinite(value))
        throw Error(ErrorCode::non_finite_weight, where, spec.name + " has a value that is not finite");
    weights.set(spec.name, to_tensor(data));
  }
  const std::string filter = ".resample_filter";
  for (const auto& [name, data] : file.tensors) {
    if (weights.contains(name) || allowed.count(name) != 0) continue;
    if (name.size() > filter.size() && name.compare(name.size() - filter.size(), filter.size(), filter) == 0)
      check_resample_filter(name, data, where);
    else
      throw Error(ErrorCode::unexpected_tensor, where,
                  "the file has a tensor " + name + " that its config has no place for");
  }
  return weights;
}

inline std::string metadata_text(const data::TensorFile& file, const std::string& key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    throw Error(ErrorCode::malformed_header, where, "the metadata has no '" + key + "'");
  return found->second;
}

}  // namespace detail

/// A generator with its sizes and where it came from.
struct GeneratorModel {
  GeneratorConfig config;
  Weights weights;
  std::string provenance = {};  ///< JSON text: data, steps, seed, version
  std::string digest = {};      ///< of the file it was read from
};

namespace detail {

inline constexpr std::int64_t probe_count = 4;
inline constexpr double probe_tolerance = 1e-4;

/// Images of given latents with ψ = 1 and constant noise: what a file's probe holds.
inline at::Tensor probe_images(const GeneratorModel& model, const at::Tensor& z, const at::Tensor& labels) {
  const LibTorchScope scope("probe_images");
  const c10::AutoGradMode off(false);
  const at::Tensor classes = model.config.c_dim > 0 ? stylegan2::one_hot(labels, model.config.c_dim) : at::Tensor();
  return synthesis(model.config, model.weights,
                   layer_styles(model.config, model.weights, mapping(model.config, model.weights, z, classes)),
                   constant_noise(model.config, model.weights));
}

inline void check_probe(const data::TensorFile& file, const GeneratorModel& model, const std::string& where) {
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
  const data::TensorData& z = file.at("probe.z");
  if (z.type != data::ElementType::f32 || z.shape != std::vector<std::int64_t>{count, config.z_dim})
    throw Error(ErrorCode::wrong_tensor_shape, where, "probe.z must be [" + std::to_string(count) + ", z_dim]");
  at::Tensor labels;
  if (config.c_dim > 0) {
    const data::TensorData& stored = file.at("probe.labels");
    if (stored.type != data::ElementType::i64 || stored.shape != std::vector<std::int64_t>{count})
      throw Error(ErrorCode::wrong_tensor_shape, where, "probe.labels must be " + std::to_string(count) + " integers");
    labels = at::empty({count}, at::kLong);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t label = stored.integers[static_cast<std::size_t>(i)];
      if (label < 0 || label >= config.c_dim)
        throw Error(ErrorCode::label_out_of_range, where, "probe.labels holds " + std::to_string(label));
      labels.data_ptr<std::int64_t>()[i] = label;
    }
  }
  const LibTorchScope scope(where);
  const double worst = (probe_images(model, to_tensor(z), labels) - to_tensor(image)).abs().max().item<double>();
  if (!(worst <= probe_tolerance))
    throw Error(ErrorCode::probe_mismatch, where,
                "the network differs from its stored probe by " + std::to_string(worst) +
                    ", allowed are 1e-4; the file or this build of LibTorch is faulty");
}

}  // namespace detail

/// Reads a generator file and checks that it reproduces its own probe, if it has one.
///
/// Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor, unexpected_tensor,
/// wrong_tensor_shape, probe_mismatch.
inline GeneratorModel load_generator_model(const std::filesystem::path& path,
                                           Integrity integrity = Integrity::checked) {
  const std::string where = "load generator (" + path.string() + ")";
  const data::TensorFile file = data::read_safetensors(path, {}, integrity);
  data::require_format(file, generator_format);
  GeneratorModel model;
  model.config = detail::validated(
      detail::generator_config(detail::parse_config(detail::metadata_text(file, "config", where), where), where),
      where);
  model.weights =
      detail::take_weights(file, tensor_specs(model.config), {"probe.z", "probe.labels", "probe.image"}, where);
  if (const auto provenance = file.metadata.find("provenance"); provenance != file.metadata.end())
    model.provenance = provenance->second;
  if (const auto digest = file.metadata.find("sha256"); digest != file.metadata.end()) model.digest = digest->second;
  detail::check_probe(file, model, where);
  return model;
}

/// The file of a generator, with a probe of four samples (latents from seed 0, stream 0; labels 0, 1, 2, …).
inline data::TensorFile generator_file(const GeneratorModel& model) {
  data::TensorFile file;
  file.metadata["format"] = generator_format;
  file.metadata["config"] = detail::to_json(model.config).dump();
  if (!model.provenance.empty()) file.metadata["provenance"] = model.provenance;
  for (const auto& [name, tensor] : model.weights.all()) file.tensors[name] = to_data(tensor);
  at::Tensor z = at::empty({detail::probe_count, model.config.z_dim}, at::kFloat);
  for (std::int64_t i = 0; i < detail::probe_count; ++i)
    core::fill_normals(
        0, core::Stream::latents, i,
        std::span<float>(z.data_ptr<float>() + i * model.config.z_dim, static_cast<std::size_t>(model.config.z_dim)));
  at::Tensor labels;
  if (model.config.c_dim > 0) {
    labels = at::empty({detail::probe_count}, at::kLong);
    data::TensorData stored{
        .shape = {detail::probe_count}, .values = {}, .integers = {}, .type = data::ElementType::i64};
    for (std::int64_t i = 0; i < detail::probe_count; ++i) {
      stored.integers.push_back(i % model.config.c_dim);
      labels.data_ptr<std::int64_t>()[i] = i % model.config.c_dim;
    }
    file.tensors["probe.labels"] = stored;
  }
  file.tensors["probe.z"] = to_data(z);
  file.tensors["probe.image"] = to_data(detail::probe_images(model, z, labels));
  return file;
}

/// Writes a generator file, all or nothing, and returns its digest. Throws cannot_write, not_durable,
/// non_finite_weight.
inline std::string save_generator_model(const std::filesystem::path& path, const GeneratorModel& model) {
  return data::write_safetensors(path, generator_file(model));
}

/// A discriminator with its sizes.
struct DiscriminatorModel {
  DiscriminatorConfig config;
  Weights weights;
};

/// Reads a discriminator file. Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor,
/// unexpected_tensor, wrong_tensor_shape.
inline DiscriminatorModel load_discriminator(const std::filesystem::path& path,
                                             Integrity integrity = Integrity::checked) {
  const std::string where = "load_discriminator(" + path.string() + ")";
  const data::TensorFile file = data::read_safetensors(path, {}, integrity);
  const auto format = file.metadata.find("format");
  // An older name of the same format, found in recorded fixtures.
  const bool older = format != file.metadata.end() && format->second == "faultline.stylegan2-discriminator/1";
  data::require_format(file, older ? format->second : std::string(discriminator_format));
  DiscriminatorModel model;
  model.config = detail::validated(
      detail::discriminator_config(detail::parse_config(detail::metadata_text(file, "config", where), where), where),
      where);
  model.weights = detail::take_weights(file, tensor_specs(model.config), {}, where);
  return model;
}

/// Writes a discriminator file, all or nothing; `provenance` is a JSON text (data, steps, seed, version) or empty.
inline void save_discriminator(const std::filesystem::path& path, const DiscriminatorModel& model,
                               const std::string& provenance = {}) {
  data::TensorFile file;
  file.metadata["format"] = discriminator_format;
  file.metadata["config"] = detail::to_json(model.config).dump();
  if (!provenance.empty()) file.metadata["provenance"] = provenance;
  for (const auto& [name, tensor] : model.weights.all()) file.tensors[name] = to_data(tensor);
  data::write_safetensors(path, file);
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
