// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every engine does with an ONNX file: open it, settle its classes, and fill up the last batch.

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>
#include <faultline/interop/detail/onnx_file.hpp>
#include <faultline/interop/detail/onnx_input.hpp>
#include <faultline/interop/onnx_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// A file, checked, with its input as file and options have it together; the options are filled in.
class OnnxModel {
 public:
  OnnxModel(const std::filesystem::path& path, OnnxOptions& options, const std::string& where)
      // (what a protocol buffer may have at most)
      : bytes_(core::read_file(path, std::numeric_limits<std::int32_t>::max())),
        input_(OnnxReader(where, path.string()).read(contents()), options, where, path.string()) {
    if (options.name.empty()) options.name = path.stem().string();
  }

  [[nodiscard]] std::string_view contents() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] std::string digest() const { return sha256_hex(contents()); }
  [[nodiscard]] const OnnxInput& input() const noexcept { return input_; }

 private:
  std::vector<std::byte> bytes_;
  OnnxInput input_;
};

/// Whether axes are `[batch, K]`, but for axes of length 1 at the end.
template <class Axes>
[[nodiscard]] bool are_scores(const Axes& axes, std::int64_t batch) {
  return axes.size() >= 2 && axes[0] == batch && axes[1] >= 1 &&
         std::all_of(axes.begin() + 2, axes.end(), [](auto length) { return length == 1; });
}

/// K as the network has it, which must be that of the options where they say one.
inline void settle_classes(OnnxOptions& options, std::int64_t classes, const std::string& where,
                           const std::string& output) {
  if (options.classes != 0 && options.classes != classes)
    throw Error(ErrorCode::wrong_score_shape, where,
                output + " has " + std::to_string(classes) + " scores per image, .classes says " +
                    std::to_string(options.classes));
  options.classes = classes;
}

inline void require_shape(const ImageView& images, const ImageShape& shape, const char* where) {
  if (images.shape() != shape)
    throw Error(ErrorCode::shape_mismatch, where,
                "expected images of " + axes_text(std::vector{shape.channels, shape.height, shape.width}) +
                    " (channels, height, width), got " +
                    axes_text(std::vector{images.channels(), images.height(), images.width()}));
}

/// Images from `first` on, `batch` of them: where fewer are left, copies of the last one behind them, in `room`.
[[nodiscard]] inline const float* full_batch(ImageView images, std::int64_t first, std::int64_t batch,
                                             ImageBatch& room) {
  const std::int64_t rows = std::min(batch, images.count() - first), elements = images.shape().elements();
  const float* pixels = images.slice(first, rows).data();
  if (rows == batch) return pixels;
  if (room.count() != batch) room = ImageBatch(batch, images.shape());
  float* end = std::copy_n(pixels, rows * elements, room.data());
  for (std::int64_t i = rows; i < batch; ++i) end = std::copy_n(pixels + (rows - 1) * elements, elements, end);
  return room.data();
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
