// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers of a finding with their intervals, as the page says them.

#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/report_labels.hpp>

#include <optional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// "94 % (88 to 99 %)".
inline std::string share_text(const analysis::ClassSplit& split) {
  return split.common_share
             ? percent(*split.common_share, 0) + " (" + percent(split.lower, 0) + " to " + percent(split.upper, 0) + ")"
             : std::string("—");
}

/// "62 % (55 to 68 %)".
inline std::string share_text(const analysis::Attributable& share) {
  if (!share.fraction) return "not measured";
  if (!share.lower || !share.upper) return percent(*share.fraction, 0);
  return percent(*share.fraction, 0) + " (" + percent(*share.lower, 0) + " to " + percent(*share.upper, 0) + ")";
}

inline std::string share_text(const analysis::Share& share, int digits = 1) {
  return percent(share.estimate, digits) + " (" + percent(share.lower, digits) + " to " + percent(share.upper, digits) +
         ")";
}

/// What moving a condition did, in percentage points: "+41.2 (+37.1 to +45.2)".
inline std::string effect_text(const analysis::Intervention& moved) {
  if (!moved.effect) return "not moved";
  const auto hundredfold = [](const std::optional<double>& value) {
    return value ? signed_shown(100.0 * *value, 1) : std::string("—");
  };
  return hundredfold(moved.effect) + " (" + hundredfold(moved.lower) + " to " + hundredfold(moved.upper) + ")";
}

/// "3.42 (3.10 to 3.77) px".
inline std::string flip_value_text(const analysis::PropertyAtFlip& flip) {
  return with_unit(
      measured(flip.median) + " (" + measured(flip.quartile_low) + " to " + measured(flip.quartile_high) + ")",
      flip.unit);
}

/// "blur 3.42 (3.10 to 3.77) px": the property at the flip with its quartiles.
inline std::string flip_property_text(const std::optional<analysis::PropertyAtFlip>& flip) {
  if (!flip) return "not measured";
  return flip->name + " " + flip_value_text(*flip);
}

inline std::string validity_text(const analysis::Validity& validity) {
  if (!validity.agreement) return "not measured";
  return percent(validity.agreement->estimate, 0) + " (" + percent(validity.agreement->lower, 0) + " to " +
         percent(validity.agreement->upper, 0) + ")";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
