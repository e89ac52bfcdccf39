// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of interop/onnxruntime.hpp.

#include <faultline/interop/onnxruntime.hpp>

#include <faultline/core/parallel_for.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/error.hpp>
#include <faultline/interop/detail/onnx_input.hpp>
#include <faultline/interop/detail/onnx_model.hpp>
#include <faultline/interop/detail/onnx_rewrite.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string_view>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

/// What ONNX Runtime says, on one line and without the place in its sources.
inline std::string onnxruntime_reason(const Ort::Exception& error) {
  std::string text = error.what();
  if (const std::size_t status = text.rfind("Status Message: "); status != std::string::npos)
    text.erase(0, status + std::string_view("Status Message: ").size());
  std::string line;
  for (const char c : text) {
    const char plain = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    if (plain != ' ' || (!line.empty() && line.back() != ' ')) line += plain;
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  constexpr std::size_t longest = 240;
  return line.size() > longest ? line.substr(0, longest) + " ..." : line;
}

/// Throws std::bad_alloc where that is the reason: ONNX Runtime has no code for it.
inline void rethrow_lack_of_memory(const std::string& reason) {
  if (reason.find("bad_alloc") != std::string::npos || reason.find("Failed to allocate memory") != std::string::npos)
    throw std::bad_alloc();
}

/// Whether values are `[batch, K]`, but for axes of length 1 at the end.
inline bool is_score_table(const Ort::Value& values, std::int64_t batch) {
  if (!values.IsTensor()) return false;
  const auto said = values.GetTensorTypeAndShapeInfo();
  return said.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT && are_scores(said.GetShape(), batch);
}

inline std::string onnxruntime_name() { return "ONNX Runtime " + Ort::GetVersionString(); }

}  // namespace detail

inline OnnxRuntimeClassifier::OnnxRuntimeClassifier(const std::filesystem::path& path, OnnxOptions options)
    : options_(std::move(options)) {
  const std::string where = "load_onnxruntime_classifier";
  const detail::OnnxModel model(path, options_, where);
  digest_ = model.digest();
  shape_ = {options_.input.channels, options_.input.height, options_.input.width};
  input_ = model.input().name();
  axes_ = model.input().axes();
  core::within_memory(where, [&] { build(model.contents(), model.input(), "'" + path.string() + "'"); });
}

inline void OnnxRuntimeClassifier::build(std::string_view contents, const detail::OnnxInput& input,
                                         const std::string& model) {
  const std::string where = "load_onnxruntime_classifier", engine = detail::onnxruntime_name();
  const std::string output = "output '" + detail::shown(options_.output) + "' of " + model;
  const ImageBatch images(options_.batch_size, shape_);
  Ort::Value said{nullptr};
  try {
    Ort::SessionOptions session;
    session.SetIntraOpNumThreads(static_cast<int>(std::clamp<std::int64_t>(options_.threads, 1, available_threads())));
    session.SetInterOpNumThreads(1);
    session.AddConfigEntry("session.intra_op.allow_spinning", "0");
    session.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
    const std::string fixed =
        detail::OnnxRewriter::with_input_shape(contents, input.name(), input.axes(), detail::ClipLimits::as_stored);
    session_ = Ort::Session(env_, fixed.data(), fixed.size(), session);
    said = forward(images.data());
  } catch (const Ort::Exception& error) {
    const std::string reason = detail::onnxruntime_reason(error);
    detail::rethrow_lack_of_memory(reason);
    constexpr std::string_view unknown = "No Op registered for ";
    if (const std::size_t at = reason.find(unknown); at != std::string::npos) {
      const std::string lacking = reason.substr(at + unknown.size());
      throw Error(ErrorCode::foreign_format, where,
                  engine + " does not have the operator " + detail::shown(lacking.substr(0, lacking.find(' '))) +
                      " of " + model + "; export it with other operators");
    }
    throw Error(input.chosen() ? ErrorCode::shape_mismatch : ErrorCode::foreign_format, where,
                engine + " cannot run " + model + " on images " + detail::axes_text(axes_) + " (" + reason + ")");
  }
  if (!detail::is_score_table(said, options_.batch_size))
    throw Error(ErrorCode::wrong_score_shape, where,
                output + " is " +
                    (said.IsTensor() ? detail::axes_text(said.GetTensorTypeAndShapeInfo().GetShape())
                                     : std::string("no tensor")) +
                    ", expected float32 [" + std::to_string(options_.batch_size) +
                    ", K]: one row per image, one score per class");
  const std::int64_t classes = said.GetTensorTypeAndShapeInfo().GetShape()[1];
  detail::settle_classes(options_, classes, where, output);
}

inline void OnnxRuntimeClassifier::score(ImageView images, ScoreMatrix& scores) const {
  detail::require_shape(images, shape_, "OnnxRuntimeClassifier");
  const std::int64_t batch = options_.batch_size, classes = options_.classes;
  scores.resize(images.count(), classes);
  ImageBatch filled_up;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t rows = std::min(batch, images.count() - first);
    const float* pixels = detail::full_batch(images, first, batch, filled_up);
    try {
      const Ort::Value said = forward(pixels);
      if (!detail::is_score_table(said, batch) || said.GetTensorTypeAndShapeInfo().GetShape()[1] != classes)
        throw Error(ErrorCode::wrong_score_shape, "OnnxRuntimeClassifier",
                    "the network answered with another shape than while it was loaded");
      std::copy_n(said.GetTensorData<float>(), rows * classes, scores.data() + first * classes);
    } catch (const Ort::Exception& error) {
      const std::string reason = detail::onnxruntime_reason(error);
      detail::rethrow_lack_of_memory(reason);
      throw Error(ErrorCode::classifier_threw, "OnnxRuntimeClassifier", detail::onnxruntime_name() + ": " + reason);
    }
  }
}

inline Ort::Value OnnxRuntimeClassifier::forward(const float* images) const {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  // ONNX Runtime has no constant tensors; a session does not write to its inputs
  const Ort::Value pixels = Ort::Value::CreateTensor<float>(
      memory, const_cast<float*>(images), static_cast<std::size_t>(options_.batch_size * shape_.elements()),
      axes_.data(), axes_.size());
  const char* const from = input_.c_str();
  const char* const to = options_.output.c_str();
  std::vector<Ort::Value> said = session_.Run(Ort::RunOptions{nullptr}, &from, &pixels, 1, &to, 1);
  return std::move(said.front());
}

inline OnnxRuntimeClassifier load_onnxruntime_classifier(const std::filesystem::path& path, OnnxOptions options) {
  return OnnxRuntimeClassifier(path, std::move(options));
}

}  // namespace v1
}  // namespace faultline
