// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Generator and discriminator files: exact tensor lists and shapes, resample filters optional and checked, strict
// configs.

#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/generator_model.hpp>

#include <filesystem>
#include <string>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

inline constexpr const char* generator_format = "faultline.stylegan2/1";
inline constexpr const char* discriminator_format = "faultline.discriminator/1";

/// Reads a generator file and checks, with CpuBackend in float32, that it reproduces its own probe, if it has one.
///
/// Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor, unexpected_tensor,
/// wrong_tensor_shape; probe_mismatch for a difference above 1e-4.
[[nodiscard]] GeneratorModel load_generator_model(const std::filesystem::path& path,
                                                  Integrity integrity = Integrity::checked);

/// The file of a generator, with a probe of four samples (latents from seed 0, stream 0; labels 0, 1, 2, …) made by
/// CpuBackend in float32.
[[nodiscard]] data::TensorFile generator_file(const GeneratorModel& model);

/// SHA-256 of that file.
[[nodiscard]] std::string generator_digest(const GeneratorModel& model);

/// Writes a generator file, all or nothing, and returns its digest. Throws cannot_write, not_durable,
/// non_finite_weight.
std::string save_generator_model(const std::filesystem::path& path, const GeneratorModel& model);

/// Reads a discriminator file. Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor,
/// unexpected_tensor, wrong_tensor_shape.
[[nodiscard]] DiscriminatorModel load_discriminator(const std::filesystem::path& path,
                                                    Integrity integrity = Integrity::checked);

/// Writes a discriminator file, all or nothing; `provenance` is a JSON text (data, steps, seed, version) or empty.
void save_discriminator(const std::filesystem::path& path, const DiscriminatorModel& model,
                        const std::string& provenance = {});

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/stylegan2/detail/model_file_impl.hpp>
#endif
