// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/network_classifier.hpp.

#include <faultline/classify/network_classifier.hpp>

#include <faultline/classify/detail/folded_gradient.hpp>
#include <faultline/classify/detail/folded_network.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <cmath>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {
namespace detail {

/// What answers for a model, which is borrowed. The way back is packed when it is first asked for.
class ClassifierEngine {
 public:
  explicit ClassifierEngine(const ClassifierModel& model) : model_(model), network_(model) {}

  [[nodiscard]] const FoldedNetwork& network() const noexcept { return network_; }
  [[nodiscard]] const FoldedGradient& gradient() const {
    std::call_once(packed_, [&] { gradient_.emplace(network_, model_); });
    return *gradient_;
  }

 private:
  const ClassifierModel& model_;
  FoldedNetwork network_;
  mutable std::once_flag packed_;
  mutable std::optional<FoldedGradient> gradient_;
};

/// `model`, if the network that it describes exists and its weights are whole.
inline ClassifierModel checked_model(ClassifierModel model) {
  const std::string where = "NetworkClassifier";
  const InputSpec& input = model.config.input;
  core::require_in(where, "the number of classes", model.config.classes, 1, largest_size);
  core::require_in(where, "the number of channels", input.channels, 1, largest_size);
  core::require_in(where, "the height", input.height, 1, largest_size);
  core::require_in(where, "the width", input.width, 1, largest_size);
  const std::vector<kernels::WeightSpec> specs = weight_specs(model.config, where);
  kernels::require_whole(model.weights, specs, where);
  for (const kernels::WeightSpec& spec : specs)
    for (const float value : model.weights[spec.name].values)
      if (!std::isfinite(value))
        throw Error(ErrorCode::non_finite_weight, where, spec.name + " has a value that is not finite");
  return model;
}

}  // namespace detail

FAULTLINE_INLINE NetworkClassifier::NetworkClassifier(ClassifierModel model, std::string name)
    : model_(std::make_shared<const ClassifierModel>(detail::checked_model(std::move(model)))),
      engine_(std::make_shared<const detail::ClassifierEngine>(*model_)),
      name_(std::move(name)) {}

FAULTLINE_INLINE void NetworkClassifier::require_shape(ImageView images) const {
  const InputSpec& input = model_->config.input;
  const ImageShape expected{input.channels, input.height, input.width};
  if (!(images.shape() == expected))
    throw Error(ErrorCode::shape_mismatch, "NetworkClassifier",
                "expected images [N, " + std::to_string(expected.channels) + ", " + std::to_string(expected.height) +
                    ", " + std::to_string(expected.width) + "], got [" + std::to_string(images.count()) + ", " +
                    std::to_string(images.channels()) + ", " + std::to_string(images.height()) + ", " +
                    std::to_string(images.width()) + "]");
}

FAULTLINE_INLINE void NetworkClassifier::score(ImageView images, ScoreMatrix& scores) const {
  require_shape(images);
  scores.resize(images.count(), num_classes());
  engine_->network().logits(images, scores.data());
}

FAULTLINE_INLINE void NetworkClassifier::features(ImageView images, Matrix<float>& out) const {
  require_shape(images);
  out.resize(images.count(), engine_->network().net().hidden);
  engine_->network().features(images, out.data());
}

FAULTLINE_INLINE void NetworkClassifier::probability_gradient(ImageView images, std::span<const std::int64_t> labels,
                                                              ImageBatch& gradient) const {
  const std::string where = "NetworkClassifier::probability_gradient";
  if (static_cast<std::int64_t>(labels.size()) != images.count())
    throw Error(ErrorCode::shape_mismatch, where,
                "expected one label per image, got " + std::to_string(labels.size()) + " for " +
                    std::to_string(images.count()));
  for (const std::int64_t label : labels)
    if (label < 0 || label >= num_classes())
      throw Error(ErrorCode::label_out_of_range, where,
                  "expected labels from 0 to " + std::to_string(num_classes() - 1) + ", got " + std::to_string(label));
  require_shape(images);
  ImageBatch result(images.count(), images.shape());  // `images` may look into `gradient`
  engine_->gradient()(images, labels, result.data());
  gradient = std::move(result);
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
