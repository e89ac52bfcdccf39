// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/number_text.hpp.

#include <faultline/core/number_text.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace faultline {
inline namespace v1 {

FAULTLINE_INLINE std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

FAULTLINE_INLINE std::string rounded_text(double value, int digits) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr};
}

FAULTLINE_INLINE std::string fixed_text(double value, int decimals) {
  char text[384];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr};
}

FAULTLINE_INLINE std::optional<double> number_from(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace v1
}  // namespace faultline
