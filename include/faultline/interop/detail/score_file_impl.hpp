// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of interop/score_file.hpp: what is known, what is asked for, and the one sentence that says so.

#include <faultline/interop/score_file.hpp>

#include <faultline/classify/score_request.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/data/image_scores.hpp>
#include <faultline/interop/detail/image_rounds.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Scores of an image that has none, of the declared kind: no two images get the same, so that no check of a request
/// takes them for the answers of a model that is broken.
inline void provisional_scores(std::string_view digest, Scores kind, std::span<float> scores) {
  std::uint64_t state = 0;
  (void)std::from_chars(digest.data(), digest.data() + 16, state, 16);
  double sum = 0.0;
  for (float& score : scores) {  // splitmix64 (Steele, Lea and Flood 2014)
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t x = state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    const double unit = static_cast<double>(x >> 11) * 0x1p-53;
    score = static_cast<float>(kind == Scores::probabilities ? 0.5 + unit : 2.0 * unit - 1.0);
    sum += static_cast<double>(score);
  }
  if (kind == Scores::probabilities)
    for (float& score : scores) score = static_cast<float>(static_cast<double>(score) / sum);
}

}  // namespace detail

/// The table, and the images that it lacks.
class ScoreFileClassifier::Lookup final : public DeferredScores {
 public:
  Lookup(std::filesystem::path table, const ScoreFileOptions& options)
      : path_(std::move(table)), folder_(options.images), rounds_(folder_, options.file_bytes) {
    std::error_code failed;
    exists_ = std::filesystem::exists(path_, failed);
    if (!exists_) return;
    table_ = data::read_image_scores(path_, {.classes = options.classes,
                                             .scores = options.scores,
                                             .max_bytes = options.max_bytes,
                                             .probability_tolerance = options.probability_tolerance});
    for (const data::ImageScores::Block& block : table_.blocks) check(block);
  }
  virtual ~Lookup() = default;

  [[nodiscard]] bool exists() const noexcept { return exists_; }
  [[nodiscard]] const data::ImageScores& table() const noexcept { return table_; }

  void score(std::span<const float> image, const detail::StoredShape& shape, Scores kind, std::span<float> scores) {
    const std::string digest = data::image_digest(image);
    if (const auto row = table_.find(digest)) {
      std::ranges::copy(table_.scores.row_span(*row), scores.begin());
      ++found_;
    } else {
      rounds_.need(digest, image, shape);
      detail::provisional_scores(digest, kind, scores);
    }
  }

  void begin() override { ++depth_; }
  void cancel() noexcept override {
    if (--depth_ == 0) rounds_.forget();
  }
  [[nodiscard]] std::int64_t missing() const noexcept override { return rounds_.needed(); }

  void end() override {
    if (--depth_ > 0 || missing() == 0) return;
    std::string message;
    try {
      message = sentence();
    } catch (...) {
      rounds_.forget();
      throw;
    }
    rounds_.forget();
    throw Error(ErrorCode::scores_missing, "ScoreFileClassifier", message);
  }

 private:
  [[nodiscard]] std::string sentence() {
    const std::string table = "'" + path_.string() + "'", count = std::to_string(missing());
    const std::string images = count + (missing() == 1 ? " image" : " images");
    std::string text = exists_ ? images + (missing() == 1 ? " has" : " have") + " no scores in " + table + " yet"
                               : "there is no table " + table + " yet, and " + images + " need scores";
    text += "; they are in '" + folder_.string() + "': " + rounds_.settle() +
            "; score them, append a line for each digest of the .csv beside the .npy to the table, and run again "
            "(docs/how-to/score_files.md)";
    if (table_.size() > 0 && found_ == 0)
      text += "; none of the " + std::to_string(table_.size()) +
              " images of the table was asked for: is it of a run with other options, or on another kind of processor?";
    return text;
  }

  /// Rows of a round must have been made from its images.
  void check(const data::ImageScores::Block& block) {
    const auto& rounds = rounds_.rounds();
    const bool known =
        std::any_of(rounds.begin(), rounds.end(), [&](const auto& r) { return r.sha256 == block.images; });
    for (const std::string& digest : block.digests) {
      const std::int64_t at = rounds_.round_of(digest);
      if (at < 0 ? !known : rounds[static_cast<std::size_t>(at)].sha256 == block.images) continue;
      const std::string image = "the image " + digest.substr(0, 12) + "...";
      throw Error(ErrorCode::inconsistent_files, "ScoreFileClassifier, '" + path_.string() + "'",
                  "line " + std::to_string(block.line) +
                      " says that the rows after it were made from other images than one of them is about: " +
                      (at < 0 ? image + " is not in that file"
                              : image + " is in " + rounds[static_cast<std::size_t>(at)].name +
                                    ".npy, whose SHA-256 is another one") +
                      "; score the images again, each file with the digests beside it");
    }
  }

  std::filesystem::path path_, folder_;
  detail::ImageRounds rounds_;
  data::ImageScores table_;
  bool exists_ = false;
  std::int64_t found_ = 0;
  std::int64_t depth_ = 0;
};

FAULTLINE_INLINE ScoreFileClassifier::ScoreFileClassifier(std::filesystem::path table, ScoreFileOptions options)
    : options_(std::move(options)) {
  constexpr const char* where = "ScoreFileClassifier";
  if (table.filename().empty())
    throw Error(ErrorCode::invalid_argument, where, "expected the path of a table, got '" + table.string() + "'");
  core::require_in(where, ".classes", options_.classes, 0, limits::classes);
  core::require_in(where, ".expected_classes", options_.expected_classes, 0, limits::classes);
  core::require_in(where, ".file_bytes", options_.file_bytes, 1, std::int64_t{1} << 40);
  core::require_in(where, ".max_bytes", options_.max_bytes, 1, std::int64_t{1} << 50);
  core::require_in(where, ".probability_tolerance", options_.probability_tolerance, 0.0, 0.1);
  if (options_.name.empty()) options_.name = table.filename().string();
  if (options_.images.empty()) options_.images = table.string() + ".images";
  const std::string shown = table.string();
  lookup_ = std::make_unique<Lookup>(std::move(table), options_);
  if (lookup_->exists()) {
    options_.classes = lookup_->table().classes;
    options_.scores = lookup_->table().kind;
    if (options_.digest.empty()) options_.digest = lookup_->table().model;
    if (options_.digest.empty()) options_.digest = lookup_->table().digest;
    return;
  }
  if (options_.classes == 0) options_.classes = options_.expected_classes;
  if (options_.classes == 0)
    throw Error(ErrorCode::invalid_argument, where,
                "there is no table '" + shown +
                    "' yet, and nothing says how many classes it will have; say .expected_classes, or begin the table "
                    "with the line \"# faultline.scores/1 classes=10 scores=logits\"");
  if (options_.scores == Scores::undeclared) options_.scores = Scores::logits;  // of answers that are provisional
}

FAULTLINE_INLINE ScoreFileClassifier::~ScoreFileClassifier() = default;
FAULTLINE_INLINE ScoreFileClassifier::ScoreFileClassifier(ScoreFileClassifier&&) noexcept = default;
FAULTLINE_INLINE ScoreFileClassifier& ScoreFileClassifier::operator=(ScoreFileClassifier&&) noexcept = default;

FAULTLINE_INLINE DeferredScores* ScoreFileClassifier::deferred_scores() const noexcept { return lookup_.get(); }

FAULTLINE_INLINE void ScoreFileClassifier::score(ImageView images, ScoreMatrix& scores) {
  const std::int64_t c = images.channels(), h = images.height(), w = images.width();
  const detail::StoredShape shape = options_.input.layout == PixelLayout::channels_first ? detail::StoredShape{c, h, w}
                                                                                         : detail::StoredShape{h, w, c};
  classify::ScoreRequest request(*this);
  scores.resize(images.count(), options_.classes);
  for (std::int64_t i = 0; i < images.count(); ++i)
    lookup_->score(images.image(i), shape, options_.scores, scores.row_span(i));
  request.end();
}

}  // namespace v1
}  // namespace faultline
