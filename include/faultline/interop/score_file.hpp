// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A table of scores as a classifier: images that need scores are written as files, scored anywhere, and found again by
// what they contain. docs/how-to/score_files.md has the formats.

#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/deferred_scores.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace faultline {
inline namespace v1 {

/// What a table of scores does not say of itself.
struct ScoreFileOptions {
  std::int64_t classes = 0;            ///< K; 0: as the table states
  Scores scores = Scores::undeclared;  ///< undeclared: as the table states
  InputSpec input = {};                ///< what the images must look like
  std::string name = "";               ///< for reports; empty: the table's file name
  /// What tells this model from another; empty: what the table states, or else the SHA-256 of the table
  std::string digest = "";
  /// K while there is no table that states it, where `classes` is 0; nothing is concluded from it
  std::int64_t expected_classes = 0;
  std::filesystem::path images = {};                ///< folder for the images; empty: the table's path and ".images"
  std::int64_t file_bytes = std::int64_t{1} << 30;  ///< of images in memory, and in one of the files
  std::int64_t max_bytes = std::int64_t{16} << 30;  ///< of the table
  /// By how much declared probabilities may miss [0, 1] and a sum of 1
  double probability_tolerance = classify::default_probability_tolerance;
};

/// A Classifier that looks scores up in a table, by the SHA-256 of an image's float32 values as `input` asks for them.
///
/// What the table lacks is collected and written into a folder, all or nothing: `round-001.npy`, float32
/// `[N, C, H, W]` (or `[N, H, W, C]`, as `input.layout` says), and then `round-001.csv`, the digests in the same order.
/// Then the run ends with scores_missing. Whoever has the model scores these images, appends the rows to the table, and
/// the same run is made again: it is deterministic, so it finds them and goes on. An image is written once; asked again
/// without new scores, the files and the message stay as they are. A whole request is collected (`DeferredScores`):
/// both splits of a characterisation or a comparison, a block of interventions; by itself `score` ends at its batch.
/// Rows of images that nobody asks for do not matter, so one table serves many runs of one model.
/// The table is read here, once. There may be none yet. Movable, not copyable (`AnyClassifier` shares it).
/// **Throws** invalid_argument for options out of range, and where there is neither a table nor `classes` nor
/// `expected_classes`; what `read_image_scores` throws; inconsistent_files for rows of a round that say they were made
/// from other images, malformed_header for a file of digests that cannot be read. When used: scores_missing, and
/// cannot_write.
/// **Cost**: a SHA-256 of each image, about 4 ms for a megabyte; the table, and `file_bytes` of images, in memory.
/// Example: `ScoreFileClassifier mine("scores.csv", {.input = {.height = 28, .width = 28}, .expected_classes = 10});`
class ScoreFileClassifier {
 public:
  explicit ScoreFileClassifier(std::filesystem::path table, ScoreFileOptions options = {});
  ~ScoreFileClassifier();
  ScoreFileClassifier(ScoreFileClassifier&&) noexcept;
  ScoreFileClassifier& operator=(ScoreFileClassifier&&) noexcept;

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  /// Empty while there is no table.
  [[nodiscard]] const std::string& digest() const noexcept { return options_.digest; }
  /// The folder of images that need scores.
  [[nodiscard]] const std::filesystem::path& images() const noexcept { return options_.images; }

  /// The scores of images in the layout that `input_spec()` asks for.
  void score(ImageView images, ScoreMatrix& scores);

  [[nodiscard]] DeferredScores* deferred_scores() const noexcept;

 private:
  class Lookup;

  ScoreFileOptions options_;
  std::unique_ptr<Lookup> lookup_;
};

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/interop/detail/score_file_impl.hpp>
#endif
