// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How a sheet is laid out, and the parts it is drawn of.

#include <faultline/render/sheet.hpp>

#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Breaks a text into lines of at most `width` pixels at its spaces; a word that is wider by itself is shortened.
inline std::vector<std::string> wrapped(std::string_view text, double width, const TextStyle& style) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word = Canvas::shortened(text.substr(0, end), width, style);
    const std::string longer = line.empty() ? word : line + " " + word;
    if (line.empty() || Canvas::text_width(longer, style) <= width) line = longer;
    else {
      lines.push_back(line);
      line = word;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

inline constexpr TextStyle sheet_title{.height = 13, .bold = true}, sheet_text{.height = 9.5, .colour = palette::quiet},
    sheet_group{.height = 10.5, .bold = true}, sheet_label{.height = 8.2},
    sheet_note{.height = 8, .colour = palette::quiet};
inline constexpr std::int64_t sheet_margin = 18, sheet_line = 15, badge = 11;

/// Where everything goes.
struct SheetLayout {
  /// `lines` of text above an image
  std::int64_t cell_width = 0, image_width = 0, image_height = 0, cell_height = 0, lines = 1;
  std::int64_t left = 0, table_top = 0, body_top = 0, width = 0, height = 0;
  bool shared = false;  ///< does any heading stand above several columns?
  /// a predicted class that does not fit beside p gets a line of its own on the whole sheet
  bool captions = false, long_answers = false;
  std::vector<std::int64_t> column_x;
  std::vector<std::string> title, explanation;
};

inline SheetLayout lay_out(const Sheet& sheet) {
  SheetLayout layout;
  for (const SheetCell& cell : sheet.cells) {
    layout.image_width = std::max(layout.image_width, cell.picture.width);
    layout.image_height = std::max(layout.image_height, cell.picture.height);
  }
  layout.cell_width = std::max<std::int64_t>(layout.image_width, 96);
  for (const SheetCell& cell : sheet.cells) {
    layout.captions |= !cell.caption.empty();
    layout.long_answers |=
        Canvas::text_width("says " + cell.prediction, sheet_label) >
        static_cast<double>(layout.cell_width - badge) - Canvas::text_width("p 0.00", sheet_label) - 14;
  }
  layout.lines += (layout.captions ? 1 : 0) + (layout.long_answers ? 1 : 0);
  layout.cell_height = layout.image_height + sheet_line * layout.lines + 16;
  double label_width = 0;
  for (const SheetRow& row : sheet.rows) {
    label_width = std::max(label_width, Canvas::text_width(row.title, sheet_group));
    for (const std::string* note : {&row.note, &row.second_note})
      label_width = std::max(label_width, Canvas::text_width(*note, sheet_note));
  }
  layout.left = sheet_margin + (label_width > 0 ? static_cast<std::int64_t>(std::min(label_width, 180.0)) + 20 : 0);
  std::int64_t x = layout.left;
  for (std::size_t c = 1; c < sheet.columns.size(); ++c)
    layout.shared |= sheet.columns[c].group == sheet.columns[c - 1].group;
  for (std::size_t c = 0; c < sheet.columns.size(); ++c) {
    if (c > 0) x += layout.shared && sheet.columns[c].group != sheet.columns[c - 1].group ? 28 : 12;
    layout.column_x.push_back(x);
    x += layout.cell_width;
  }
  layout.width = std::max<std::int64_t>(x + sheet_margin, 620);
  const double room = static_cast<double>(layout.width - 2 * sheet_margin);
  layout.title = wrapped(sheet.title, room, sheet_title);
  layout.explanation = wrapped(sheet.explanation, room, sheet_text);
  const auto lines = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  // The legend's line included
  layout.table_top = sheet_margin + 20 * lines(layout.title) + 16 * lines(layout.explanation) + 34;
  bool groups = false, titles = false, notes = false, second_notes = false;
  for (const SheetColumn& column : sheet.columns)
    groups |= !column.group.empty(), titles |= !column.title.empty(), notes |= !column.note.empty(),
        second_notes |= !column.second_note.empty();
  layout.body_top = layout.table_top + (groups ? 26 : 0) +
                    sheet_line * ((titles ? 1 : 0) + (notes ? 1 : 0) + (second_notes ? 1 : 0)) + 8;
  layout.height = layout.body_top + layout.cell_height * lines(sheet.rows) + sheet_margin - 6;
  return layout;
}

/// The mark of a failure besides its frame: a filled square with a cross.
inline void draw_badge(Canvas& canvas, std::int64_t x, std::int64_t y) {
  canvas.fill(x, y, badge, badge, palette::failure);
  const auto fx = static_cast<double>(x), fy = static_cast<double>(y);
  canvas.line(fx + 3, fy + 3, fx + badge - 3, fy + badge - 3, 1.6, palette::paper);
  canvas.line(fx + badge - 3, fy + 3, fx + 3, fy + badge - 3, 1.6, palette::paper);
}

inline void draw_frame(Canvas& canvas, std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
                       bool failed) {
  canvas.frame(x, y, width, height, 1, failed ? palette::failure : palette::faint);
  if (failed) canvas.frame(x - 1, y - 1, width + 2, height + 2, 3, palette::failure);
}

inline void draw_cell(Canvas& canvas, const SheetLayout& layout, const SheetCell& cell, std::int64_t x,
                      std::int64_t y) {
  if (cell.picture.pixels.empty()) return;
  const std::int64_t image_y = y + layout.lines * sheet_line;
  const auto left = static_cast<double>(x), width = static_cast<double>(layout.cell_width);
  double line = static_cast<double>(y) + 9;
  if (layout.captions)
    canvas.text(left, line, Canvas::shortened(cell.caption, width, sheet_note), sheet_note), line += sheet_line;
  canvas.text(left, line, "p " + fixed(cell.probability, 2), sheet_label);
  if (cell.failed) draw_badge(canvas, x + layout.cell_width - badge, static_cast<std::int64_t>(line) - badge + 2);
  TextStyle answer = sheet_label;
  if (cell.failed) answer.bold = true, answer.colour = Colour{163, 71, 0};
  if (layout.long_answers) {
    canvas.text(left, line + sheet_line, Canvas::shortened("says " + cell.prediction, width, answer), answer);
  } else {
    answer.align = Align::right;
    canvas.text(left + width - (cell.failed ? badge + 4 : 0), line, "says " + cell.prediction, answer);
  }
  canvas.picture(x, image_y, cell.picture);
  draw_frame(canvas, x, image_y, cell.picture.width, cell.picture.height, cell.failed);
}

inline void draw_headings(Canvas& canvas, const SheetLayout& layout, const Sheet& sheet) {
  for (std::size_t c = 0; c < sheet.columns.size();) {
    std::size_t end = c + 1;
    while (end < sheet.columns.size() && sheet.columns[end].group == sheet.columns[c].group) ++end;
    const std::int64_t x = layout.column_x[c], span = layout.column_x[end - 1] + layout.cell_width - x;
    double line = static_cast<double>(layout.table_top);
    if (!sheet.columns[c].group.empty()) {
      TextStyle style = sheet_group;
      if (!layout.shared) style.height = sheet_label.height;
      canvas.text(static_cast<double>(x), line + 11,
                  Canvas::shortened(sheet.columns[c].group, static_cast<double>(span), style), style);
      canvas.fill(x, layout.table_top + 18, span, 1, palette::quiet);
    }
    for (const SheetColumn& column : sheet.columns)
      if (!column.group.empty()) {
        line += 26;
        break;
      }
    for (; c < end; ++c) {
      const auto fx = static_cast<double>(layout.column_x[c]), room = static_cast<double>(layout.cell_width);
      double y = line + 10;
      if (!sheet.columns[c].title.empty())
        canvas.text(fx, y, Canvas::shortened(sheet.columns[c].title, room, sheet_label), sheet_label), y += sheet_line;
      for (const std::string* note : {&sheet.columns[c].note, &sheet.columns[c].second_note})
        if (!note->empty()) canvas.text(fx, y, Canvas::shortened(*note, room, sheet_note), sheet_note), y += sheet_line;
    }
  }
}

inline void draw_legend(Canvas& canvas, double y) {
  double x = sheet_margin;
  const auto box = [&](bool failed) {
    draw_frame(canvas, static_cast<std::int64_t>(x) + 4, static_cast<std::int64_t>(y) - 10, 12, 12, failed);
    x += 26;
  };
  const auto words = [&](std::string_view text) {
    canvas.text(x, y, text, sheet_text);
    x += Canvas::text_width(text, sheet_text) + 22;
  };
  box(false);
  words("passes");
  box(true);
  draw_badge(canvas, static_cast<std::int64_t>(x), static_cast<std::int64_t>(y) - 9);
  x += badge + 6;
  words("fails");
  words("p = probability of the right class");
  words("says = predicted class");
}

}  // namespace detail

}  // namespace render
}  // namespace v1
}  // namespace faultline
