// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The models of tests/fixtures/make_onnx.py, what they answer, and what is said where one is refused.

#include <faultline/core/image.hpp>
#include <faultline/error.hpp>
#include <faultline/interop/onnx_options.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace onnx_models {

inline const faultline::OnnxOptions logits{.scores = faultline::Scores::logits};

inline std::filesystem::path model(const std::string& name) {
  return std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests/fixtures/onnx" / (name + ".onnx");
}

inline faultline::ImageBatch different_images(std::int64_t count, faultline::ImageShape shape = {1, 28, 28}) {
  faultline::ImageBatch images(count, shape);
  for (std::int64_t p = 0; p < count * shape.elements(); ++p)
    images.data()[p] = static_cast<float>((p * 7'919) % 1'013) / 1'013.0f;
  return images;
}

/// The logit of class k of the model `quadrants` and its relatives; `clipped` cuts the means.
inline double expected(std::span<const float> image, std::int64_t k, double lower = 0.0, double upper = 1.0) {
  double mean[4] = {};
  for (std::size_t y = 0; y < 28; ++y)
    for (std::size_t x = 0; x < 28; ++x) mean[2 * (y / 14) + x / 14] += static_cast<double>(image[28 * y + x]) / 196.0;
  double logit = static_cast<double>(k % 4) / 8.0;
  for (std::int64_t j = 0; j < 4; ++j)
    logit += static_cast<double>((3 * k + 5 * j) % 7 - 3) / 4.0 * std::clamp(mean[j], lower, upper);
  return logit;
}

/// What loading says, without the folder, or "loaded".
template <class Load>
std::string refusal(const Load& load, const std::filesystem::path& path, const faultline::OnnxOptions& options) {
  try {
    static_cast<void>(load(path, options));
    return "loaded";
  } catch (const faultline::Error& error) {
    std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    const std::string folder = path.parent_path().string() + "/";
    if (const auto at = text.find(folder); at != std::string::npos) text.erase(at, folder.size());
    return text;
  }
}

}  // namespace onnx_models
