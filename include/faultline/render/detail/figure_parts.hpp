// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the figures share: heading, images, captions.

#include <faultline/render/sheet.hpp>  // before its parts, which its own definitions need whole

#include <faultline/render/detail/plot_parts.hpp>
#include <faultline/render/detail/sheet_parts.hpp>
#include <faultline/render/drawing.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline constexpr TextStyle figure_title{.height = 13, .bold = true},
    figure_text{.height = 9.5, .colour = palette::quiet}, figure_heading{.height = 10.5, .bold = true},
    figure_label{.height = 9}, figure_small{.height = 8.2}, figure_quiet{.height = 8.2, .colour = palette::quiet};
inline constexpr double figure_margin = 24;

/// Title and explanation of a figure, measured before the figure's height is known and drawn after.
class FigureHead {
 public:
  FigureHead(std::string title, std::string_view explanation, double width)
      : title_(std::move(title)), lines_(wrapped(explanation, width - 2 * figure_margin, figure_text)) {}
  /// Where the figure itself may start.
  [[nodiscard]] double bottom() const { return figure_margin + 20 + 17 * static_cast<double>(lines_.size()) + 10; }
  void draw(Drawing& drawing) const {
    double y = figure_margin + 12;
    drawing.text(figure_margin, y, title_, figure_title);
    y += 7;
    for (const std::string& line : lines_) drawing.text(figure_margin, y += 17, line, figure_text);
  }

 private:
  std::string title_;
  std::vector<std::string> lines_;
};

/// The mark of a failure: a filled square with a cross.
inline void draw_badge(Drawing& drawing, double x, double y) {
  drawing.rectangle(x, y, 11, 11, palette::failure);
  drawing.line(x + 3, y + 3, x + 8, y + 8, {palette::paper, 1.6});
  drawing.line(x + 8, y + 3, x + 3, y + 8, {palette::paper, 1.6});
}

/// An image with its frame, thick when the classifier fails on it.
inline void draw_image(Drawing& drawing, double x, double y, const Picture& picture, bool failed) {
  drawing.picture(x, y, picture);
  drawing.frame(x, y, static_cast<double>(picture.width), static_cast<double>(picture.height), failed ? 3 : 1,
                failed ? palette::failure : palette::faint);
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
