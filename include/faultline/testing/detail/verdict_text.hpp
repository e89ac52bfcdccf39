// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers in a gate's explanation: short, locale-independent, as a person would write them.

#include <faultline/config.hpp>

#include <charconv>
#include <string>
#include <system_error>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// A share with three significant digits as a percentage: "6.68 %".
inline std::string percent(double share) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, 100.0 * share, std::chars_format::general, 3);
  return (error == std::errc{} ? std::string(text, end) : std::to_string(100.0 * share)) + " %";
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
