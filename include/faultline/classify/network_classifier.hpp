// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A built-in network as a model of the Classifier concept: scores, features and gradients by kernels of our own.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

namespace detail {
class ClassifierEngine;
}  // namespace detail

/// A classifier with built-in architecture; scores are logits.
///
/// What belongs to image i depends on image i alone, bit for bit: not on the batch and not on the number of threads.
/// Const calls may come from several threads, but each uses all threads by itself, so nothing is gained by it. Copies
/// share one network.
/// **Cost**: construction packs the weights once more in the order in which the kernels read them; the first gradient
/// packs them a third time.
class NetworkClassifier {
 public:
  /// **Throws** `foreign_format` for an unknown architecture; `malformed_header` for an input that is too small for it;
  /// `invalid_argument` for sizes outside 1 .. 65 536; `missing_tensor`, `wrong_tensor_shape`, `non_finite_weight` when
  /// the weights are not those of the config. Arrays that it does not ask for are ignored.
  /// Example: `NetworkClassifier classifier(load_classifier_model("clean.safetensors"), "clean");`
  explicit NetworkClassifier(ClassifierModel model, std::string name = "classifier");

  [[nodiscard]] std::int64_t num_classes() const noexcept { return model_->config.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return Scores::logits; }
  [[nodiscard]] InputSpec input_spec() const { return model_->config.input; }
  [[nodiscard]] std::string name() const { return name_; }
  /// SHA-256 of the file it came from, empty for a model that was never stored.
  [[nodiscard]] const std::string& digest() const noexcept { return model_->digest; }
  [[nodiscard]] const ClassifierModel& model() const noexcept { return *model_; }

  /// Logits `[N, K]` of images `[N, C, H, W]` as `input_spec` describes them. **Throws** `shape_mismatch` for other
  /// sizes. **Cost**: one pass through the network, about 1.5 MB of scratch space for each thread.
  void score(ImageView images, ScoreMatrix& scores) const;

  /// Activations of the hidden layer, `[N, 128]`: what Fréchet distances are measured in. **Throws** and **Cost** as
  /// `score`.
  void features(ImageView images, Matrix<float>& out) const;

  /// Fills `gradient` `[N, C, H, W]` with ∂p(label_i)/∂image_i, p the softmax probability.
  ///
  /// **Formula**: p (1 - p) times the gradient of the log odds, so that probabilities close to 0 or 1 lose no digits.
  /// Where several values of a pooled window are the largest, as computed, the first one in row-major order gets the
  /// gradient; that of ReLU at 0 is 0.
  /// **Throws** `shape_mismatch` for other sizes and unless there is one label per image, `label_out_of_range`.
  /// **Cost**: about three of `score`, about 5 MB of scratch space for each thread.
  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) const;

 private:
  void require_shape(ImageView images) const;

  std::shared_ptr<const ClassifierModel> model_;
  std::shared_ptr<const detail::ClassifierEngine> engine_;
  std::string name_;
};

}  // namespace classify
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/network_classifier_impl.hpp>
#endif
