// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers as text and back, the same in every locale: exactly, with so many digits, or with so many decimals.

#include <faultline/config.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

/// The shortest text that reads back as `value`: "0.02", not "0.020000".
[[nodiscard]] std::string number_text(double value);

/// `value` rounded to at most `digits` (1 to 17) significant digits: "0.333" for 1/3 and 3.
[[nodiscard]] std::string rounded_text(double value, int digits);

/// `value` with `decimals` (0 to 60) digits behind the point: "2.50" for 2.5 and 2.
[[nodiscard]] std::string fixed_text(double value, int decimals);

/// The number that the whole of `text` spells; nothing when it spells none.
[[nodiscard]] std::optional<double> number_from(std::string_view text);

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/core/detail/number_text_impl.hpp>
#endif
