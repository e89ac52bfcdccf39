// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Scores by what an image contains: a table that finds the scores of an image by the SHA-256 of its values.

#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// What a table of scores by image must be, and how much of it is read.
struct ImageScoresOptions {
  std::int64_t classes = 0;                         ///< K; 0: as the table states
  Scores scores = Scores::undeclared;               ///< undeclared: as the table states
  std::int64_t max_bytes = std::int64_t{16} << 30;  ///< of the file
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
};

/// Scores of N images for K classes, found by the digest of an image.
struct ImageScores {
  /// Rows under one header, for which it states the file of images that they were made from.
  struct Block {
    std::int64_t line = 0;                  ///< of the header, from 1
    std::string images = "";                ///< SHA-256 of the file of images
    std::vector<std::string> digests = {};  ///< of its rows, in their order
  };

  std::int64_t classes = 0;
  Scores kind = Scores::undeclared;
  std::string model = "";                                   ///< what the table says of the model; may be empty
  std::string digest = "";                                  ///< SHA-256 of the table
  std::unordered_map<std::string, std::int64_t> rows = {};  ///< row of an image's digest
  ScoreMatrix scores = {};                                  ///< [N, K]
  std::vector<Block> blocks = {};                           ///< those whose header states the images

  [[nodiscard]] std::int64_t size() const noexcept { return scores.rows(); }
  /// The row of an image; nothing where the table does not know it.
  [[nodiscard]] std::optional<std::int64_t> find(const std::string& image) const;
};

/// The first two lines of a table, for messages and for files to begin with.
[[nodiscard]] std::string image_scores_header(std::int64_t classes, Scores scores);

/// The digest by which an image is found: SHA-256 of its float32 values, as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string image_digest(std::span<const float> image);

/// Reads a table of scores by image, `faultline.scores/1`:
///
///     # faultline.scores/1 classes=2 scores=logits
///     digest,score_0,score_1
///     5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9,1.25,-0.5
///
/// The first line states the classes and what scores are (`logits` or `probabilities`), and may state `model=`, a
/// digest of the model in letters, digits and `.:_-`, and `images=`, the SHA-256 of the file of images that the rows
/// below were made from. Both lines may come again, as they do when tables are appended to one another; what they say
/// of the model must not change. The same scores of an image may come again. Every line ends with a line end, so that
/// a table that was cut off while it grew is noticed.
/// **Throws**, naming line and column: `cannot_open`; `truncated` for an empty file and a last line without its end;
/// `foreign_format` for a first line that states another format; `malformed_header` for one that cannot be read, for
/// other columns, a row of another length, a digest that is none and a cell that is no number; `wrong_score_shape` for
/// another number of classes than `options.classes`; `not_logits`, `not_probabilities` for another kind of scores than
/// `options.scores` and for values that are not of the kind that is stated; `non_finite_scores`; `inconsistent_files`
/// for different scores of one image and headers that contradict each other; `oversized`.
/// **Cost**: memory for the scores and digests.
[[nodiscard]] ImageScores read_image_scores(const std::filesystem::path& path, const ImageScoresOptions& options = {});

/// The same from text in memory; `name` is how messages call it.
[[nodiscard]] ImageScores parse_image_scores(std::string_view text, const ImageScoresOptions& options = {},
                                             std::string_view name = "table");

}  // namespace data
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/image_scores_impl.hpp>
#endif
