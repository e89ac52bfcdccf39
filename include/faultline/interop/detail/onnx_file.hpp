// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What an adapter has to know of an ONNX file before an engine reads it: inputs, outputs, and that every tensor has as
// many values as its shape says. Engines trust that, and read beyond the end of a tensor that is short. Field numbers
// are those of onnx.proto (https://github.com/onnx/onnx).

#include <faultline/error.hpp>
#include <faultline/interop/detail/wire_format.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

inline constexpr std::int64_t onnx_float = 1;  ///< TensorProto.FLOAT
inline constexpr std::int64_t open_axis = -1;  ///< an axis whose length the file leaves open

/// A name from a file as messages have it: on one line, and not a page long.
inline std::string shown(std::string_view name) {
  std::string text(name.substr(0, 80));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return text;
}

/// "[64, 1, 28, 28]".
template <class Axes>
std::string axes_text(const Axes& axes) {
  std::string text;
  for (const auto length : axes) text += (text.empty() ? "[" : ", ") + std::to_string(length);
  return text + "]";
}

/// A named input or output.
struct OnnxValue {
  std::string name;
  std::int64_t type = 0;
  bool has_shape = false;
  std::vector<std::int64_t> axes;  ///< lengths, or `open_axis`
};

struct OnnxGraph {
  std::vector<OnnxValue> inputs;  ///< without those that have a value in the file
  std::vector<OnnxValue> outputs;
};

/// Reads inputs and outputs, and checks that the tensors are whole and that every operator has its inputs.
class OnnxReader {
 public:
  /// `where` and `name` are for messages.
  OnnxReader(std::string where, std::string name) : where_(std::move(where)), name_(std::move(name)) {}

  /// **Throws** bad_magic for anything but an ONNX file, truncated, malformed_header, oversized; foreign_format where
  /// values lie in other files.
  [[nodiscard]] OnnxGraph read(std::string_view bytes) const {
    if (bytes.empty()) throw refuse(ErrorCode::truncated, "is empty");
    bool version = false, operators = false;
    std::vector<std::string_view> graphs;
    const bool whole = each_field(bytes, [&](const WireField& field) {
      version = version || (field.number == 1 && field.type == WireType::varint);
      operators = operators || (field.number == 8 && field.type == WireType::bytes);
      if (field.number == 7 && field.type == WireType::bytes) graphs.push_back(field.bytes);
    });
    if (!version) throw refuse(ErrorCode::bad_magic, "is no ONNX file");
    if (!whole || graphs.empty())
      throw refuse(ErrorCode::truncated, "ends before its contents do; copy or export it again");
    if (graphs.size() > 1 || !operators)
      throw refuse(ErrorCode::malformed_header, "does not state one graph and its operator set; export it again");

    OnnxGraph graph;
    std::set<std::string_view> known = {""};  // an input that may be left out
    fields(graphs.front(), [&](const WireField& field) {
      if (field.type != WireType::bytes) return;
      if (field.number == 5) known.insert(check_tensor(field.bytes));
      if (field.number == 11) graph.inputs.push_back(value(field.bytes));
      if (field.number == 12) graph.outputs.push_back(value(field.bytes));
    });
    std::erase_if(graph.inputs, [&](const OnnxValue& input) { return known.contains(input.name); });
    for (const OnnxValue& input : graph.inputs) known.insert(input.name);
    fields(graphs.front(), [&](const WireField& field) {
      if (field.number == 1 && field.type == WireType::bytes) check_node(field.bytes, known);
    });
    for (const OnnxValue& output : graph.outputs) require_known(output.name, "its output", known);
    return graph;
  }

 private:
  [[nodiscard]] Error refuse(ErrorCode code, const std::string& what) const {
    return Error(code, where_, "'" + name_ + "' " + what);
  }

  template <class Visit>
  void fields(std::string_view message, const Visit& visit) const {
    if (!each_field(message, visit))
      throw refuse(ErrorCode::malformed_header, "is damaged: a part of its graph cannot be read");
  }

  [[nodiscard]] OnnxValue value(std::string_view message) const {
    OnnxValue result;
    fields(message, [&](const WireField& field) {
      if (field.number == 1) result.name = field.bytes;
      if (field.number != 2) return;
      fields(field.bytes, [&](const WireField& kind) {
        if (kind.number != 1) return;  // a sequence or map
        fields(kind.bytes, [&](const WireField& part) {
          if (part.number == 1) result.type = static_cast<std::int64_t>(part.value);
          if (part.number != 2) return;
          result.has_shape = true;
          fields(part.bytes, [&](const WireField& axis) {
            if (axis.number != 1) return;
            std::int64_t length = open_axis;
            fields(axis.bytes, [&](const WireField& said) {
              if (said.number == 1 && static_cast<std::int64_t>(said.value) > 0)
                length = static_cast<std::int64_t>(said.value);
            });
            result.axes.push_back(length);
          });
        });
      });
    });
    return result;
  }

  void require_known(std::string_view name, const std::string& user, const std::set<std::string_view>& known) const {
    if (!known.contains(name))
      throw refuse(ErrorCode::malformed_header,
                   "is damaged: " + user + " is '" + shown(name) + "', which nothing before it makes");
  }

  /// Operators come in the order in which they are computed; `known` gets the node's outputs.
  void check_node(std::string_view node, std::set<std::string_view>& known) const {
    std::vector<std::string_view> made;
    fields(node, [&](const WireField& field) {
      if (field.number == 1) require_known(field.bytes, "an operator's input", known);
      if (field.number == 2) made.push_back(field.bytes);
      if (field.number != 5) return;
      fields(field.bytes, [&](const WireField& part) {
        if ((part.number == 5 || part.number == 10) && part.type == WireType::bytes) check_tensor(part.bytes);
      });
    });
    known.insert(made.begin(), made.end());
  }

  /// Bytes of one value in `raw_data`; 0 for kinds that are not looked at.
  static std::int64_t width(std::int64_t type) {
    switch (type) {
      case 2:
      case 3:
      case 9: return 1;
      case 4:
      case 5:
      case 10:
      case 16: return 2;
      case 1:
      case 6:
      case 12: return 4;
      case 7:
      case 11:
      case 13: return 8;
      default: return 0;
    }
  }

  /// Returns the tensor's name.
  std::string_view check_tensor(std::string_view tensor) const {
    std::string_view name;
    std::int64_t type = 0, values = 1, raw = 0, listed = 0;
    fields(tensor, [&](const WireField& field) {
      switch (field.number) {
        case 1: {
          std::string_view packed = field.bytes;
          if (field.type == WireType::varint) values = times(values, field.value);
          while (!packed.empty()) {
            const auto extent = take_varint(packed);
            if (!extent) throw refuse(ErrorCode::malformed_header, "is damaged: a tensor's shape cannot be read");
            values = times(values, *extent);
          }
          break;
        }
        case 2: type = static_cast<std::int64_t>(field.value); break;
        case 4: listed += static_cast<std::int64_t>(field.bytes.size()) / 4; break;
        case 10: listed += static_cast<std::int64_t>(field.bytes.size()) / 8; break;
        case 5:
        case 7:
        case 11:
          listed +=
              field.type == WireType::varint ? 1 : std::count_if(field.bytes.begin(), field.bytes.end(), [](char c) {
                return static_cast<unsigned char>(c) < 128;
              });
          break;
        case 8: name = field.bytes; break;
        case 9: raw += static_cast<std::int64_t>(field.bytes.size()); break;
        case 14:
          if (field.value == 1)
            throw refuse(ErrorCode::foreign_format,
                         "keeps weights in another file (external data); export it as one file");
          break;
        default: break;
      }
    });
    if (width(type) == 0) return name;
    if (raw > 0 ? raw != times(values, static_cast<std::uint64_t>(width(type))) : listed != values)
      throw refuse(ErrorCode::malformed_header, "is damaged: tensor '" + shown(name) + "' has " +
                                                    std::to_string(raw > 0 ? raw / width(type) : listed) +
                                                    " values, its shape says " + std::to_string(values));
    return name;
  }

  [[nodiscard]] std::int64_t times(std::int64_t product, std::uint64_t extent) const {
    constexpr std::uint64_t most = std::uint64_t{1} << 40;
    if (extent > most || (product > 0 && extent > most / static_cast<std::uint64_t>(product)))
      throw refuse(ErrorCode::oversized, "states a tensor that is larger than any file");
    return product * static_cast<std::int64_t>(extent);
  }

  std::string where_;
  std::string name_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
