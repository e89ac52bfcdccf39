// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers as text that reads back exactly, the same in every locale.

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
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string(text, end) : std::to_string(value);
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
