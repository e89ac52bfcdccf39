// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A labelled table of images as one picture: the degradation grid and its relatives.

#include <faultline/render/canvas.hpp>

#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// One image of a sheet and what the classifier said about it.
struct SheetCell {
  /// As it is to be drawn, see `to_picture`; a cell with an empty picture stays empty
  Picture picture;
  double probability = 0.0;  ///< p(y), printed above the image
  std::string prediction;    ///< name of the predicted class, printed above the image
  bool failed = false;       ///< drawn with a thick frame and a cross
  std::string caption;       ///< one more line above the image, or empty
};

/// Heading of a column. Neighbours with the same group share one heading above them.
struct SheetColumn {
  std::string group;
  std::string title;
  std::string note;
  std::string second_note;
};

/// Heading of a row, to the left of its images.
struct SheetRow {
  std::string title;
  std::string note;
  std::string second_note;
};

/// A table of images. `cells` is row-major, `rows.size() * columns.size()` long; either heading list may hold empty
/// texts but gives the size.
struct Sheet {
  std::string title;
  std::string explanation;  ///< wrapped below the title
  std::vector<SheetColumn> columns;
  std::vector<SheetRow> rows;
  std::vector<SheetCell> cells;
};

/// Draws a sheet: headings, p(y) and predicted class above every image, failures with a thick frame and a cross (never
/// by colour alone), and a legend.
///
/// Long names are shortened to the room they have; nothing overlaps. Same sheet, same pixels.
/// **Throws** `shape_mismatch` when the number of cells does not fit the headings, `empty_input` for a sheet without
/// cells.
/// Example: `write_png("grid.png", draw_sheet(sheet));`
[[nodiscard]] Picture draw_sheet(const Sheet& sheet);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/sheet_impl.hpp>
#endif
