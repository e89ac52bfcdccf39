// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A closed interval of real numbers: what an estimate is reported with.

#include <faultline/config.hpp>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// The values from `lower` to `upper`, both included; either may be infinite.
struct Interval {
  double lower = 0.0;
  double upper = 1.0;

  [[nodiscard]] constexpr bool contains(double value) const noexcept { return lower <= value && value <= upper; }
  [[nodiscard]] constexpr double width() const noexcept { return upper - lower; }
  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
