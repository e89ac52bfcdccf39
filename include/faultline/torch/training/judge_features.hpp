// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The hidden layer of a judge as a differentiable distance between images, for `ProjectionOptions::features`.

#include <faultline/classify/network_classifier.hpp>
#include <faultline/torch/training/classifier_networks.hpp>

#include <functional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace training {

/// The judge's features `[N, 128]` of images `[N, C, H, W]` in [0, 1], of which it sees the centre; gradients flow to
/// the images. Shares the judge's weights.
///
/// **Throws** incompatible_models when the judge wants another range or a normalisation; called with images smaller
/// than its input or of other channels, shape_mismatch.
/// Example: `Projector projector(generator, {.features =
/// training::judge_features(load_classifier("judge.safetensors"))});`
[[nodiscard]] inline std::function<at::Tensor(const at::Tensor&)> judge_features(
    const classify::NetworkClassifier& judge) {
  const InputSpec input = judge.input_spec();
  if (!(input.range == ValueRange{0.0, 1.0}) || !input.mean.empty() || !input.std.empty())
    throw Error(ErrorCode::incompatible_models, "judge_features",
                "the judge must take pixels in [0, 1] without normalisation");
  return [config = judge.model().config,
          weights = stylegan2::to_tensors(judge.model().weights)](const at::Tensor& images) {
    const InputSpec& wanted = config.input;
    if (images.dim() != 4 || images.size(1) != wanted.channels || images.size(2) < wanted.height ||
        images.size(3) < wanted.width)
      throw Error(ErrorCode::shape_mismatch, "judge_features",
                  "the judge's input of " + std::to_string(wanted.channels) + " x " + std::to_string(wanted.height) +
                      " x " + std::to_string(wanted.width) + " does not fit into the images");
    const stylegan2::detail::LibTorchScope scope("judge_features");
    const at::Tensor centre = images.narrow(2, (images.size(2) - wanted.height) / 2, wanted.height)
                                  .narrow(3, (images.size(3) - wanted.width) / 2, wanted.width);
    return classifier_features(config, weights, centre.contiguous());
  };
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
