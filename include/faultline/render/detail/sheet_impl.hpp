// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/sheet.hpp: first every position is computed, then everything is drawn.

#include <faultline/render/sheet.hpp>
#include <faultline/render/detail/sheet_parts.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE Picture draw_sheet(const Sheet& sheet) {
  using namespace detail;
  if (sheet.cells.empty()) throw Error(ErrorCode::empty_input, "draw_sheet", "a sheet needs at least one cell");
  if (sheet.cells.size() != sheet.rows.size() * sheet.columns.size())
    throw Error(ErrorCode::shape_mismatch, "draw_sheet",
                std::to_string(sheet.rows.size()) + " rows and " + std::to_string(sheet.columns.size()) +
                    " columns need as many cells as their product, got " + std::to_string(sheet.cells.size()));
  const detail::SheetLayout layout = lay_out(sheet);
  Canvas canvas(layout.width, layout.height);
  double y = detail::sheet_margin;
  for (const std::string& line : layout.title)
    canvas.text(detail::sheet_margin, y += 16, line, detail::sheet_title), y += 4;
  for (const std::string& line : layout.explanation)
    canvas.text(detail::sheet_margin, y += 14, line, sheet_text), y += 2;
  draw_legend(canvas, y + 18);
  draw_headings(canvas, layout, sheet);
  for (std::size_t r = 0; r < sheet.rows.size(); ++r) {
    const std::int64_t top = layout.body_top + layout.cell_height * static_cast<std::int64_t>(r);
    const double room = static_cast<double>(layout.left - detail::sheet_margin - 12);
    const SheetRow& row = sheet.rows[r];
    double line = static_cast<double>(top + layout.lines * sheet_line + layout.image_height / 2) +
                  (row.note.empty()          ? 5
                   : row.second_note.empty() ? -3
                                             : -10);
    canvas.text(detail::sheet_margin, line, Canvas::shortened(row.title, room, sheet_group), sheet_group);
    for (const std::string* note : {&row.note, &row.second_note})
      if (!note->empty())
        canvas.text(detail::sheet_margin, line += sheet_line, Canvas::shortened(*note, room, sheet_note), sheet_note);
    for (std::size_t c = 0; c < sheet.columns.size(); ++c)
      draw_cell(canvas, layout, sheet.cells[r * sheet.columns.size() + c], layout.column_x[c], top);
  }
  return canvas.picture();
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
