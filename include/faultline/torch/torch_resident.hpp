// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A LibTorch model that takes generated images where they are, and the preparation of images as tensor operations.

#include <faultline/classify/prepare_images.hpp>
#include <faultline/concepts/resident_classifier.hpp>
#include <faultline/torch/torch_module.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <ATen/ops/flip.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <faultline/torch/libtorch_end.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// What `ImagePreparation` does, on tensors of any device: clamp to [0, 1], fit, channels, order, range, mean and std,
/// layout.
///
/// Shapes: raw `[N, C, H, W]` -> `[N, C', H', W']`, or `[N, H', W', C']` for channels-last layout; float32. Throws what
/// `ImagePreparation` throws for a spec that cannot be met.
[[nodiscard]] inline at::Tensor prepare_tensor(const at::Tensor& raw, ValueRange range, const InputSpec& spec) {
  const ImageShape from{raw.size(1), raw.size(2), raw.size(3)};
  const ImageShape to = ImagePreparation(from, range, spec).shape();
  at::Tensor x = ((raw.to(at::kFloat) - range.lower) * (1.0 / (range.upper - range.lower))).clamp(0.0, 1.0);
  if (to.height != from.height || to.width != from.width) {
    if (spec.fit == Fit::centre_crop)
      x = x.narrow(2, (from.height - to.height) / 2, to.height).narrow(3, (from.width - to.width) / 2, to.width);
    else x = at::upsample_bilinear2d(x, {to.height, to.width}, /*align_corners=*/false);
  }
  if (to.channels == 1 && from.channels == 3) x = x.mean({1}, true);
  else if (from.channels > 1 && spec.order == ChannelOrder::reversed) x = at::flip(x, {1});
  if (to.channels == 3 && from.channels == 1) x = x.expand({x.size(0), 3, to.height, to.width});
  const auto per_channel = [&](const std::vector<double>& values, double otherwise) {
    at::Tensor result = at::zeros({1, to.channels, 1, 1}, at::TensorOptions().dtype(at::kFloat));
    for (std::int64_t c = 0; c < to.channels; ++c) {
      const auto k = values.size() > 1 ? static_cast<std::size_t>(c) : std::size_t{0};
      result.mutable_data_ptr<float>()[c] = static_cast<float>(values.empty() ? otherwise : values[k]);
    }
    return result.to(x.device());
  };
  x = x * (spec.range.upper - spec.range.lower) + spec.range.lower;
  if (!spec.mean.empty()) x = x - per_channel(spec.mean, 0.0);
  if (!spec.std.empty()) x = x / per_channel(spec.std, 1.0);
  if (spec.layout == PixelLayout::channels_last) x = x.permute({0, 2, 3, 1});
  return x.contiguous();
}

/// A TorchClassifier that takes a generator's tensors as they are: they are prepared and scored on its device, and only
/// the scores come to the host. Made by `make_resident_torch_classifier`.
template <class M>
class ResidentTorchClassifier : public TorchClassifier<M> {
 public:
  using residence = DeviceResident;
  using TorchClassifier<M>::TorchClassifier;

  /// Throws what the model throws, wrong_score_shape; bad_alloc when the device is out of memory.
  void score_resident(const at::Tensor& raw, const ValueRange& range, std::int64_t batch_size, ScoreMatrix& scores) {
    const detail::TorchState state("ResidentTorchClassifier", false);
    this->translate([&] {
      const at::Tensor images = raw.detach().to(this->device());
      scores.resize(raw.size(0), this->num_classes());
      for (std::int64_t first = 0; first < raw.size(0); first += batch_size) {
        const std::int64_t rows = std::min(batch_size, raw.size(0) - first);
        at::Tensor batch = prepare_tensor(images.narrow(0, first, rows), range, this->input_spec());
        if (rows < batch_size) {
          auto padding = batch.sizes().vec();
          padding[0] = batch_size - rows;
          batch = at::cat({batch, batch.narrow(0, rows - 1, 1).expand(padding)}, 0);
        }
        ScoreMatrix own;
        ScoreReader<at::Tensor>::read(this->call(batch), batch_size, own);
        if (own.rows() != batch_size || own.cols() != scores.cols()) {
          scores = std::move(own);  // the scorer says what is wrong with it
          return;
        }
        std::copy_n(own.data(), rows * own.cols(), scores.row_span(first).data());
      }
    });
  }
};

/// `make_torch_classifier` for a model on the generator's device: batches of a generator whose images are tensors never
/// touch the host.
///
/// Example: `auto mine = make_resident_torch_classifier(network, {.classes = 10, .scores = Scores::logits, .input =
/// {.height = 28, .width = 28}}, generator.backend().device());`
template <class M>
[[nodiscard]] auto make_resident_torch_classifier(M&& model, ClassifierOptions options,
                                                  at::Device device = at::Device(at::kCPU)) {
  using Model = std::decay_t<M>;
  static_assert(TensorFunction<Model> || TensorModule<Model>,
                "faultline::make_resident_torch_classifier: the model must be callable with (at::Tensor), or point to "
                "something with forward(at::Tensor), and return an at::Tensor of scores");
  return ResidentTorchClassifier<Model>(std::forward<M>(model), std::move(options), device);
}

}  // namespace v1
}  // namespace faultline
