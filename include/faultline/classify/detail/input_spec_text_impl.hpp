// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/input_spec_text.hpp.

#include <faultline/classify/input_spec_text.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {
namespace detail {

/// Reads one description, word by word.
class InputSpecReader {
 public:
  [[nodiscard]] InputSpec read(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(" ,\t", at), text.size());
      if (end > at) take(text.substr(at, end - at));
      at = end + 1;
    }
    return spec_;
  }

 private:
  [[noreturn]] static void refuse(std::string_view word, const std::string& why) {
    throw Error(ErrorCode::invalid_argument, "input", "\"" + std::string(word) + "\" " + why);
  }
  void once(std::string_view what, std::string_view word) {
    if (!said_.insert(std::string(what)).second) refuse(word, "says the " + std::string(what) + " a second time");
  }
  [[nodiscard]] static std::vector<double> numbers(std::string_view word, std::string_view list, char between) {
    std::vector<double> values;
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(between, at), list.size());
      const std::optional<double> value = number_from(list.substr(at, end - at));
      if (!value) refuse(word, "has a number that cannot be read");
      values.push_back(*value);
      at = end + 1;
    }
    return values;
  }
  void channels(std::string_view word, std::int64_t count, ChannelOrder order) {
    once("channels", word);
    spec_.channels = count;
    spec_.order = order;
  }
  void take(std::string_view word) {
    if (word == "grey" || word == "gray") return channels(word, 1, ChannelOrder::as_generated);
    if (word == "rgb") return channels(word, 3, ChannelOrder::as_generated);
    if (word == "bgr") return channels(word, 3, ChannelOrder::reversed);
    if (word == "crop" || word == "resize") {
      once("fit", word);
      spec_.fit = word == "crop" ? Fit::centre_crop : Fit::resize;
    } else if (word == "hwc" || word == "chw") {
      once("layout", word);
      spec_.layout = word == "hwc" ? PixelLayout::channels_last : PixelLayout::channels_first;
    } else if (word.rfind("range=", 0) == 0) {
      once("range", word);
      const std::vector<double> ends = numbers(word, word.substr(6), ':');
      if (ends.size() != 2 || !(ends[0] < ends[1])) refuse(word, "is no range; write range=0:255");
      spec_.range = {ends[0], ends[1]};
    } else if (word.rfind("mean=", 0) == 0) {
      once("mean", word);
      spec_.mean = numbers(word, word.substr(5), '/');
    } else if (word.rfind("std=", 0) == 0) {
      once("std", word);
      spec_.std = numbers(word, word.substr(4), '/');
      for (const double value : spec_.std)
        if (!(value > 0.0)) refuse(word, "has a deviation that is not positive");
    } else {
      size(word);
    }
  }
  void size(std::string_view word) {
    const auto whole = [](std::string_view text) -> std::optional<std::int64_t> {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 65'536) return std::nullopt;
      return value;
    };
    const std::size_t cross = word.find('x');
    const auto height = whole(word.substr(0, std::min(cross, word.size())));
    const auto width = cross == std::string_view::npos ? std::nullopt : whole(word.substr(cross + 1));
    if (!height || !width)
      refuse(word,
             "is not understood; write 28x28, grey, rgb, bgr, crop, resize, range=0:255, mean=.5, std=.5, chw or hwc");
    once("size", word);
    spec_.height = *height;
    spec_.width = *width;
  }

  InputSpec spec_;
  std::set<std::string> said_;
};

}  // namespace detail

FAULTLINE_INLINE InputSpec input_spec_from_text(std::string_view text) { return detail::InputSpecReader().read(text); }

FAULTLINE_INLINE std::string input_spec_text(const InputSpec& spec) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  const auto list = [](const std::vector<double>& values) {
    std::string joined;
    for (const double value : values) joined += (joined.empty() ? "" : "/") + number_text(value);
    return joined;
  };
  const InputSpec usual;
  if (spec.height > 0 && spec.width > 0) add(std::to_string(spec.height) + "x" + std::to_string(spec.width));
  if (spec.channels == 1) add("grey");
  if (spec.channels == 3) add(spec.order == ChannelOrder::reversed ? "bgr" : "rgb");
  if (spec.fit != usual.fit) add("resize");
  if (spec.range.lower != usual.range.lower || spec.range.upper != usual.range.upper)
    add("range=" + number_text(spec.range.lower) + ":" + number_text(spec.range.upper));
  if (!spec.mean.empty()) add("mean=" + list(spec.mean));
  if (!spec.std.empty()) add("std=" + list(spec.std));
  if (spec.layout != usual.layout) add("hwc");
  return text;
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
