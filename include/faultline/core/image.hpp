// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Batches of images on the host: a view and an owner, both contiguous float32 [N, C, H, W].

#include <faultline/core/ranges.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Size of one image: channels, height, width in pixels.
struct ImageShape {
  std::int64_t channels = 1;
  std::int64_t height = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t elements() const noexcept { return channels * height * width; }
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// The interval that pixel values nominally lie in, for example [-1, 1] for a generator and [0, 1] for a classifier.
struct ValueRange {
  double lower = 0.0;
  double upper = 1.0;
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// Read-only view of `[N, C, H, W]` float32 images in host memory; valid as long as the owner is.
class ImageView {
 public:
  ImageView() = default;
  ImageView(const float* data, std::int64_t count, ImageShape shape) : data_(data), count_(count), shape_(shape) {}

  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t channels() const noexcept { return shape_.channels; }
  [[nodiscard]] std::int64_t height() const noexcept { return shape_.height; }
  [[nodiscard]] std::int64_t width() const noexcept { return shape_.width; }
  [[nodiscard]] const ImageShape& shape() const noexcept { return shape_; }
  [[nodiscard]] const float* data() const noexcept { return data_; }

  /// All values of image i, order (channel, y, x).
  [[nodiscard]] std::span<const float> image(std::int64_t i) const noexcept {
    return {data_ + i * shape_.elements(), static_cast<std::size_t>(shape_.elements())};
  }
  [[nodiscard]] float operator()(std::int64_t i, std::int64_t c, std::int64_t y, std::int64_t x) const noexcept {
    return data_[((i * shape_.channels + c) * shape_.height + y) * shape_.width + x];
  }
  /// Images first .. first + count - 1 of this view.
  [[nodiscard]] ImageView slice(std::int64_t first, std::int64_t count) const noexcept {
    return {data_ + first * shape_.elements(), count, shape_};
  }

 private:
  const float* data_ = nullptr;
  std::int64_t count_ = 0;
  ImageShape shape_;
};

/// Owns `[N, C, H, W]` float32 images; converts to `ImageView` where one is asked for.
class ImageBatch {
 public:
  ImageBatch() = default;
  /// `count` black images. Throws invalid_argument for a negative size or more than 2^48 values.
  ImageBatch(std::int64_t count, ImageShape shape) : count_(count), shape_(shape) {
    core::require_elements("ImageBatch", {count, shape.channels, shape.height, shape.width});
    values_.resize(static_cast<std::size_t>(count * shape.elements()));
  }

  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] const ImageShape& shape() const noexcept { return shape_; }
  [[nodiscard]] float* data() noexcept { return values_.data(); }
  [[nodiscard]] const float* data() const noexcept { return values_.data(); }
  [[nodiscard]] std::span<float> image(std::int64_t i) noexcept {
    return {values_.data() + i * shape_.elements(), static_cast<std::size_t>(shape_.elements())};
  }
  [[nodiscard]] std::span<const float> image(std::int64_t i) const noexcept {
    return {values_.data() + i * shape_.elements(), static_cast<std::size_t>(shape_.elements())};
  }
  [[nodiscard]] ImageView view() const noexcept { return {values_.data(), count_, shape_}; }
  operator ImageView() const noexcept {
    return view();
  }  // NOLINT(google-explicit-constructor): an owner is readable as a view

 private:
  std::int64_t count_ = 0;
  ImageShape shape_;
  std::vector<float> values_;
};

}  // namespace v1
}  // namespace faultline
