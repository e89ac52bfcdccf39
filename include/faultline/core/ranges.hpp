// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What options may hold: the limits that many of them share, and the one sentence that refuses a value outside its
// range.

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

/// Upper ends of ranges, chosen far above what anybody needs and far below what overflows: products of two of them and
/// a row of w stay countable, and refusing comes before any work.
namespace limits {

/// Samples of one split, whose latents are held in memory
inline constexpr std::int64_t samples = 100'000'000;
inline constexpr std::int64_t batch = 65'536;  ///< rows of one generator or classifier call
/// And other replicates; random streams keep room for 2^24
inline constexpr std::int64_t permutations = 1'000'000;
/// Samples that are edited: starts of interventions and of distances
inline constexpr std::int64_t latents = 1'000'000;
inline constexpr std::int64_t directions = 10'000;  ///< candidates, placebos, entries of a ranking
inline constexpr std::int64_t classes = 1 << 20;
inline constexpr std::int64_t threads = 1'024;
inline constexpr std::int64_t pixels = 1 << 26;  ///< values of one image: channels x height x width

}  // namespace limits

namespace core {

/// "200", or "0.05" without needless digits.
[[nodiscard]] inline std::string range_text(std::int64_t value) { return std::to_string(value); }
[[nodiscard]] inline std::string range_text(double value) { return rounded_text(value, 10); }

/// Throws invalid_argument unless lower <= value <= upper: "where: name must lie in [lower, upper], got value". NaN
/// lies nowhere.
inline void require_in(std::string_view where, std::string_view name, std::int64_t value, std::int64_t lower,
                       std::int64_t upper) {
  if (value >= lower && value <= upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie in [" + range_text(lower) + ", " + range_text(upper) + "], got " +
                  range_text(value));
}
inline void require_in(std::string_view where, std::string_view name, double value, double lower, double upper) {
  if (value >= lower && value <= upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie in [" + range_text(lower) + ", " + range_text(upper) + "], got " +
                  range_text(value));
}

/// The same without the ends.
inline void require_between(std::string_view where, std::string_view name, double value, double lower, double upper) {
  if (value > lower && value < upper) return;
  throw Error(ErrorCode::invalid_argument, where,
              std::string(name) + " must lie strictly between " + range_text(lower) + " and " + range_text(upper) +
                  ", got " + range_text(value));
}

/// Throws invalid_argument for a negative length, or for axes whose product no memory holds: multiplied as doubles,
/// which do not wrap.
inline void require_elements(std::string_view where, std::initializer_list<std::int64_t> axes) {
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
