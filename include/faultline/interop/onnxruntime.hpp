// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An ONNX file as a classifier, run by ONNX Runtime on the CPU. Link the target faultline::onnxruntime.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/interop/onnx_options.hpp>

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {
class OnnxInput;
}

/// A Classifier made of an ONNX file. Made by `load_onnxruntime_classifier`.
///
/// Every forward pass has `batch_size()` images: a call with another number is cut, and its end filled up with copies
/// of the last image. An image's scores therefore do not depend on how many came with it.
/// A pass takes one thread, and several passes run side by side, as `thread_safe()` says; with `.threads` above 1 the
/// session has so many threads of its own, which do not spin.
class OnnxRuntimeClassifier {
 public:
  OnnxRuntimeClassifier(const std::filesystem::path& path, OnnxOptions options);
  OnnxRuntimeClassifier(OnnxRuntimeClassifier&&) = default;
  OnnxRuntimeClassifier& operator=(OnnxRuntimeClassifier&&) = default;
  OnnxRuntimeClassifier(const OnnxRuntimeClassifier&) = delete;
  OnnxRuntimeClassifier& operator=(const OnnxRuntimeClassifier&) = delete;

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  /// As in the options, with the sizes that the file states.
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  /// A session may be run from several threads at once.
  [[nodiscard]] bool thread_safe() const noexcept { return true; }
  /// SHA-256 of the file.
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }
  /// Images of a forward pass.
  [[nodiscard]] std::int64_t batch_size() const noexcept { return options_.batch_size; }

  /// Scores `[N, K]` of images `[N, C, H, W]`, prepared as `input_spec()` says. **Throws** shape_mismatch for images of
  /// another size, classifier_threw with the engine's reason.
  void score(ImageView images, ScoreMatrix& scores) const;

 private:
  void build(std::string_view contents, const detail::OnnxInput& input, const std::string& model);
  [[nodiscard]] Ort::Value forward(const float* images) const;

  Ort::Env env_{ORT_LOGGING_LEVEL_FATAL, "faultline"};  // outlives the session
  mutable Ort::Session session_{nullptr};               // running it changes nothing, but is not declared const
  OnnxOptions options_;
  ImageShape shape_;
  std::string digest_;
  std::string input_;               ///< name of the network's input
  std::vector<std::int64_t> axes_;  ///< and its shape
};

/// A Classifier from an ONNX file: what `load_opencv_classifier` takes, with the same options, errors and meaning, and
/// the operators that ONNX Runtime has.
///
/// **Throws** as `load_opencv_classifier`.
/// **Cost**: reads the file, three times its size in memory meanwhile, and one forward pass.
/// Example: `auto mine = load_onnxruntime_classifier("digits.onnx", {.scores = Scores::logits});`
[[nodiscard]] OnnxRuntimeClassifier load_onnxruntime_classifier(const std::filesystem::path& path, OnnxOptions options);

}  // namespace v1
}  // namespace faultline

#include <faultline/interop/detail/onnxruntime_impl.hpp>
