// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers and names as a reader sees them, the same in every locale; quoting for HTML, SVG and CSV.

#include <faultline/analysis/report.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// `value` with `digits` decimals and an ASCII minus; never "-0.00". Non-finite values become "inf", "-inf", "nan".
std::string fixed(double value, int digits);

/// `number_text`, but empty for non-finite values, as a cell of a table wants it.
std::string exact(double value);

/// An empty cell where nothing was measured.
std::string exact(const std::optional<double>& value);

/// For readers: like `fixed`, with the typographic minus, infinity as a sign, and an exponent from 10^9 on.
std::string shown(double value, int digits);

/// A value of a property, whose unit may be large or small: three digits that count, "3.42", "0.0342", "1234".
std::string measured(double value);
/// "3.42 px"; the value alone without a unit.
std::string with_unit(const std::string& value, const std::string& unit);
/// What an axis shows: "blur, px"; the name alone without a unit.
std::string axis_name(const std::string& name, const std::string& unit);

/// Like `shown`, with a plus sign where there is no minus: for effects that may go both ways.
std::string signed_shown(double value, int digits);

/// A dash where nothing was measured.
std::string signed_shown(const std::optional<double>& value, int digits);

/// A share as a percentage, with a no-break space before the sign. Small shares keep a decimal.
std::string percent(double share, int digits = -1);

/// A count with no-break spaces between groups of three digits.
std::string count(std::int64_t value);

/// A difference of two shares in percentage points: "+41 points".
std::string points(double difference, int digits = 0);

/// A p-value: four decimals where they matter, never "0.000".
std::string p_value(double p);

/// A distance in standard deviations; an infinite one means that it was not reached within the searched range.
std::string distance(double sigmas);

/// The four characters (and the quotes) that mean something in HTML and SVG; control characters that neither may
/// contain are dropped.
std::string escape(std::string_view text);

/// Reads one UTF-8 code point at `at` and moves on; malformed bytes become U+FFFD, one at a time.
char32_t next_code_point(std::string_view text, std::size_t& at);

/// `text` with everything that is not UTF-8 replaced by U+FFFD, so that a strange name never breaks a document.
std::string valid_utf8(std::string_view text);

/// A cell of a CSV file after RFC 4180: quoted when it holds a comma, a quote or a line end.
std::string csv_cell(std::string_view text);

/// The classes that a table has room for: all of them, or the `limit` with the highest failure rates, in the order of
/// their labels.
std::vector<std::int64_t> shown_classes(const FailureReport& report, std::size_t limit = 50);

/// Bytes as text that a data: URI can hold (RFC 4648).
std::string base64(std::span<const std::byte> bytes);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/text_impl.hpp>
#endif
