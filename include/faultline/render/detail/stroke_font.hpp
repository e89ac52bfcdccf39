// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The lettering of the picture sheets: each glyph is a few strokes, so that text is smooth at any size and no font file
// is needed.

#include <faultline/render/detail/text.hpp>

#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// One glyph: `path` in units of a tenth of the capital height, y upwards from the baseline; M starts a stroke, L draws
/// a line, Q a quadratic curve.
struct StrokeGlyph {
  char32_t code;
  float width;
  std::string_view path;
};

inline constexpr StrokeGlyph stroke_glyphs[] = {
    {' ', 2.4f, ""},
    {'!', 0, "M0,10L0,3.4M0,0L0,0.3"},
    {'"', 2.4f, "M0,10L0,7M2.4,10L2.4,7"},
    {'#', 7, "M1.4,0L2.8,10M4.4,0L5.8,10M0.3,6.8L7,6.8M0,3.2L6.7,3.2"},
    {'$', 6.4f,
     "M6,7.8Q5.4,9.4 3.2,9.4Q0.4,9.4 0.4,7.3Q0.4,5.6 3.2,5.1Q6.4,4.5 6.4,2.7Q6.4,0.6 3.2,0.6Q0.5,0.6 "
     "0,2.6M3.2,11L3.2,-1"},
    {'%', 9.2f,
     "M7.8,10L1.4,0M2,10Q0,10 0,7.9Q0,5.8 2,5.8Q4,5.8 4,7.9Q4,10 2,10M7.2,4.2Q5.2,4.2 5.2,2.1Q5.2,0 7.2,0Q9.2,0 "
     "9.2,2.1Q9.2,4.2 7.2,4.2"},
    {'&', 7.4f,
     "M7.2,4.4Q6.4,0 3,0Q0,0 0,2.6Q0,4.4 2.6,5.4Q4.8,6.4 4.8,8Q4.8,10 3.1,10Q1.3,10 1.3,8.2Q1.3,6.9 2.8,5.2L7.4,0"},
    {'\'', 0, "M0,10L0,7"},
    {'(', 2.2f, "M2.2,11Q0,8.4 0,4.5Q0,0.6 2.2,-2"},
    {')', 2.2f, "M0,11Q2.2,8.4 2.2,4.5Q2.2,0.6 0,-2"},
    {'*', 4.6f, "M2.3,10L2.3,5M0.1,8.8L4.5,6.2M4.5,8.8L0.1,6.2"},
    {'+', 6, "M0,4.5L6,4.5M3,1.5L3,7.5"},
    {',', 0.6f, "M0.6,0.4L0,-1.8"},
    {'-', 3.4f, "M0,4L3.4,4"},
    {'.', 0, "M0,0L0,0.3"},
    {'/', 3.8f, "M0,-1L3.8,10.6"},
    {'0', 6, "M3,10Q0,10 0,5Q0,0 3,0Q6,0 6,5Q6,10 3,10"},
    {'1', 6, "M1,8L3.6,10L3.6,0"},
    {'2', 6, "M0.4,7.3Q0.6,10 3.1,10Q5.7,10 5.7,7.5Q5.7,5.7 3.8,3.8L0.1,0L6,0"},
    {'3', 6, "M0.4,8.1Q1,10 3,10Q5.5,10 5.5,7.7Q5.5,5.4 2.4,5.4M2.4,5.4Q6,5.4 6,2.7Q6,0 3,0Q0.6,0 0,2.2"},
    {'4', 6.2f, "M4.7,0L4.7,10L0,3L6.2,3"},
    {'5', 6, "M5.5,10L1,10L0.5,5.2Q1.5,6.4 3.2,6.4Q6,6.4 6,3.2Q6,0 3,0Q0.6,0 0,2"},
    {'6', 6, "M5.5,8.4Q4.9,10 3.2,10Q0,10 0,4.6Q0,0 3,0Q6,0 6,3.1Q6,6.2 3.2,6.2Q0.7,6.2 0,3.6"},
    {'7', 6, "M0,10L6,10L2.2,0"},
    {'8', 6,
     "M3,5.4Q0.4,5.4 0.4,7.7Q0.4,10 3,10Q5.6,10 5.6,7.7Q5.6,5.4 3,5.4Q0,5.4 0,2.7Q0,0 3,0Q6,0 6,2.7Q6,5.4 3,5.4"},
    {'9', 6, "M0.5,1.6Q1.1,0 2.8,0Q6,0 6,5.4Q6,10 3,10Q0,10 0,6.9Q0,3.8 2.8,3.8Q5.3,3.8 6,6.4"},
    {':', 0, "M0,0L0,0.3M0,5.6L0,5.9"},
    {';', 0.6f, "M0.6,0.4L0,-1.8M0.6,5.6L0.6,5.9"},
    {'<', 5.6f, "M5.6,8L0,4.5L5.6,1"},
    {'=', 6, "M0,3L6,3M0,6L6,6"},
    {'>', 5.6f, "M0,8L5.6,4.5L0,1"},
    {'?', 5, "M0,8Q0.4,10 2.6,10Q5,10 5,7.8Q5,6.4 3.6,5.4Q2.4,4.5 2.4,3.1M2.4,0L2.4,0.3"},
    {'@', 9.2f,
     "M6.4,3.4Q5.8,2.4 4.6,2.4Q2.8,2.4 2.8,4.6Q2.8,6.8 4.6,6.8Q6.4,6.8 6.4,4.8L6.4,3.6Q6.6,2.2 7.8,2.6Q9.2,3.2 "
     "9.2,5.6Q9.2,10 4.8,10Q0,10 0,4.6Q0,-1 5.2,-1"},
    {'A', 7.2f, "M0,0L3.6,10L7.2,0M1.2,3.3L6,3.3"},
    {'B', 6.5f, "M0,0L0,10L3.4,10Q6.1,10 6.1,7.7Q6.1,5.4 3.4,5.4L0,5.4M3.4,5.4Q6.5,5.4 6.5,2.7Q6.5,0 3.4,0L0,0"},
    {'C', 7, "M7,7.5Q6.3,10 3.8,10Q0,10 0,5Q0,0 3.8,0Q6.3,0 7,2.5"},
    {'D', 7, "M0,0L0,10L3,10Q7,10 7,5Q7,0 3,0L0,0"},
    {'E', 5.8f, "M5.8,10L0,10L0,0L5.8,0M0,5.3L5,5.3"},
    {'F', 5.4f, "M5.4,10L0,10L0,0M0,5.2L4.6,5.2"},
    {'G', 7.2f, "M7,7.7Q6.3,10 3.8,10Q0,10 0,5Q0,0 3.8,0Q7.2,0 7.2,3.4L7.2,4.6L4.2,4.6"},
    {'H', 7, "M0,0L0,10M7,0L7,10M0,5.2L7,5.2"},
    {'I', 0, "M0,0L0,10"},
    {'J', 4.8f, "M4.8,10L4.8,3Q4.8,0 2.4,0Q0,0 0,2.6"},
    {'K', 6.6f, "M0,0L0,10M6.4,10L0,3.8M2.5,6.2L6.6,0"},
    {'L', 5.4f, "M0,10L0,0L5.4,0"},
    {'M', 8.4f, "M0,0L0,10L4.2,2.4L8.4,10L8.4,0"},
    {'N', 7, "M0,0L0,10L7,0L7,10"},
    {'O', 8, "M4,10Q0,10 0,5Q0,0 4,0Q8,0 8,5Q8,10 4,10"},
    {'P', 6.3f, "M0,0L0,10L3.4,10Q6.3,10 6.3,7.2Q6.3,4.4 3.4,4.4L0,4.4"},
    {'Q', 8, "M4,10Q0,10 0,5Q0,0 4,0Q8,0 8,5Q8,10 4,10M5,2.6L8,-0.8"},
    {'R', 6.6f, "M0,0L0,10L3.4,10Q6.3,10 6.3,7.3Q6.3,4.6 3.4,4.6L0,4.6M3.4,4.6L6.6,0"},
    {'S', 6.4f, "M6,7.8Q5.4,10 3.2,10Q0.4,10 0.4,7.6Q0.4,5.8 3.2,5.2Q6.4,4.5 6.4,2.6Q6.4,0 3.2,0Q0.5,0 0,2.4"},
    {'T', 7, "M0,10L7,10M3.5,10L3.5,0"},
    {'U', 7, "M0,10L0,3.8Q0,0 3.5,0Q7,0 7,3.8L7,10"},
    {'V', 7, "M0,10L3.5,0L7,10"},
    {'W', 10, "M0,10L2.5,0L5,9.4L7.5,0L10,10"},
    {'X', 6.8f, "M0,0L6.8,10M0,10L6.8,0"},
    {'Y', 6.8f, "M0,10L3.4,4.8L6.8,10M3.4,4.8L3.4,0"},
    {'Z', 6.4f, "M0.2,10L6.4,10L0,0L6.6,0"},
    {'[', 2, "M2,11L0,11L0,-2L2,-2"},
    {'\\', 3.8f, "M0,10.6L3.8,-1"},
    {']', 2, "M0,11L2,11L2,-2L0,-2"},
    {'^', 5, "M0,6.4L2.5,10L5,6.4"},
    {'_', 6, "M0,-1.6L6,-1.6"},
    {'`', 1.6f, "M0,10.4L1.6,8.6"},
    {'a', 5.2f, "M0.5,5.6Q1,7 2.8,7Q5.2,7 5.2,4.7L5.2,0M5.2,4.1L2.6,3.9Q0,3.7 0,1.8Q0,0 2.2,0Q4.6,0 5.2,2.2"},
    {'b', 5.8f, "M0,0L0,10M0,3.5Q0,7 3,7Q5.8,7 5.8,3.5Q5.8,0 3,0Q0,0 0,3.5"},
    {'c', 5.2f, "M5.2,5.2Q4.6,7 2.8,7Q0,7 0,3.5Q0,0 2.8,0Q4.6,0 5.2,1.8"},
    {'d', 5.8f, "M5.8,0L5.8,10M5.8,3.5Q5.8,7 2.8,7Q0,7 0,3.5Q0,0 2.8,0Q5.8,0 5.8,3.5"},
    {'e', 5.6f, "M0,3.7L5.6,3.7Q5.6,7 2.8,7Q0,7 0,3.5Q0,0 2.9,0Q4.7,0 5.4,1.6"},
    {'f', 3.5f, "M3.7,9.8Q1.5,10.4 1.5,7.8L1.5,0M0,6.7L3.4,6.7"},
    {'g', 5.8f, "M5.8,7L5.8,0Q5.8,-3 2.9,-3Q0.9,-3 0.3,-1.5M5.8,3.5Q5.8,7 2.8,7Q0,7 0,3.5Q0,0 2.8,0Q5.8,0 5.8,3.5"},
    {'h', 5.4f, "M0,0L0,10M0,4Q0.4,7 2.9,7Q5.4,7 5.4,4.2L5.4,0"},
    {'i', 0, "M0,0L0,7M0,9.5L0,9.8"},
    {'j', 1.6f, "M1.6,7L1.6,-1Q1.6,-3.1 0,-2.9M1.6,9.5L1.6,9.8"},
    {'k', 5.2f, "M0,0L0,10M5,7L0,2.6M1.9,4.3L5.2,0"},
    {'l', 1, "M0,10L0,1.4Q0,0 1.1,0.1"},
    {'m', 9, "M0,0L0,7M0,4.4Q0.3,7 2.3,7Q4.5,7 4.5,4.4L4.5,0M4.5,4.4Q4.8,7 6.8,7Q9,7 9,4.4L9,0"},
    {'n', 5.4f, "M0,0L0,7M0,4Q0.4,7 2.9,7Q5.4,7 5.4,4.2L5.4,0"},
    {'o', 6, "M3,7Q0,7 0,3.5Q0,0 3,0Q6,0 6,3.5Q6,7 3,7"},
    {'p', 5.8f, "M0,-3L0,7M0,3.5Q0,7 3,7Q5.8,7 5.8,3.5Q5.8,0 3,0Q0,0 0,3.5"},
    {'q', 5.8f, "M5.8,-3L5.8,7M5.8,3.5Q5.8,7 2.8,7Q0,7 0,3.5Q0,0 2.8,0Q5.8,0 5.8,3.5"},
    {'r', 3.2f, "M0,0L0,7M0,3.8Q0.4,7 3.2,6.8"},
    {'s', 4.8f, "M4.5,5.5Q4,7 2.4,7Q0.3,7 0.3,5.3Q0.3,4 2.4,3.6Q4.8,3.1 4.8,1.8Q4.8,0 2.4,0Q0.5,0 0,1.6"},
    {'t', 3.4f, "M1.4,9L1.4,1.8Q1.4,0 3.4,0.2M0,6.8L3.3,6.8"},
    {'u', 5.4f, "M0,7L0,2.8Q0,0 2.5,0Q5,0 5.4,3M5.4,7L5.4,0"},
    {'v', 5.6f, "M0,7L2.8,0L5.6,7"},
    {'w', 8.4f, "M0,7L2.1,0L4.2,6.6L6.3,0L8.4,7"},
    {'x', 5.2f, "M0,0L5.2,7M0,7L5.2,0"},
    {'y', 5.6f, "M0,7L2.8,0M5.6,7L2.6,-0.8Q1.8,-3 0,-2.8"},
    {'z', 4.8f, "M0.1,7L4.8,7L0,0L5,0"},
    {'{', 3, "M3,11Q1.4,11 1.4,9L1.4,6.4Q1.4,4.6 0,4.5Q1.4,4.4 1.4,2.6L1.4,0Q1.4,-2 3,-2"},
    {'|', 0, "M0,11L0,-2"},
    {'}', 3, "M0,11Q1.6,11 1.6,9L1.6,6.4Q1.6,4.6 3,4.5Q1.6,4.4 1.6,2.6L1.6,0Q1.6,-2 0,-2"},
    {'~', 6, "M0,3.6Q0.8,5.6 3,4.5Q5.2,3.4 6,5.4"},
    {U'\u00B1', 6, "M0,5.6L6,5.6M3,2.8L3,8.4M0,0.6L6,0.6"},
    {U'\u00B7', 0, "M0,4.4L0,4.7"},
    {U'\u00D7', 5, "M0,2L5,7M0,7L5,2"},
    {U'\u03C3', 6.4f, "M6.6,6.8L3,6.8Q0,6.8 0,3.4Q0,0 3,0Q6,0 6,3.4Q6,5.8 4,6.8"},
    {U'\u2013', 5, "M0,4L5,4"},
    {U'\u2014', 9, "M0,4L9,4"},
    {U'\u2019', 0.6f, "M0.6,10L0,7.4"},
    {U'\u2026', 5, "M0,0L0,0.3M2.5,0L2.5,0.3M5,0L5,0.3"},
    {U'\u2192', 8.4f, "M0,4.5L8.4,4.5M5.6,7.2L8.4,4.5L5.6,1.8"},
    {U'\u2212', 6, "M0,4.5L6,4.5"},
    {U'\u221E', 10,
     "M5,4.5Q3.6,7.2 2,7.2Q0,7.2 0,4.5Q0,1.8 2,1.8Q3.6,1.8 5,4.5Q6.4,7.2 8,7.2Q10,7.2 10,4.5Q10,1.8 8,1.8Q6.4,1.8 "
     "5,4.5"},
    {U'\u2264', 6, "M6,8.6L0,5.7L6,2.8M0,0.6L6,0.6"},
    {U'\u2265', 6, "M0,8.6L6,5.7L0,2.8M0,0.6L6,0.6"},
};

/// What is drawn for a character the table does not have: an empty box, so that its absence is seen.
inline constexpr StrokeGlyph missing_glyph = {0xFFFD, 5, "M0,0L5,0L5,10L0,10L0,0"};
/// Space between two glyphs, in tenths of the capital height.
inline constexpr float glyph_gap = 2.5f;

inline const StrokeGlyph& find_glyph(char32_t code) {
  if (code == 0xA0 || code == '\n' || code == '\t') code = ' ';
  for (const StrokeGlyph& glyph : stroke_glyphs)
    if (glyph.code == code) return glyph;
  return missing_glyph;
}

struct StrokePoint {
  float x = 0, y = 0;
};

/// Calls `segment(from, to)` for every straight piece of a glyph; curves become eight pieces.
template <class Segment>
void trace(const StrokeGlyph& glyph, Segment segment) {
  const char* at = glyph.path.data();
  const char* const end = at + glyph.path.size();
  const auto point = [&] {
    StrokePoint p;
    at = std::from_chars(at, end, p.x).ptr + 1;  // the comma
    at = std::from_chars(at, end, p.y).ptr;
    return p;
  };
  StrokePoint pen;
  while (at < end) {
    const char command = *at++;
    const StrokePoint first = point();
    if (command == 'L') segment(pen, first);
    if (command == 'Q') {
      ++at;  // the space
      const StrokePoint last = point();
      StrokePoint before = pen;
      for (int i = 1; i <= 8; ++i) {
        const float t = static_cast<float>(i) / 8.0f, u = 1.0f - t;
        const StrokePoint next{u * u * pen.x + 2 * u * t * first.x + t * t * last.x,
                               u * u * pen.y + 2 * u * t * first.y + t * t * last.y};
        segment(before, next);
        before = next;
      }
      pen = last;
    } else {
      pen = first;
    }
  }
}

/// Width of a line of text in tenths of the capital height.
inline float stroke_width(std::string_view text) {
  float width = 0;
  for (std::size_t at = 0; at < text.size();) width += find_glyph(next_code_point(text, at)).width + glyph_gap;
  return width > 0 ? width - glyph_gap : 0;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
