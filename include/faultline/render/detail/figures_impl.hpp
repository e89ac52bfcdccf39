// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/figures.hpp: the figures of images here, those of numbers in number_figures_impl.hpp.

#include <faultline/render/figures.hpp>

#include <faultline/render/detail/figure_parts.hpp>
#include <faultline/render/detail/number_figures_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <map>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE Drawing samples_figure(const SampleBlock& real, const SampleBlock& generated) {
  using namespace detail;
  struct Size {
    double cell = 0, picture = 0, row = 0, rows = 0;
  };
  const auto size_of = [](const SampleBlock& block) {
    if (block.tiles.empty())
      throw Error(ErrorCode::empty_input, "samples_figure", "\"" + block.title + "\" has no images");
    if (block.columns < 1) throw Error(ErrorCode::invalid_argument, "samples_figure", "expected at least one column");
    Size size;
    for (const SampleTile& tile : block.tiles) {
      size.picture = std::max(size.picture, static_cast<double>(tile.picture.width));
      size.row = std::max(size.row, static_cast<double>(tile.picture.height) + 36);
    }
    size.cell = std::max(size.picture, 96.0) + 12;
    size.rows =
        static_cast<double>((static_cast<std::int64_t>(block.tiles.size()) + block.columns - 1) / block.columns);
    return size;
  };
  const Size above = size_of(real), below = size_of(generated);
  const double width = std::max({600.0, above.cell * static_cast<double>(real.columns) + 2 * detail::figure_margin,
                                 below.cell * static_cast<double>(generated.columns) + 2 * detail::figure_margin});
  const detail::FigureHead head(
      "Figure 2. Real and generated samples",
      "Above each image: its class, and what was done to it. Nothing is selected: the first images "
      "of each class, and the first samples of the seed.",
      width);
  const double height =
      head.bottom() + above.rows * above.row + below.rows * below.row + 2 * 40 + detail::figure_margin;
  Drawing drawing(whole(width), whole(height), "Real, corrupted images above generated ones, each with its class");
  head.draw(drawing);
  double y = head.bottom();
  for (const auto& [block, size] : {std::pair{&real, &above}, std::pair{&generated, &below}}) {
    drawing.label(detail::figure_margin, y + 12, block->title, width - 2 * detail::figure_margin, figure_heading);
    drawing.rectangle(detail::figure_margin, y + 18, width - 2 * detail::figure_margin, 1, palette::faint);
    y += 28;
    for (std::size_t i = 0; i < block->tiles.size(); ++i) {
      const SampleTile& tile = block->tiles[i];
      const auto columns = static_cast<std::size_t>(block->columns);
      const double x = detail::figure_margin + size->cell * static_cast<double>(i % columns),
                   top = y + size->row * static_cast<double>(i / columns), room = size->cell - 12;
      const TextStyle bold{.height = 9, .bold = true};
      const double used = drawing.label(x, top + 14, tile.label, room, bold) + 8;
      drawing.label(x + used, top + 14, tile.note, room - used, figure_quiet);
      detail::draw_image(drawing, x, top + 21, tile.picture, false);
    }
    y += size->rows * size->row + 12;
  }
  return drawing;
}

FAULTLINE_INLINE Drawing degradation_figure(const std::string& start, std::span<const double> shares,
                                            std::span<const DegradationColumn> columns) {
  using namespace detail;
  if (columns.empty() || shares.empty())
    throw Error(ErrorCode::empty_input, "degradation_figure", "expected at least one column and one row");
  double picture_width = 0, picture_height = 0;
  for (const DegradationColumn& column : columns) {
    if (column.cells.size() != shares.size())
      throw Error(ErrorCode::shape_mismatch, "degradation_figure",
                  "column \"" + column.title + "\" has " + std::to_string(column.cells.size()) + " images for " +
                      std::to_string(shares.size()) + " rows");
    for (const DegradationCell& cell : column.cells) {
      picture_width = std::max(picture_width, static_cast<double>(cell.picture.width));
      picture_height = std::max(picture_height, static_cast<double>(cell.picture.height));
    }
  }
  const double cell = std::max(picture_width, 96.0) + 14, row = picture_height + 46, left = detail::figure_margin + 70;
  const double width = std::max(900.0, left + cell * static_cast<double>(columns.size()) + detail::figure_margin - 14);
  const detail::FigureHead head(
      "Figure 5. One image moved along the most influential channels",
      "Start: " + start +
          ". Each column moves one style channel alone. 100 % is the reference shift of the column: the distance at "
          "which p(y) falls to .5 by the paper's search, or, where it never does, the largest step "
          "tried. Above each image: index of the channel, direction of the edit, p(y). A thick frame and a cross: the "
          "classifier is wrong, and what it says is written below p(y).",
      width);
  const double top = head.bottom() + 52;
  Drawing drawing(
      whole(width), whole(top + row * static_cast<double>(shares.size()) + detail::figure_margin - 10),
      "Degradation grid: images moved along single style channels, with the classifier's confidence above each");
  head.draw(drawing);
  for (std::size_t r = 0; r < shares.size(); ++r)
    drawing.text(left - 16, top + row * static_cast<double>(r) + 30 + picture_height / 2, percent(shares[r], 0),
                 aligned(figure_heading, Align::right));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const DegradationColumn& column = columns[c];
    const double x = left + cell * static_cast<double>(c), room = cell - 14;
    drawing.label(x, head.bottom() + 12, std::to_string(c + 1) + ". " + column.title, room,
                  TextStyle{.height = 8.2, .bold = true});
    drawing.text(x, head.bottom() + 28,
                 "100\u00A0% = " + shown(column.reference, column.reference < 9.995 ? 2 : 1) + " sd", figure_quiet);
    drawing.text(x, head.bottom() + 43, column.reached ? "" : "never reaches .5",
                 TextStyle{.height = 8.2, .colour = detail::failure_ink});
    for (std::size_t r = 0; r < shares.size(); ++r) {
      const DegradationCell& image = column.cells[r];
      const double y = top + row * static_cast<double>(r);
      const std::string index = std::to_string(column.index), p = "p " + fixed(image.probability, 2);
      drawing.mark(x + drawing.text(x, y + 13, index, figure_quiet) + 9, y + 9.2,
                   column.sign < 0 ? Mark::arrow_down : Mark::arrow_up, 4.6, palette::ink);
      drawing.text(x + room, y + 13, p, aligned(figure_small, Align::right));
      if (image.failed) {
        detail::draw_badge(drawing, x + room - 11, y + 18);
        drawing.label(x + room - 16, y + 28, "says " + image.prediction, room - 16,
                      TextStyle{.height = 8.2, .colour = detail::failure_ink, .bold = true, .align = Align::right});
      }
      detail::draw_image(drawing, x, y + 33, image.picture, image.failed);
    }
  }
  return drawing;
}

FAULTLINE_INLINE Drawing corner_case_figure(std::span<const CornerCasePanel> cases, const ImageShape& shape,
                                            std::span<const std::string> class_names, std::int64_t per_class) {
  using namespace detail;
  constexpr const char* where = "corner_case_figure";
  if (cases.empty()) throw Error(ErrorCode::empty_input, where, "expected at least one case");
  if (per_class < 1) throw Error(ErrorCode::invalid_argument, where, "expected at least one case per class");
  std::map<std::int64_t, std::vector<const CornerCasePanel*>> rows;
  std::size_t most = 0;
  for (const CornerCasePanel& one : cases) {
    if (one.signs.size() != one.channels.size())
      throw Error(ErrorCode::shape_mismatch, where,
                  "a case of class " + std::to_string(one.class_label) + " has " + std::to_string(one.signs.size()) +
                      " signs for " + std::to_string(one.channels.size()) + " channels");
    auto& row = rows[one.class_label];
    if (static_cast<std::int64_t>(row.size()) < per_class) row.push_back(&one);
    most = std::max(most, row.size());
  }
  const auto name = [&](std::int64_t label) {
    return label >= 0 && label < static_cast<std::int64_t>(class_names.size())
               ? class_names[static_cast<std::size_t>(label)]
               : std::to_string(label);
  };
  constexpr std::int64_t size = 96;
  const ImageShape drawn = picture_shape(shape, size);
  const double image = static_cast<double>(drawn.width), cell = std::max(2 * image + 30, 220.0) + 26,
               row_height = static_cast<double>(drawn.height) + 52, left = detail::figure_margin + 86;
  const double width = std::max(900.0, left + cell * static_cast<double>(most) + detail::figure_margin - 26);
  const detail::FigureHead head(
      "Figure 6. Corner cases: several channels at once",
      "Each pair: an image that the classifier gets right, and the same image with the named style channels shifted "
      "together until it fails (+ up, \u2212 down, each by the stated standard deviations).",
      width);
  Drawing drawing(whole(width),
                  whole(head.bottom() + row_height * static_cast<double>(rows.size()) + detail::figure_margin - 12),
                  "Corner cases per class: images before and after several style channels were shifted together");
  head.draw(drawing);
  double y = head.bottom();
  for (const auto& [label, row] : rows) {
    drawing.rectangle(detail::figure_margin, y - 4, width - 2 * detail::figure_margin, 1, palette::faint);
    drawing.label(detail::figure_margin, y + 36 + static_cast<double>(drawn.height) / 2, "class " + name(label), 80,
                  figure_heading);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const CornerCasePanel& one = *row[i];
      const double x = left + cell * static_cast<double>(i), room = cell - 26,
                   second = x + (one.start.empty() ? 0 : image + 30);
      std::string channels;
      const auto part = [&](std::size_t k) {
        return (channels.empty() ? "" : " ") + std::string(one.signs[k] < 0 ? "\u2212" : "+") +
               std::to_string(one.channels[k]);
      };
      for (std::size_t k = 0; k < one.channels.size(); ++k) {
        const std::size_t rest = one.channels.size() - k;
        const std::string tail = rest > 1 ? " and " + std::to_string(rest - 1) + " more" : "";
        if (k > 0 && Canvas::text_width(channels + part(k) + tail, figure_quiet) > room) {
          channels += " and " + std::to_string(rest) + " more";
          break;
        }
        channels += part(k);
      }
      drawing.label(x, y + 14, channels, room, figure_quiet);
      const TextStyle says{.height = 8.2, .colour = detail::failure_ink, .bold = true};
      const double from = x + drawing.text(x, y + 31, shown(one.sigmas, 2) + " sd", figure_small) + 12;
      drawing.label(from, y + 31, "p " + fixed(one.probability, 2) + ", says " + name(one.prediction), x + room - from,
                    says);
      if (!one.start.empty()) {
        detail::draw_image(drawing, x, y + 39, to_picture(one.start, shape, size), false);
        const double middle = y + 39 + static_cast<double>(drawn.height) / 2;
        drawing.line(x + image + 7, middle, x + image + 21, middle, {palette::quiet, 1.6});
        drawing.polyline({{x + image + 16, middle - 5}, {x + image + 21, middle}, {x + image + 16, middle + 5}},
                         {palette::quiet, 1.6});
      }
      detail::draw_image(drawing, second, y + 39, to_picture(one.image, shape, size), true);
    }
    y += row_height;
  }
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
