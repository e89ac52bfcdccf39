// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The JSON header of a safetensors file, read as a stream of events: a document tree would keep the last of two equal
// keys without a word.

#include <faultline/data/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// One tensor as the header describes it; nothing here has been compared with the file's size yet.
struct TensorEntry {
  std::string type;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> offsets;  ///< first byte and one past the last
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorEntry> tensors;
};

/// Accepts `{name: {"dtype": text, "shape": [...], "data_offsets": [first, end]}, ..., "__metadata__": {text: text}}`
/// and nothing else.
class SafetensorsHeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeaderReader(const SafetensorsLimits& limits, std::string_view name) : limits_(limits), name_(name) {}

  [[nodiscard]] SafetensorsHeader read(std::string_view text) {
    // The parser takes a zero byte for the end of its input, so anything could hide behind one.
    if (text.find('\0') != std::string_view::npos) malformed("a zero byte in the header");
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), this)) malformed("unexpected end");
    return std::move(header_);
  }

  bool key(string_t& text) override {
    switch (level_) {
      case Level::file:
        if (text == "__metadata__") {
          if (std::exchange(has_metadata_, true)) malformed("two entries '__metadata__'");
        } else {
          if (!header_.tensors.try_emplace(text).second) malformed("two tensors '" + text + "'");
          if (static_cast<std::int64_t>(header_.tensors.size()) > limits_.max_tensors)
            oversized("more than " + std::to_string(limits_.max_tensors) + " tensors");
          has_type_ = has_shape_ = has_offsets_ = false;
        }
        break;
      case Level::metadata:
        if (header_.metadata.contains(text)) malformed("two metadata entries '" + text + "'");
        break;
      case Level::tensor: {
        bool* const seen = text == "dtype"          ? &has_type_
                           : text == "shape"        ? &has_shape_
                           : text == "data_offsets" ? &has_offsets_
                                                    : nullptr;
        if (seen == nullptr) malformed("tensor '" + outer_key_ + "' has an unknown entry '" + text + "'");
        if (std::exchange(*seen, true)) malformed("tensor '" + outer_key_ + "' has two entries '" + text + "'");
        break;
      }
      case Level::outside:
      case Level::numbers: break;
    }
    (level_ == Level::file ? outer_key_ : inner_key_) = text;
    return true;
  }

  bool start_object(std::size_t) override {
    if (level_ == Level::outside) {
      level_ = Level::file;
    } else if (level_ == Level::file) {
      level_ = outer_key_ == "__metadata__" ? Level::metadata : Level::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (level_ == Level::tensor && !(has_type_ && has_shape_ && has_offsets_))
      malformed("tensor '" + outer_key_ + "' lacks one of dtype, shape, data_offsets");
    level_ = level_ == Level::file ? Level::outside : Level::file;
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::tensor || inner_key_ == "dtype") unexpected("an array");
    level_ = Level::numbers;
    return true;
  }

  bool end_array() override {
    if (inner_key_ == "data_offsets" && entry().offsets.size() != 2)
      malformed("tensor '" + outer_key_ + "' needs two data_offsets");
    level_ = Level::tensor;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (level_ != Level::numbers) unexpected("a number");
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      oversized("tensor '" + outer_key_ + "' states a number above 2^63 - 1");
    std::vector<std::int64_t>& numbers = inner_key_ == "shape" ? entry().shape : entry().offsets;
    const std::int64_t most = inner_key_ == "shape" ? limits_.max_rank : 2;
    if (static_cast<std::int64_t>(numbers.size()) >= most)
      oversized("tensor '" + outer_key_ + "' has more than " + std::to_string(most) + " numbers in " + inner_key_);
    numbers.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& text) override {
    if (level_ == Level::metadata) {
      header_.metadata.emplace(inner_key_, text);
    } else if (level_ == Level::tensor && inner_key_ == "dtype") {
      entry().type = text;
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a number that is not an integer"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& reason) override {
    malformed("no valid JSON at byte " + std::to_string(position) + " (" + reason.what() + ")");
  }

 private:
  enum class Level { outside, file, metadata, tensor, numbers };

  [[noreturn]] void malformed(const std::string& what) const {
    throw Error(ErrorCode::malformed_header, "read_safetensors", "header of '" + name_ + "': " + what);
  }
  [[noreturn]] void oversized(const std::string& what) const {
    throw Error(ErrorCode::oversized, "read_safetensors",
                "header of '" + name_ + "': " + what + "; SafetensorsLimits can be raised");
  }
  [[noreturn]] bool unexpected(const std::string& what) const {
    malformed("unexpectedly " + what + " in entry '" + outer_key_ + "'");
  }
  [[nodiscard]] TensorEntry& entry() { return header_.tensors[outer_key_]; }

  SafetensorsLimits limits_;
  std::string name_;
  SafetensorsHeader header_;
  Level level_ = Level::outside;
  std::string outer_key_;
  std::string inner_key_;
  bool has_metadata_ = false;
  bool has_type_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
};

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
