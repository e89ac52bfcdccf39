// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/text.hpp.

#include <faultline/core/number_text.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string fixed(double value, int digits) {
  std::string text = fixed_text(value, digits);
  if (!text.empty() && text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

FAULTLINE_INLINE std::string exact(double value) { return std::isfinite(value) ? number_text(value) : std::string(); }

FAULTLINE_INLINE std::string exact(const std::optional<double>& value) { return value ? exact(*value) : std::string(); }

FAULTLINE_INLINE std::string shown(double value, int digits) {
  if (std::isnan(value)) return "n/a";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  // (a number too long to be read at a glance, and for any picture, has an exponent)
  std::string text = std::abs(value) < 1e9 ? fixed(value, digits) : rounded_text(value, 2);
  if (text.front() == '-') text.replace(0, 1, "−");
  return text;
}

FAULTLINE_INLINE std::string measured(double value) {
  if (!std::isfinite(value) || value == 0.0) return shown(value, 0);
  const double digits = 2.0 - std::floor(std::log10(std::abs(value)));
  return shown(value, static_cast<int>(std::clamp(digits, 0.0, 6.0)));
}

FAULTLINE_INLINE std::string with_unit(const std::string& value, const std::string& unit) {
  return unit.empty() ? value : value + "\u00A0" + unit;
}

FAULTLINE_INLINE std::string axis_name(const std::string& name, const std::string& unit) {
  return unit.empty() ? name : name + ", " + unit;
}

FAULTLINE_INLINE std::string signed_shown(double value, int digits) {
  std::string text = shown(value, digits);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return value > 0 && std::isfinite(value) && !zero ? "+" + text : text;
}

FAULTLINE_INLINE std::string signed_shown(const std::optional<double>& value, int digits) {
  return value ? signed_shown(*value, digits) : std::string("—");
}

FAULTLINE_INLINE std::string percent(double share, int digits) {
  const double value = 100.0 * share;
  if (!std::isfinite(value)) return "n/a";
  if (digits < 0) digits = std::abs(value) < 9.95 && std::abs(value) > 0.0 ? 1 : 0;
  return shown(value, digits) + "\u00A0%";
}

FAULTLINE_INLINE std::string count(std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value);
  std::string digits = std::to_string(value < 0 ? 0 - magnitude : magnitude);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), "\u00A0");
  return value < 0 ? "−" + digits : digits;
}

FAULTLINE_INLINE std::string points(double difference, int digits) {
  if (!std::isfinite(difference)) return "n/a";
  const std::string text = signed_shown(100.0 * difference, digits);
  return text + (text == "+1" || text == "−1" ? " point" : " points");
}

FAULTLINE_INLINE std::string p_value(double p) {
  if (!std::isfinite(p)) return "n/a";
  if (p < 0.0001) return "< 0.0001";
  return fixed(p, p < 0.01 ? 4 : 3);
}

FAULTLINE_INLINE std::string distance(double sigmas) {
  return std::isfinite(sigmas) ? shown(sigmas, 2) + "\u00A0sd" : std::string("beyond range");
}

FAULTLINE_INLINE std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

FAULTLINE_INLINE char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xC2 && lead < 0xE0   ? 1
                   : lead >= 0xE0 && lead < 0xF0 ? 2
                   : lead >= 0xF0 && lead < 0xF5 ? 3
                                                 : 0;
  if (more == 0 || at + static_cast<std::size_t>(more) > text.size()) return 0xFFFD;
  char32_t point = lead & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    if ((byte(at + static_cast<std::size_t>(i)) & 0xC0) != 0x80) return 0xFFFD;
    point = point << 6 | (byte(at + static_cast<std::size_t>(i)) & 0x3F);
  }
  at += static_cast<std::size_t>(more);
  return point;
}

FAULTLINE_INLINE std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (next_code_point(text, at) == 0xFFFD && at == start + 1) out += "\uFFFD";
    else out += text.substr(start, at - start);
  }
  return out;
}

FAULTLINE_INLINE std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

FAULTLINE_INLINE std::vector<std::int64_t> shown_classes(const FailureReport& report, std::size_t limit) {
  std::vector<std::int64_t> classes(report.class_rates.size());
  std::iota(classes.begin(), classes.end(), std::int64_t{0});
  if (classes.size() <= limit) return classes;
  std::stable_sort(classes.begin(), classes.end(), [&](std::int64_t a, std::int64_t b) {
    return report.class_rates[static_cast<std::size_t>(a)].estimate >
           report.class_rates[static_cast<std::size_t>(b)].estimate;
  });
  classes.resize(limit);
  std::sort(classes.begin(), classes.end());
  return classes;
}

FAULTLINE_INLINE std::string base64(std::span<const std::byte> bytes) {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < n ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= n ? alphabet[group >> (18 - 6 * j) & 63U] : '=';
  }
  return out;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
