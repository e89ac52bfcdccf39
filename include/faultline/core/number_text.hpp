// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers as text and back, the same in every locale: exactly, with so many digits, or with so many decimals.

#include <faultline/config.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace faultline {
inline namespace v1 {

/// The shortest text that reads back as `value`: "0.02", not "0.020000".
[[nodiscard]] inline std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// `value` rounded to at most `digits` (1 to 17) significant digits: "0.333" for 1/3 and 3.
[[nodiscard]] inline std::string rounded_text(double value, int digits) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr};
}

/// `value` with `decimals` (0 to 60) digits behind the point: "2.50" for 2.5 and 2.
[[nodiscard]] inline std::string fixed_text(double value, int decimals) {
  char text[384];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr};
}

/// The number that the whole of `text` spells; nothing when it spells none.
[[nodiscard]] inline std::optional<double> number_from(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace v1
}  // namespace faultline
