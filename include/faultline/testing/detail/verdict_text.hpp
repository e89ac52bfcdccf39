// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers in a gate's explanation: short, locale-independent, as a person would write them.

#include <faultline/core/number_text.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// A share with three significant digits as a percentage: "6.68 %".
inline std::string percent(double share) { return rounded_text(100.0 * share, 3) + " %"; }

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
