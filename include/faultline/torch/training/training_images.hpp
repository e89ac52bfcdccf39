// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Batches of padded, corrupted training images in an order that is a function of (seed, step) alone.

#include <faultline/core/random.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/torch/training/detail/libtorch_loop.hpp>
#include <faultline/torch/training/gan_trainer.hpp>

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// An endless sequence of training images: each epoch is a fresh permutation of the set with fresh corruptions.
///
/// Position k of the sequence is a function of (set, options, k): epoch e = k / count shows image π_e(k mod count), π_e
/// from (seed, `Stream::permutations`, e), corrupted by the draw of index e · count + image. Nothing is kept between
/// calls that matters, so a resumed run sees what an uninterrupted one would have seen. The set is borrowed and must
/// outlive this object.
class TrainingImages {
 public:
  TrainingImages(const LabelledImages& images, CorruptionOptions options) : images_(images), options_(options) {
    if (images.count < 1) throw Error(ErrorCode::empty_input, "TrainingImages", "the set has no images");
  }
  TrainingImages(LabelledImages&&, CorruptionOptions) = delete;

  /// Size of one image.
  [[nodiscard]] ImageShape shape() const { return data::canvas_shape(images_, options_); }

  /// Positions first .. first + count − 1: images `[count, C, H, W]` scaled from [0, 1] to `range`, labels `[count]`,
  /// undefined for a set without classes.
  RealBatch batch(std::int64_t first, std::int64_t count, ValueRange range = {-1.0, 1.0}) {
    const ImageShape size = shape();
    RealBatch result{at::empty({count, size.channels, size.height, size.width}, at::kFloat),
                     images_.classes > 0 ? at::empty({count}, at::kLong) : at::Tensor()};
    std::vector<std::int64_t> indices;
    for (std::int64_t k = first; k < first + count; ++k) indices.push_back(index_at(k));
    float* data = result.images.data_ptr<float>();
    std::int64_t* labels = images_.classes > 0 ? result.labels.data_ptr<std::int64_t>() : nullptr;
    detail::libtorch_loop(count, 1, [&](std::int64_t i, std::int64_t) {
      const std::int64_t index = indices[static_cast<std::size_t>(i)];
      data::make_corrupted_image(
          images_, index, options_,
          std::span<float>(data + i * size.elements(), static_cast<std::size_t>(size.elements())));
      if (labels != nullptr) labels[i] = images_.label(index % images_.count);
    });
    result.images.mul_(range.upper - range.lower).add_(range.lower);
    return result;
  }

 private:
  std::int64_t index_at(std::int64_t position) {
    const std::int64_t epoch = position / images_.count;
    if (epoch != epoch_) {
      order_.resize(static_cast<std::size_t>(images_.count));
      std::iota(order_.begin(), order_.end(), std::int64_t{0});
      core::CounterRandom random(options_.seed, core::Stream::permutations, epoch);
      core::shuffle(std::span<std::int64_t>(order_), random);
      epoch_ = epoch;
    }
    return epoch * images_.count + order_[static_cast<std::size_t>(position % images_.count)];
  }

  const LabelledImages& images_;
  CorruptionOptions options_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

}  // namespace training
}  // namespace v1
}  // namespace faultline
