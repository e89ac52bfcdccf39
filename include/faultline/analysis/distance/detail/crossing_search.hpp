// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One search for a crossing that waits for its values, so that thousands of them can share the generator's batches
// (ITP: Oliveira and Takahashi, An enhancement of the bisection method average performance preserving minmax
// optimality, ACM TOMS 47, 2020).

#include <faultline/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A bracket whose near end is above the target and whose far end is not, narrowed by `ask` and `tell`.
///
/// Values are positive before the crossing and ≤ 0 beyond it. With a smooth value the interpolation saves steps; with ±
/// 1, a step, it is plain bisection. Either way a bracket of `width` is down to `tolerance` after log2(width /
/// tolerance) values, rounded up: no more than bisection takes.
class CrossingSearch {
 public:
  CrossingSearch() = default;
  CrossingSearch(double near_end, double near_value, double far_end, double far_value, double tolerance)
      : near_(near_end),
        far_(far_end),
        near_value_(near_value),
        far_value_(far_value),
        tolerance_(tolerance),
        left_(std::isfinite(tolerance) ? static_cast<int>(std::ceil(std::log2((far_end - near_end) / tolerance))) : 0),
        crossed_(true) {}

  [[nodiscard]] bool crossed() const noexcept { return crossed_; }
  /// Whether no value is needed any more; always so without a crossing.
  [[nodiscard]] bool done() const noexcept { return !crossed_ || left_ <= 0 || far_ - near_ <= tolerance_; }
  [[nodiscard]] double near_end() const noexcept { return near_; }
  /// The end beyond the crossing: what is reported.
  [[nodiscard]] double far_end() const noexcept { return far_; }
  /// Forgets the crossing, as when its image does not fail again.
  void drop() noexcept { crossed_ = false; }

  /// Where the next value is wanted; it counts as spent. Interpolates, steps a little towards the middle, and stays as
  /// near to it as the guarantee demands.
  [[nodiscard]] double ask() noexcept {
    const double width = far_ - near_;
    const double middle = near_ + 0.5 * width;
    const double slack = (0.5 - 1e-9) * tolerance_ * std::exp2(left_--) - 0.5 * width;  // a hair less, for rounding
    const double interpolated = near_ + width * near_value_ / (near_value_ - far_value_);
    const double towards = middle >= interpolated ? 1.0 : -1.0;
    const double step = 0.2 * width * width;
    const double truncated = step <= std::abs(middle - interpolated) ? interpolated + towards * step : middle;
    return std::abs(truncated - middle) <= slack ? truncated : middle - towards * std::max(0.0, slack);
  }

  /// Takes a value from anywhere on the edit path (another search may have asked for it); outside the bracket it
  /// changes nothing.
  void tell(double t, double value) noexcept {
    if (!crossed_ || !(t > near_ && t < far_)) return;
    if (value > 0.0) {
      near_ = t;
      near_value_ = value;
    } else {
      far_ = t;
      far_value_ = value;
    }
  }

 private:
  double near_ = 0.0;
  double far_ = 0.0;
  double near_value_ = 1.0;
  double far_value_ = -1.0;
  double tolerance_ = 0.01;
  int left_ = 0;
  bool crossed_ = false;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
