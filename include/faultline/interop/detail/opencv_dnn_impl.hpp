// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of interop/opencv_dnn.hpp.

#include <faultline/interop/opencv_dnn.hpp>

#include <faultline/core/within_memory.hpp>
#include <faultline/error.hpp>
#include <faultline/interop/detail/onnx_input.hpp>
#include <faultline/interop/detail/onnx_model.hpp>
#include <faultline/interop/detail/onnx_rewrite.hpp>
#include <faultline/interop/detail/opencv_call.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string_view>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

inline std::vector<int> axes_of(const cv::Mat& values) { return {values.size.p, values.size.p + values.dims}; }

/// Whether values are `[batch, K]`, but for axes of length 1 at the end.
inline bool is_score_table(const cv::Mat& values, std::int64_t batch) {
  return values.type() == CV_32F && are_scores(axes_of(values), batch);
}

}  // namespace detail

inline OpenCvClassifier::OpenCvClassifier(const std::filesystem::path& path, OnnxOptions options)
    : options_(std::move(options)) {
  const std::string where = "load_opencv_classifier";
  const detail::OnnxModel model(path, options_, where);
  digest_ = model.digest();
  shape_ = {options_.input.channels, options_.input.height, options_.input.width};
  axes_.assign(model.input().axes().begin(), model.input().axes().end());
  core::within_memory(where, [&] { build(model.contents(), model.input(), "'" + path.string() + "'"); });
}

inline void OpenCvClassifier::build(std::string_view contents, const detail::OnnxInput& input,
                                    const std::string& model) {
  const std::string where = "load_opencv_classifier", opencv = std::string("OpenCV ") + CV_VERSION;
  const std::string output = "output '" + detail::shown(options_.output) + "' of " + model;
  filled_up_ = ImageBatch(options_.batch_size, shape_);
  const detail::OpenCvState state(options_.threads);
  cv::Mat said;
  try {
    const std::string fixed =
        detail::OnnxRewriter::with_input_shape(contents, input.name(), input.axes(), detail::ClipLimits::attributes);
    net_ = cv::dnn::readNetFromONNX(fixed.data(), fixed.size());
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    net_.setInput(cv::Mat(static_cast<int>(axes_.size()), axes_.data(), CV_32F, filled_up_.data()));
    said = net_.forward(options_.output);
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    if (const std::string lacking = detail::operator_that_opencv_lacks(error); !lacking.empty())
      throw Error(
          ErrorCode::foreign_format, where,
          opencv + " does not have the operator " + lacking + " of " + model + "; export it with other operators");
    throw Error(input.chosen() ? ErrorCode::shape_mismatch : ErrorCode::foreign_format, where,
                opencv + " cannot run " + model + " on images " + detail::axes_text(axes_) + " (" +
                    detail::opencv_reason(error) + ")");
  }
  if (!detail::is_score_table(said, options_.batch_size))
    throw Error(ErrorCode::wrong_score_shape, where,
                output + " is " + detail::axes_text(detail::axes_of(said)) + ", expected [" +
                    std::to_string(options_.batch_size) + ", K]: one row per image, one score per class");
  const std::int64_t classes = said.size[1];
  detail::settle_classes(options_, classes, where, output);
}

inline void OpenCvClassifier::score(ImageView images, ScoreMatrix& scores) {
  detail::require_shape(images, shape_, "OpenCvClassifier");
  const std::int64_t batch = options_.batch_size, classes = options_.classes;
  scores.resize(images.count(), classes);
  const detail::OpenCvState state(options_.threads);
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t rows = std::min(batch, images.count() - first);
    const float* pixels = detail::full_batch(images, first, batch, filled_up_);
    forward(pixels, {scores.data() + first * classes, static_cast<std::size_t>(rows * classes)});
  }
}

inline void OpenCvClassifier::forward(const float* images, std::span<float> scores) {
  try {
    // OpenCV has no constant arrays; setInput copies
    net_.setInput(cv::Mat(static_cast<int>(axes_.size()), axes_.data(), CV_32F, const_cast<float*>(images)));
    cv::Mat said = net_.forward(options_.output);
    if (!detail::is_score_table(said, options_.batch_size) || said.size[1] != options_.classes)
      throw Error(ErrorCode::wrong_score_shape, "OpenCvClassifier",
                  "the network answered with " + detail::axes_text(detail::axes_of(said)) + ", expected [" +
                      std::to_string(options_.batch_size) + ", " + std::to_string(options_.classes) + "]");
    if (!said.isContinuous()) said = said.clone();
    std::copy_n(said.ptr<float>(), scores.size(), scores.data());
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw Error(ErrorCode::classifier_threw, "OpenCvClassifier",
                std::string("OpenCV ") + CV_VERSION + ": " + detail::opencv_reason(error));
  }
}

inline OpenCvClassifier load_opencv_classifier(const std::filesystem::path& path, OnnxOptions options) {
  return OpenCvClassifier(path, std::move(options));
}

}  // namespace v1
}  // namespace faultline
