// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/ranges.hpp.

#include <faultline/core/ranges.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

namespace core {

FAULTLINE_INLINE std::string range_text(std::int64_t value) { return std::to_string(value); }
FAULTLINE_INLINE std::string range_text(double value) { return rounded_text(value, 10); }

FAULTLINE_INLINE void require_in(std::string_view where, std::string_view name, std::int64_t value, std::int64_t lower,
                                 std::int64_t upper) {
  if (value >= lower && value <= upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie in [" + range_text(lower) + ", " + range_text(upper) + "], got " +
                  range_text(value));
}
FAULTLINE_INLINE void require_in(std::string_view where, std::string_view name, double value, double lower,
                                 double upper) {
  if (value >= lower && value <= upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie in [" + range_text(lower) + ", " + range_text(upper) + "], got " +
                  range_text(value));
}

FAULTLINE_INLINE void require_between(std::string_view where, std::string_view name, double value, double lower,
                                      double upper) {
  if (value > lower && value < upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie strictly between " + range_text(lower) + " and " + range_text(upper) +
                  ", got " + range_text(value));
}

FAULTLINE_INLINE void require_elements(std::string_view where, std::initializer_list<std::int64_t> axes) {
  constexpr double most = 0x1p48;
  double product = 1.0;
  bool negative = false;
  for (const std::int64_t axis : axes) {
    negative = negative || axis < 0;
    product *= static_cast<double>(axis);
  }
  if (!negative && product <= most) return;
  std::string shape;
  for (const std::int64_t axis : axes) shape += (shape.empty() ? "" : ", ") + std::to_string(axis);
  throw Error(ErrorCode::invalid_argument, where,
              "lengths must not be negative and their product at most 2^48, got [" + shape + "]");
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
