// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's figures 2 to 7 (figures.md), each drawn from plain data; `figure_data.hpp` gets the data from an
// analysis.

#include <faultline/analysis/paper/predictability.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/render/drawing.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// One image of figure 2 with its class and what was done to it.
struct SampleTile {
  Picture picture;  ///< as it is to be drawn, see `to_picture`
  std::string label;
  std::string note = {};
};

/// Images in rows of `columns`.
struct SampleBlock {
  std::string title;
  std::int64_t columns = 10;
  std::vector<SampleTile> tiles;
};

/// Figure 2: real images, corrupted as the generator was trained on them, above generated ones. **Throws**
/// `empty_input` when a block has no image, `invalid_argument` without columns.
/// Example: `write_drawing(samples_figure({"Real, corrupted", 10, real}, {"Generated", 10, made}), "out/figure-2");`
[[nodiscard]] Drawing samples_figure(const SampleBlock& real, const SampleBlock& generated);

/// One space of figure 3.
struct ScatterPanel {
  std::string title;
  Matrix<double> points;                 ///< `[N, 2]` map of the samples, see `embed_tsne`
  paper::Predictability predictability;  ///< how well failure can be predicted from the space, on other samples
};

/// Figure 3: maps of the same samples in several spaces, by outcome, with the held-out AUC above each. **Shapes**:
/// `failed` `[N]` for all panels.
/// **Throws** `empty_input` without panels or samples, `shape_mismatch` when a map does not have a row of two for every
/// outcome.
/// Example: `embedding_figure(panels, population.failed)`
[[nodiscard]] Drawing embedding_figure(std::span<const ScatterPanel> panels, std::span<const std::uint8_t> failed);

/// Values of one style channel for both outcomes.
struct ChannelHistogram {
  std::string title;
  std::vector<double> failed;  ///< MIS
  std::vector<double> passed;  ///< WELL
  double effect = 0.0;         ///< d, the paper's pooled normalised difference
  double auc = 0.5;            ///< area under the ROC curve, all classes together
};

/// Figure 4: how the values of channels are distributed in MIS and WELL, the most influential ones above random ones,
/// as shares of each group.
/// **Throws** `empty_input` when either list is empty, `invalid_argument` for a value that is not finite.
[[nodiscard]] Drawing histogram_figure(std::span<const ChannelHistogram> top, std::span<const ChannelHistogram> random);

/// One image of figure 5.
struct DegradationCell {
  Picture picture;
  double probability = 0.0;  ///< p(y)
  std::string prediction;    ///< name of the predicted class
  bool failed = false;
};

/// One style channel of figure 5, moved alone.
struct DegradationColumn {
  std::string title;       ///< layer and channel
  std::int64_t index = 0;  ///< flat index of the channel, above each image
  int sign = 1;            ///< direction of failure, the arrow above each image
  double reference = 0.0;  ///< shift of 100 %, in standard deviations
  /// Does p(y) reach .5 there? Otherwise the reference is the largest step tried
  bool reached = true;
  std::vector<DegradationCell> cells;  ///< one per share
};

/// Figure 5: one start image moved along the most influential channels. `shares` are the rows, 1 is the reference shift
/// of the column; `start` says what is moved ("class 3").
/// **Throws** `empty_input` without columns or rows, `shape_mismatch` when a column does not have a cell per row.
[[nodiscard]] Drawing degradation_figure(const std::string& start, std::span<const double> shares,
                                         std::span<const DegradationColumn> columns);

/// Several channels that make an image fail together.
struct CornerCasePanel {
  std::int64_t class_label = 0;
  std::vector<std::int64_t> channels;  ///< flat indices
  std::vector<int> signs;              ///< as many
  /// Shift of each channel at which the image fails, in standard deviations
  double sigmas = 0.0;
  double probability = 0.0;  ///< p(y) there
  std::int64_t prediction = 0;
  std::vector<float> image;  ///< `[C, H, W]` in [0, 1], the failing image
  std::vector<float> start;  ///< the same before the edit; may be empty
};

/// Figure 6: corner cases, one row per class that has any, the start beside the failing image. `cases` come in any
/// order; at most `per_class` of a class are drawn, in theirs.
/// **Throws** `empty_input` without cases; `shape_mismatch` for an image that does not have the shape's size or signs
/// that do not fit the channels; `invalid_argument` for `per_class` below 1.
[[nodiscard]] Drawing corner_case_figure(std::span<const CornerCasePanel> cases, const ImageShape& shape,
                                         std::span<const std::string> class_names = {}, std::int64_t per_class = 4);

/// Figure 7: accuracy against the distance from the WELL centre, one panel for all classes together and one per class,
/// all with the same axes, one mark and colour per classifier; a bin without samples is left out.
/// **Throws** `empty_input` without curves or without a bin that has samples; `invalid_argument` for bins whose ends
/// are not increasing, or a lower end that is not finite.
[[nodiscard]] Drawing accuracy_figure(std::span<const analysis::AccuracyCurve> curves,
                                      std::span<const std::string> class_names = {});

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/figures_impl.hpp>
#endif
