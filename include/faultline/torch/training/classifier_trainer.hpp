// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Training of the built-in classifiers: cross-entropy, Adam, fresh corruptions in every epoch.

#include <faultline/core/progress.hpp>
#include <faultline/torch/training/adam.hpp>
#include <faultline/classify/initial_classifier.hpp>
#include <faultline/torch/training/classifier_networks.hpp>
#include <faultline/torch/training/training_images.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// Options of classifier training; the defaults are those of Le Coz, Herbin and Adjed (2022).
struct ClassifierOptions {
  CorruptionMix mix = CorruptionMix::none;
  std::int64_t epochs = 10;
  std::int64_t batch = 64;
  double learning_rate = 1e-3;
  bool cosine_schedule = false;  ///< lower the rate to zero along half a cosine
  std::int64_t seed = 1;
  /// Called after every batch with the images done and the batch's loss; an exception ends the training.
  std::function<void(std::int64_t done, std::int64_t total, double loss)> progress = {};
  /// Black pixels added on every side before blur and noise; the classifier sees the centre
  std::int64_t padding = 2;
};

/// Cuts the centre `[N, C, height, width]` out of larger images.
inline at::Tensor centre_crop(const at::Tensor& images, std::int64_t height, std::int64_t width) {
  return images.narrow(2, (images.size(2) - height) / 2, height).narrow(3, (images.size(3) - width) / 2, width);
}

/// Trains a classifier on padded, corrupted images (the generator's canvas), of which it sees the centre.
///
/// Randomness: order and corruptions from `options.seed` (see `TrainingImages`), initial weights from it too. Throws
/// invalid_argument, empty_input; shape_mismatch when the images have other channels than the classifier's input or are
/// smaller; label_out_of_range when they have no labels or more classes than the classifier. Cost: about 70 MFLOP per
/// image and epoch for `paper-cnn`.
inline classify::ClassifierModel train_classifier(const classify::ClassifierConfig& config,
                                                  const LabelledImages& images, const ClassifierOptions& options) {
  faultline::core::require_in("train_classifier", "epochs", options.epochs, 1, 1'000'000);
  faultline::core::require_in("train_classifier", "batch", options.batch, 2, limits::batch);
  faultline::core::require_in("train_classifier", "learning_rate", options.learning_rate, 1e-9, 1e3);
  faultline::core::require_in("train_classifier", "padding", options.padding, 0, 4'096);
  const ImageShape canvas = data::canvas_shape(images, {.padding = options.padding});
  if (canvas.channels != config.input.channels || canvas.height < config.input.height ||
      canvas.width < config.input.width)
    throw Error(ErrorCode::shape_mismatch, "train_classifier",
                "expected images of " + std::to_string(config.input.channels) + " channels and at least " +
                    std::to_string(config.input.height) + " x " + std::to_string(config.input.width) +
                    " pixels with their padding, got " + std::to_string(canvas.channels) + " x " +
                    std::to_string(canvas.height) + " x " + std::to_string(canvas.width));
  if (images.classes < 1 || images.classes > config.classes)
    throw Error(ErrorCode::label_out_of_range, "train_classifier",
                "the images have " + std::to_string(images.classes) + " classes, the classifier " +
                    std::to_string(config.classes));
  const stylegan2::detail::LibTorchScope scope("train_classifier");
  const c10::AutoGradMode gradients(true);
  classify::ClassifierModel model = classify::initial_classifier(config, options.seed);
  stylegan2::TensorWeights weights = stylegan2::to_tensors(model.weights);
  for (const auto& [name, tensor] : weights.all())
    const_cast<at::Tensor&>(tensor).set_requires_grad(!classify::is_running_statistic(name));
  Adam adam({options.learning_rate, 0.9, 0.999, 1e-8});
  TrainingImages data(images, {.mix = options.mix, .seed = options.seed, .padding = options.padding});
  const std::int64_t per_epoch = images.count / options.batch;
  const std::int64_t steps = per_epoch * options.epochs;
  for (std::int64_t step = 0; step < steps; ++step) {
    if (options.cosine_schedule)
      adam.set_learning_rate(
          options.learning_rate * 0.5 *
          (1.0 + std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(steps))));
    const RealBatch batch = data.batch(step * options.batch, options.batch, {0.0, 1.0});
    const at::Tensor input = centre_crop(batch.images, config.input.height, config.input.width).contiguous();
    const at::Tensor loss = stylegan2::detail::libtorch_call("train_classifier", [&] {
      return at::cross_entropy_loss(classifier_head(weights, classifier_features(config, weights, input, true)),
                                    batch.labels);
    });
    stylegan2::detail::libtorch_call("train_classifier", [&] {
      loss.backward();
      adam.step(weights);
    });
    if (options.progress) options.progress((step + 1) * options.batch, steps * options.batch, loss.item<double>());
  }
  model.weights = stylegan2::to_arrays(weights);
  return model;
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
