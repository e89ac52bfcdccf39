// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An ONNX file in memory, rewritten so that engines read more of them: OpenCV's importer evaluates what depends on
// shapes while it reads, and gives up where an axis is open; ONNX Runtime refuses another batch than the file's.

#include <faultline/interop/detail/wire_format.hpp>

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// How the limits of Clip are handed over.
enum class ClipLimits {
  as_stored,
  /// Constants become attributes, as before operator set 11: OpenCV 4.6 knows no others
  attributes,
};

/// Rewrites a file that `OnnxReader` has read. The weights stay as they are.
class OnnxRewriter {
 public:
  /// The file with the shape of its one input stated. Shapes stated in between, which may be open, are left out.
  [[nodiscard]] static std::string with_input_shape(std::string_view file, std::string_view input,
                                                    std::span<const std::int64_t> axes, ClipLimits limits) {
    std::string result;
    visit(file, [&](const WireField& field) {
      if (field.number == 7) append_block(result, 7, OnnxRewriter(field.bytes, limits).graph(field.bytes, input, axes));
      else result += field.as_stored;
    });
    return result;
  }

 private:
  OnnxRewriter(std::string_view graph, ClipLimits limits) : limits_(limits) {
    visit(graph, [&](const WireField& field) {
      if (field.number == 5) note(text_of(field.bytes, 8), field.bytes);
      if (field.number != 1 || text_of(field.bytes, 4) != "Constant") return;
      visit(field.bytes, [&](const WireField& part) {
        if (part.number == 5 && text_of(part.bytes, 1) == "value")
          note(text_of(field.bytes, 2), text_of(part.bytes, 5));
      });
    });
  }

  template <class Visit>
  static void visit(std::string_view message, const Visit& each) {
    static_cast<void>(each_field(message, each));  // it was read before
  }

  /// Contents of the first such field.
  static std::string_view text_of(std::string_view message, std::uint64_t number) {
    std::string_view result;
    visit(message, [&](const WireField& field) {
      if (field.number == number && result.empty()) result = field.bytes;
    });
    return result;
  }

  /// Remembers a tensor of a single float.
  void note(std::string_view name, std::string_view tensor) {
    std::uint64_t type = 0;
    visit(tensor, [&](const WireField& field) {
      if (field.number == 2) type = field.value;
    });
    std::string_view bytes = text_of(tensor, 9);
    if (bytes.empty()) bytes = text_of(tensor, 4);
    float value = 0.0f;
    if (type != 1 || bytes.size() != sizeof value) return;
    std::memcpy(&value, bytes.data(), sizeof value);
    single_[name] = value;
  }

  [[nodiscard]] std::string graph(std::string_view message, std::string_view input,
                                  std::span<const std::int64_t> axes) const {
    std::string result;
    visit(message, [&](const WireField& field) {
      if (field.number == 1) append_block(result, 1, node(field.bytes));
      else if (field.number == 11 && text_of(field.bytes, 1) == input) append_block(result, 11, value(input, axes));
      else if (field.number != 13) result += field.as_stored;
    });
    return result;
  }

  static std::string value(std::string_view name, std::span<const std::int64_t> axes) {
    std::string shape, tensor, type, result;
    for (const std::int64_t length : axes) {
      std::string axis;
      append_number(axis, 1, static_cast<std::uint64_t>(length));
      append_block(shape, 1, axis);
    }
    append_number(tensor, 1, 1);
    append_block(tensor, 2, shape);
    append_block(type, 1, tensor);
    append_block(result, 1, name);
    append_block(result, 2, type);
    return result;
  }

  [[nodiscard]] std::string node(std::string_view message) const {
    if (limits_ == ClipLimits::as_stored || text_of(message, 4) != "Clip") return std::string(message);
    std::vector<std::string_view> inputs;
    std::string others;
    visit(message, [&](const WireField& field) {
      if (field.number == 1) inputs.push_back(field.bytes);
      else others += field.as_stored;
    });
    if (inputs.size() < 2) return std::string(message);
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i].empty()) continue;
      const auto limit = single_.find(inputs[i]);
      if (limit == single_.end()) return std::string(message);
      std::string attribute;
      append_block(attribute, 1, i == 1 ? "min" : "max");
      append_float(attribute, 2, limit->second);
      append_number(attribute, 20, 1);
      append_block(others, 5, attribute);
    }
    std::string result;
    append_block(result, 1, inputs.front());
    return result + others;
  }

  ClipLimits limits_;
  std::map<std::string_view, float> single_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
