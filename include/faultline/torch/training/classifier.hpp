// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A built-in network as a model of the Classifier concept, and `load_classifier`, which reads one from its file.

#include <faultline/torch/training/classifier_networks.hpp>
#include <faultline/torch/training/detail/folded_network.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace training {

/// A classifier with built-in architecture; scores are logits.
///
/// Inference mode, autocast, the default type and the number of threads of the caller change no result. Every call
/// throws forked_process in a process that was forked after LibTorch had run. Scores of row i depend on image i alone,
/// bit for bit. Gradients are LibTorch's, in batches of exactly 64 (the last one padded), since the last bits of its
/// convolutions depend on the batch size.
class NetworkClassifier {
 public:
  /// Throws non_finite_weight, wrong_tensor_shape, missing_tensor when `model` is not whole.
  explicit NetworkClassifier(ClassifierModel model, std::string name = "classifier")
      : model_(std::move(model)), name_(std::move(name)) {
    stylegan2::detail::libtorch_call("NetworkClassifier", [&] {
      const c10::AutoGradMode off(false);
      model_.weights = model_.weights.clone();
      folded_ = std::make_shared<const detail::FoldedNetwork>(model_.config, model_.weights);
    });
  }

  [[nodiscard]] std::int64_t num_classes() const noexcept { return model_.config.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return Scores::logits; }
  [[nodiscard]] InputSpec input_spec() const { return model_.config.input; }
  [[nodiscard]] std::string name() const { return name_; }
  /// SHA-256 of the file it came from, empty for a model that was never stored.
  [[nodiscard]] const std::string& digest() const noexcept { return model_.digest; }
  [[nodiscard]] const ClassifierModel& model() const noexcept { return model_; }

  /// Logits `[N, K]` of images `[N, C, H, W]` as `input_spec` describes them. Throws shape_mismatch for other sizes.
  void score(ImageView images, ScoreMatrix& scores) const {
    scores.resize(images.count(), num_classes());
    for_each_batch(images, false, [&](const at::Tensor& batch, std::int64_t first, std::int64_t count) {
      const at::Tensor logits = folded_->logits(batch).contiguous();
      std::memcpy(scores.data() + first * num_classes(), logits.data_ptr<float>(),
                  static_cast<std::size_t>(count * num_classes()) * sizeof(float));
    });
  }

  /// Activations of the hidden layer, `[N, 128]`.
  void features(ImageView images, Matrix<float>& out) const {
    const std::int64_t width = model_.weights["fc1.bias"].numel();
    out.resize(images.count(), width);
    for_each_batch(images, false, [&](const at::Tensor& batch, std::int64_t first, std::int64_t count) {
      const at::Tensor values = folded_->features(batch).contiguous();
      std::memcpy(out.data() + first * width, values.data_ptr<float>(),
                  static_cast<std::size_t>(count * width) * sizeof(float));
    });
  }

  /// Fills `gradient` with ∂p(label_i)/∂image_i, p the softmax probability. Throws shape_mismatch, label_out_of_range.
  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) const {
    if (static_cast<std::int64_t>(labels.size()) != images.count())
      throw Error(ErrorCode::shape_mismatch, "NetworkClassifier::probability_gradient",
                  "expected one label per image, got " + std::to_string(labels.size()) + " for " +
                      std::to_string(images.count()));
    for (const std::int64_t label : labels)
      if (label < 0 || label >= num_classes())
        throw Error(ErrorCode::label_out_of_range, "NetworkClassifier::probability_gradient",
                    "got label " + std::to_string(label));
    gradient = ImageBatch(images.count(), images.shape());
    for_each_batch(images, true, [&](const at::Tensor& batch, std::int64_t first, std::int64_t count) {
      const at::Tensor input = batch.requires_grad_(true);
      at::Tensor picked = at::zeros({batch.size(0), 1}, at::kLong);
      std::copy_n(labels.data() + first, count, picked.data_ptr<std::int64_t>());
      const at::Tensor probability =
          at::softmax(classifier_head(model_.weights, classifier_features(model_.config, model_.weights, input)), 1)
              .gather(1, picked);
      const at::Tensor slope = torch::autograd::grad({probability.sum()}, {input}).front().contiguous();
      std::memcpy(gradient.data() + first * images.shape().elements(), slope.data_ptr<float>(),
                  static_cast<std::size_t>(count * images.shape().elements()) * sizeof(float));
    });
  }

 private:
  static constexpr std::int64_t batch_size = 64;

  template <class Function>
  void for_each_batch(ImageView images, bool gradients, const Function& function) const {
    const InputSpec& input = model_.config.input;
    const ImageShape expected{input.channels, input.height, input.width};
    if (!(images.shape() == expected))
      throw Error(ErrorCode::shape_mismatch, "NetworkClassifier",
                  "expected images [N, " + std::to_string(expected.channels) + ", " + std::to_string(expected.height) +
                      ", " + std::to_string(expected.width) + "], got [" + std::to_string(images.count()) + ", " +
                      std::to_string(images.channels()) + ", " + std::to_string(images.height()) + ", " +
                      std::to_string(images.width()) + "]");
    stylegan2::detail::libtorch_call("NetworkClassifier", [&] {
      const c10::AutoGradMode mode(gradients);
      for (std::int64_t first = 0; first < images.count(); first += batch_size) {
        const std::int64_t count = std::min(batch_size, images.count() - first);
        // filled here: a loop of LibTorch's leaves its threads spinning on the cores that the network wants
        const std::int64_t rows = gradients ? batch_size : count;
        at::Tensor batch = at::empty({rows, expected.channels, expected.height, expected.width}, at::kFloat);
        float* const to = std::copy_n(images.data() + first * expected.elements(), count * expected.elements(),
                                      batch.data_ptr<float>());
        std::fill_n(to, (rows - count) * expected.elements(), 0.0f);
        function(batch, first, count);
      }
    });
  }

  ClassifierModel model_;
  std::shared_ptr<const detail::FoldedNetwork> folded_;
  std::string name_;
};

}  // namespace training

/// Reads a classifier file (`faultline.classifier/1`); the name in reports is the file's stem.
///
/// Throws what `read_safetensors` throws; foreign_format for another format or an unknown architecture;
/// malformed_header, missing_tensor, unexpected_tensor, wrong_tensor_shape.
/// Example: `auto classifier = fl::load_classifier("clean.safetensors");`
inline training::NetworkClassifier load_classifier(const std::filesystem::path& path,
                                                   Integrity integrity = Integrity::checked) {
  return training::NetworkClassifier(training::load_classifier_model(path, integrity), path.stem().string());
}

}  // namespace v1
}  // namespace faultline
