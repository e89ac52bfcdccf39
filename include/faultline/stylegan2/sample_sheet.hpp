// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A sheet of generated images, one row per class, always of the same latents: how a training run looks at a glance.

#include <faultline/core/random.hpp>
#include <faultline/data/png.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// A picture of `columns` samples for each class (one row when unconditional), constant noise, ψ = 1. Grey for one
/// channel, RGB for three.
///
/// Randomness: the latent of column j is (seed, stream 0, j), the same in every row. Throws invalid_argument for other
/// channel counts.
[[nodiscard]] inline Picture sample_sheet(const GeneratorModel& model, std::int64_t columns = 12,
                                          std::int64_t seed = 0) {
  const auto& config = model.config;
  if (config.img_channels != 1 && config.img_channels != 3)
    throw Error(ErrorCode::invalid_argument, "sample_sheet", "only images of one or three channels can be shown");
  const std::int64_t rows = std::max<std::int64_t>(1, config.c_dim);
  const std::int64_t size = config.img_resolution;
  Matrix<float> z(columns, config.z_dim);
  for (std::int64_t i = 0; i < columns; ++i) core::fill_normals(seed, core::Stream::latents, i, z.row_span(i));
  const CpuBackend backend(model);
  const NoiseImages noise = noise_images(config, model.weights, columns, SynthesisOptions{});
  Picture sheet{
      .height = rows * size, .width = columns * size, .channels = static_cast<int>(config.img_channels), .pixels = {}};
  sheet.pixels.resize(static_cast<std::size_t>(sheet.height * sheet.width * config.img_channels));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::vector<std::int64_t> labels(config.c_dim > 0 ? static_cast<std::size_t>(columns) : 0, row);
    const ImageBatch images = backend.synthesis(backend.styles(backend.mapping(z, labels)), noise);
    const float* pixel = images.data();
    for (std::int64_t column = 0; column < columns; ++column)
      for (std::int64_t c = 0; c < config.img_channels; ++c)
        for (std::int64_t y = 0; y < size; ++y)
          for (std::int64_t x = 0; x < size; ++x) {
            const double unit = (static_cast<double>(*pixel++) - config.value_range.lower) /
                                (config.value_range.upper - config.value_range.lower);
            const std::int64_t place = ((row * size + y) * sheet.width + column * size + x) * config.img_channels + c;
            sheet.pixels[static_cast<std::size_t>(place)] =
                static_cast<std::uint8_t>(std::lround(std::clamp(unit, 0.0, 1.0) * 255.0));
          }
  }
  return sheet;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
