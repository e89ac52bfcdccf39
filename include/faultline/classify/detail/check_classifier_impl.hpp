// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/check_classifier.hpp.

#include <faultline/classify/check_classifier.hpp>
#include <algorithm>
#include <cmath>
#include <span>

namespace faultline {
inline namespace v1 {

namespace classify {

FAULTLINE_INLINE double relative_difference(std::span<const float> a, std::span<const float> b) {
  double scale = 1.0;
  for (const float value : a) scale = std::max(scale, std::abs(static_cast<double>(value)));
  double largest = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k)
    largest = std::max(largest, std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k])));
  return largest / scale;
}

FAULTLINE_INLINE double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k)
    largest = std::max(largest, std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k])));
  return largest;
}

}  // namespace classify

}  // namespace v1
}  // namespace faultline
