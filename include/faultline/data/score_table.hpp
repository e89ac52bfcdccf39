// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Scores that a classifier gave to a set of images somewhere else, as a table of comma-separated values.

#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/data/mnist.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// How a table of scores is read.
struct ScoreTableOptions {
  Scores scores = Scores::undeclared;               ///< what its numbers are: must be said
  std::int64_t max_bytes = std::int64_t{16} << 30;  ///< of the file
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
};

/// Scores of N images for K classes.
struct ScoreTable {
  std::vector<std::string> images = {};       ///< [N], a path with '/' or a position, as written
  std::vector<std::string> class_names = {};  ///< [K]; empty where the columns are numbered
  std::vector<std::int64_t> labels = {};      ///< [N]; empty where the table has no such column
  Scores kind = Scores::undeclared;
  ScoreMatrix scores = {};  ///< [N, K]

  [[nodiscard]] std::int64_t size() const noexcept { return scores.rows(); }
  [[nodiscard]] std::int64_t classes() const noexcept { return scores.cols(); }
};

/// Reads a table of scores, `image,label,score_0,score_1,...`, UTF-8 after RFC 4180 with or without a byte order mark,
/// any line ends, empty lines and spaces about a field.
///
/// The first line names the columns, in any order: `image`, the path of a picture in its folder or the position of an
/// image in its set; `label`, which may be missing; and one for each of at least two classes. These are numbered from 0
/// (`score_0`, or just `0`) or have names (`cat`, or `score_cat`), whose order is the classes' then. A label is a
/// number, or a name where the classes have names.
/// **Throws**, naming file and line: `scores_undeclared`; `cannot_open`; `truncated` for an empty file and for one of a
/// header alone; `malformed_header` for a header that is none, a row with more or fewer fields than it, a cell that is
/// no number and what is no text in UTF-8; `inconsistent_files` for an image that comes twice; `label_out_of_range`;
/// `non_finite_scores`, `not_probabilities`, and `not_logits` for logits that are probabilities; `oversized` for more
/// than `max_bytes`, for a record of more than 16 MiB and for more columns than there may be classes.
/// **Cost**: memory for the numbers, the names and one record, whatever the file claims.
/// Example: `ScoreTable table = read_score_table("scores.csv", {.scores = Scores::logits});`
[[nodiscard]] ScoreTable read_score_table(const std::filesystem::path& path, const ScoreTableOptions& options);

/// The same from text in memory; `name` is how messages call it.
[[nodiscard]] ScoreTable parse_score_table(std::string_view text, const ScoreTableOptions& options,
                                           std::string_view name = "table");

/// The table with its rows in the order of `images`, one for each, its columns in the order of their classes, and with
/// labels: the images' or, where they have none, the table's.
///
/// Rows belong to images by name; by position where the images have no names, or where the table has numbers alone and
/// no picture is called so. Columns belong to classes by name where both have names.
/// **Throws** `inconsistent_files`, naming the first: for an image without a row, a row without an image, two rows of
/// one image, a label other than the image's, no labels at all, more classes of images than of scores, and other names
/// of classes.
/// Example: `ScoreTable aligned = match_scores(std::move(table), images);`
[[nodiscard]] ScoreTable match_scores(ScoreTable table, const LabelledImages& images);

}  // namespace data

using data::match_scores;
using data::parse_score_table;
using data::read_score_table;
using data::ScoreTable;
using data::ScoreTableOptions;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/score_table_impl.hpp>
#endif
