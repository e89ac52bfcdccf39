// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What an ONNX file and the options say together about input and output.

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/interop/detail/onnx_file.hpp>
#include <faultline/interop/onnx_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Fills in what the options leave to the file, and refuses what contradicts it.
class OnnxInput {
 public:
  /// `where` and `file` are for messages. Sets `options.input`'s sizes, `options.output` and `options.batch_size`.
  OnnxInput(const OnnxGraph& graph, OnnxOptions& options, std::string where, std::string file)
      : where_(std::move(where)), file_(std::move(file)) {
    if (options.scores == Scores::undeclared)
      throw Error(ErrorCode::scores_undeclared, where_,
                  "the kind of scores is not declared; say .scores = Scores::logits or Scores::probabilities");
    core::require_in(where_, ".classes (0: as in the file)", options.classes, 0, limits::classes);
    core::require_in(where_, ".batch_size (0: as in the file)", options.batch_size, 0, limits::batch);
    core::require_in(where_, ".threads (0: as the engine is set)", options.threads, 0, limits::threads);
    choose_output(graph, options);
    if (graph.inputs.size() != 1)
      throw refuse(ErrorCode::foreign_format, "has " + std::to_string(graph.inputs.size()) + " inputs (" +
                                                  names(graph.inputs) + "), expected one: the images");
    const OnnxValue& input = graph.inputs.front();
    name_ = input.name;
    if (input.type != onnx_float)
      throw refuse(ErrorCode::foreign_format, "takes images of another type than float32 (ONNX type " +
                                                  std::to_string(input.type) + "); export it with a float input");
    fix_axes(input, options);
  }

  /// Of the input, all known.
  [[nodiscard]] const std::vector<std::int64_t>& axes() const noexcept { return axes_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether sizes come from the options that the file left open, or says otherwise.
  [[nodiscard]] bool chosen() const noexcept { return chosen_; }

 private:
  [[nodiscard]] Error refuse(ErrorCode code, const std::string& what) const {
    return Error(code, where_, "'" + file_ + "' " + what);
  }

  static std::string names(const std::vector<OnnxValue>& values) {
    std::string text;
    for (const OnnxValue& value : values) text += (text.empty() ? "" : ", ") + shown(value.name);
    return text;
  }

  void choose_output(const OnnxGraph& graph, OnnxOptions& options) const {
    const auto& outputs = graph.outputs;
    if (outputs.empty()) throw refuse(ErrorCode::malformed_header, "states no output");
    if (options.output.empty() && outputs.size() > 1)
      throw refuse(ErrorCode::invalid_argument, "has " + std::to_string(outputs.size()) + " outputs (" +
                                                    names(outputs) + "); say which one has the scores in .output");
    if (options.output.empty()) options.output = outputs.front().name;
    if (std::none_of(outputs.begin(), outputs.end(),
                     [&](const OnnxValue& output) { return output.name == options.output; }))
      throw refuse(ErrorCode::invalid_argument, "has no output '" + options.output + "', but " + names(outputs));
  }

  void fix_axes(const OnnxValue& input, OnnxOptions& options) {
    std::vector<std::int64_t> stated = input.axes;
    if (!input.has_shape) stated.assign(4, open_axis);
    if (stated.size() != 4 && stated.size() != 2)
      throw refuse(ErrorCode::foreign_format,
                   "takes an input of " + std::to_string(stated.size()) + " axes, expected [N, C, H, W] or [N, C H W]");
    if (options.batch_size == 0) options.batch_size = stated[0] == open_axis ? 64 : stated[0];
    core::require_in(where_, "the batch size", options.batch_size, 1, limits::batch);
    chosen_ = stated[0] != open_axis && stated[0] != options.batch_size;

    InputSpec& spec = options.input;
    if (stated.size() == 4) {
      const bool first = spec.layout == PixelLayout::channels_first;
      fix(spec.channels, stated[first ? 1 : 3], "channels");
      fix(spec.height, stated[first ? 2 : 1], "height");
      fix(spec.width, stated[first ? 3 : 2], "width");
      axes_ = first ? std::vector<std::int64_t>{options.batch_size, spec.channels, spec.height, spec.width}
                    : std::vector<std::int64_t>{options.batch_size, spec.height, spec.width, spec.channels};
    } else {
      const bool chosen = chosen_ || stated[1] == open_axis;
      fix(spec.height, open_axis, "height");
      fix(spec.width, open_axis, "width");
      if (spec.channels == 0) spec.channels = std::max<std::int64_t>(1, stated[1] / (spec.height * spec.width));
      fix(spec.channels, open_axis, "channels");
      const std::int64_t pixels = spec.channels * spec.height * spec.width;
      chosen_ = chosen;
      if (stated[1] != open_axis && stated[1] != pixels)
        throw refuse(ErrorCode::shape_mismatch, "takes images of " + std::to_string(stated[1]) +
                                                    " values, .input says " + std::to_string(spec.channels) + " x " +
                                                    std::to_string(spec.height) + " x " + std::to_string(spec.width));
      axes_ = {options.batch_size, pixels};
    }
    core::require_in(where_, "the number of values of an image", spec.channels * spec.height * spec.width, 1,
                     limits::pixels);
  }

  /// One axis as the file or else the options have it.
  void fix(std::int64_t& option, std::int64_t stated, const std::string& name) {
    core::require_in(where_, ".input." + name + " (0: as in the file)", option, 0, 1 << 16);
    if (stated == open_axis && option == 0)
      throw refuse(ErrorCode::invalid_argument, "leaves the " + name + " of its images open; say .input." + name);
    if (stated != open_axis && option != 0 && stated != option)
      throw refuse(ErrorCode::shape_mismatch, "takes images with " + name + " " + std::to_string(stated) + ", .input." +
                                                  name + " says " + std::to_string(option));
    if (stated == open_axis) chosen_ = true;
    else core::require_in(where_, "the file's " + name, option = stated, 1, 1 << 16);
  }

  std::string where_;
  std::string file_;
  std::string name_;
  std::vector<std::int64_t> axes_;
  bool chosen_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
