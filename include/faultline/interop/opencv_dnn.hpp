// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An ONNX file as a classifier, run by OpenCV's module dnn (4.6 or newer). Link the target faultline::opencv.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/interop/onnx_options.hpp>

#include <opencv2/dnn.hpp>

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

/// A Classifier made of an ONNX file. Made by `load_opencv_classifier`.
///
/// Every forward pass has `batch_size()` images: a call with another number is cut, and its end filled up with copies
/// of the last image. An image's scores therefore do not depend on how many came with it. The images are copied, and
/// run on the CPU.
/// Calls of all such classifiers come one after another: OpenCV's number of threads and its log belong to the process.
/// Both are as before after a call; meanwhile the log is silent.
class OpenCvClassifier {
 public:
  OpenCvClassifier(const std::filesystem::path& path, OnnxOptions options);
  OpenCvClassifier(OpenCvClassifier&&) = default;
  OpenCvClassifier& operator=(OpenCvClassifier&&) = default;
  OpenCvClassifier(const OpenCvClassifier&) = delete;  // a copy would share the network, which has one user at a time
  OpenCvClassifier& operator=(const OpenCvClassifier&) = delete;

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  /// As in the options, with the sizes that the file states.
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  /// `cv::dnn::Net` keeps the features of a pass in itself: one call at a time.
  [[nodiscard]] bool thread_safe() const noexcept { return false; }
  /// SHA-256 of the file.
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }
  /// Images of a forward pass.
  [[nodiscard]] std::int64_t batch_size() const noexcept { return options_.batch_size; }

  /// Scores `[N, K]` of images `[N, C, H, W]`, prepared as `input_spec()` says. **Throws** shape_mismatch for images of
  /// another size, classifier_threw with OpenCV's reason; std::bad_alloc when OpenCV has no memory.
  void score(ImageView images, ScoreMatrix& scores);

 private:
  void build(std::string_view contents, const detail::OnnxInput& input, const std::string& model);
  void forward(const float* images, std::span<float> scores);

  cv::dnn::Net net_;
  OnnxOptions options_;
  ImageShape shape_;
  std::string digest_;
  std::vector<int> axes_;  ///< of the network's input
  ImageBatch filled_up_;   ///< the last pass of a call
};

/// A Classifier from an ONNX file with one input, float32 `[N, C, H, W]` (`[N, H, W, C]` with `.input.layout =
/// PixelLayout::channels_last`, or `[N, C H W]`), and scores `[N, K]`; further axes of length 1 are ignored.
///
/// Axes that the file leaves open are fixed here: the batch to `.batch_size`, height, width and channels to those of
/// `.input`. The digest is the SHA-256 of the file, whatever the options.
/// **Throws**, naming the file: cannot_open; bad_magic, truncated, malformed_header or oversized for anything but a
/// sound ONNX file; foreign_format for operators that OpenCV does not have, weights in other files, another number of
/// inputs or another kind of input; shape_mismatch when the sizes in the options are not the file's, or a network does
/// not run at sizes that it left open; invalid_argument for sizes and outputs that neither file nor options decide;
/// wrong_score_shape when the output is not `[N, K]` or has another K than `.classes`; scores_undeclared.
/// **Cost**: reads the file, twice its size in memory meanwhile, and one forward pass.
/// Example: `auto mine = load_opencv_classifier("digits.onnx", {.scores = Scores::logits, .input = {.mean = {0.1307},
/// .std = {0.3081}}});`
[[nodiscard]] OpenCvClassifier load_opencv_classifier(const std::filesystem::path& path, OnnxOptions options);

}  // namespace v1
}  // namespace faultline

#include <faultline/interop/detail/opencv_dnn_impl.hpp>
